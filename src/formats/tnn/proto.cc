#include "tnn/proto.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "octavo/error.h"

namespace octavo::formats::tnn {
namespace {

using Tokens = std::vector<std::string_view>;

// Records of the text: header, inputs, all blobs, outputs, number of layers, layers.
constexpr std::size_t kInputsRecord = 1;
constexpr std::size_t kOutputsRecord = 3;
constexpr std::size_t kFirstLayer = 5;
constexpr std::size_t kMostDims = 8;

[[noreturn]] void fail(std::size_t line, const std::string& what) {
  throw Error(ErrorCode::bad_model, fmt::format("line {}: {}", line, what));
}

/// Of each record the line it begins in, from 1.
std::vector<std::size_t> lines_of(std::string_view text) {
  std::vector<std::size_t> lines{1};
  std::size_t line = 1;
  bool blank = true;  // so far in this record
  for (const char c : text) {
    if (c == '\n') ++line;
    if (c == ',') {
      lines.push_back(line);
      blank = true;
    } else if (blank) {
      lines.back() = line;
      blank = c == '"' || static_cast<unsigned char>(c) <= 0x20;
    }
  }
  return lines;
}

/// The text without what the reader deletes.
std::string stripped(std::string_view text) {
  std::string kept;
  kept.reserve(text.size());
  std::copy_if(text.begin(), text.end(), std::back_inserter(kept), [](char c) { return c != '"' && c != '\n'; });
  return kept;
}

bool is_blank(char c) { return static_cast<unsigned char>(c) <= 0x20; }

Tokens tokens_of(std::string_view record) {
  Tokens tokens;
  std::size_t begin = 0;
  while (begin < record.size()) {
    while (begin < record.size() && is_blank(record[begin])) ++begin;
    std::size_t end = begin;
    while (end < record.size() && !is_blank(record[end])) ++end;
    if (end > begin) tokens.push_back(record.substr(begin, end - begin));
    begin = end;
  }
  return tokens;
}

Tokens split(std::string_view text, char separator) {
  Tokens parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

std::optional<std::int64_t> integer(std::string_view token) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (code != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return value;
}

Version version_of(const Tokens& header, std::size_t line) {
  const auto magic = header.size() > 3 ? integer(header[3]) : std::nullopt;
  if (magic == static_cast<std::int64_t>(Version::v1)) return Version::v1;
  if (magic == static_cast<std::int64_t>(Version::v2)) return Version::v2;
  fail(line, fmt::format("its fourth number is {}, where TNN's version 1 has {} and version 2 has {}",
                         header.size() > 3 ? fmt::format("'{}'", header[3]) : "missing",
                         static_cast<std::uint32_t>(Version::v1), static_cast<std::uint32_t>(Version::v2)));
}

Input input_of(const Tokens& tokens, Version version, std::size_t line) {
  if (tokens.size() < 2) fail(line, "an input is a name and its dimensions");
  Input input;
  input.name = tokens[0];
  std::size_t begin = 1;
  std::size_t count = tokens.size() - 1;
  if (version == Version::v2) {
    const auto rank = integer(tokens[1]);
    if (!rank || *rank < 0 || static_cast<std::size_t>(*rank) + 2 > tokens.size()) {
      fail(line,
           fmt::format("input '{}' has {} dimensions, by its count '{}'", input.name, tokens.size() - 2, tokens[1]));
    }
    begin = 2;
    count = static_cast<std::size_t>(*rank);
    const auto dtype = begin + count < tokens.size() ? integer(tokens.back()) : 0;
    if (!dtype || *dtype < 0 || *dtype > 100) fail(line, fmt::format("'{}' is no type", tokens.back()));
    input.dtype = static_cast<std::int32_t>(*dtype);
  }
  if (count == 0 || count > kMostDims) fail(line, fmt::format("input '{}' has {} dimensions", input.name, count));
  for (std::size_t i = 0; i < count; ++i) {
    const auto dim = integer(tokens[begin + i]);
    if (!dim || *dim < 1 || *dim > (std::int64_t{1} << 31)) {
      fail(line, fmt::format("input '{}' has a dimension '{}'", input.name, tokens[begin + i]));
    }
    input.dims.push_back(*dim);
  }
  return input;
}

Layer layer_of(const Tokens& tokens, std::size_t line) {
  if (tokens.size() < 4) fail(line, "a layer is a type, a name and the numbers of its inputs and outputs");
  Layer layer;
  layer.line = line;
  std::string_view type = tokens[0];
  if (type.starts_with("DynamicRangeQuantized")) {
    throw Error(ErrorCode::unsupported,
                fmt::format("line {}: layer '{}' is {}, which Octavo does not read", line, tokens[1], type));
  }
  layer.quantized = type.starts_with(kQuantized);
  if (layer.quantized) type.remove_prefix(kQuantized.size());
  layer.type = type;
  layer.name = tokens[1];
  const auto inputs = integer(tokens[2]);
  const auto outputs = integer(tokens[3]);
  const auto left = static_cast<std::int64_t>(tokens.size()) - 4;
  if (!inputs || !outputs || *inputs < 0 || *outputs < 0 || *inputs > left || *outputs > left - *inputs) {
    fail(line, fmt::format("layer '{}' has '{}' inputs and '{}' outputs, but {} further tokens", layer.name, tokens[2],
                           tokens[3], left));
  }
  const auto first_output = tokens.begin() + 4 + *inputs;
  const auto first_param = first_output + *outputs;
  layer.inputs.assign(tokens.begin() + 4, first_output);
  layer.outputs.assign(first_output, first_param);
  layer.params.assign(first_param, tokens.end());
  return layer;
}

void require_whole(std::string_view record, std::size_t line) {
  if (record.size() <= kMostOfRecord) return;
  fail(line, fmt::format("it has {} characters, of which TNN reads {}", record.size(), kMostOfRecord));
}

std::string joined(const std::vector<std::string>& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += fmt::format("{} ", token);
  return text;
}

std::string input_text(const Input& input, Version version) {
  std::string text = fmt::format("{} ", input.name);
  if (version == Version::v2) text += fmt::format("{} ", input.dims.size());
  text += fmt::format("{} ", fmt::join(input.dims, " "));
  if (version == Version::v2) text += fmt::format("{} ", input.dtype);
  return text;
}

std::string layer_text(const Layer& layer) {
  return fmt::format("{}{} {} {} {} {}{}{}", layer.quantized ? kQuantized : "", layer.type, layer.name,
                     layer.inputs.size(), layer.outputs.size(), joined(layer.inputs), joined(layer.outputs),
                     joined(layer.params));
}

void append(std::string& text, const std::string& record, const std::string& what) {
  if (record.size() > kMostOfRecord) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{} needs {} characters, of which TNN reads {}: shorten the names of its values", what,
                            record.size(), kMostOfRecord));
  }
  text += fmt::format("\"{},\"\n", record);
}

}  // namespace

Proto parse_proto(std::string_view text) {
  const std::string kept = stripped(text);
  const Tokens records = split(kept, ',');
  if (records.size() <= kFirstLayer) {
    throw Error(ErrorCode::bad_model,
                fmt::format("it has {} records, where a network has at least {}", records.size(), kFirstLayer + 1));
  }
  const std::vector<std::size_t> lines = lines_of(text);
  for (const std::size_t i : {std::size_t{0}, kInputsRecord, kOutputsRecord}) require_whole(records[i], lines[i]);
  Proto proto;
  proto.version = version_of(tokens_of(records[0]), lines[0]);
  for (const std::string_view input : split(records[kInputsRecord], ':')) {
    const Tokens tokens = tokens_of(input);
    if (!tokens.empty()) proto.inputs.push_back(input_of(tokens, proto.version, lines[kInputsRecord]));
  }
  if (proto.inputs.empty()) fail(lines[kInputsRecord], "it names no input");
  for (const std::string_view output : tokens_of(records[kOutputsRecord])) proto.outputs.emplace_back(output);
  if (proto.outputs.empty()) fail(lines[kOutputsRecord], "it names no output");
  for (std::size_t i = kFirstLayer; i < records.size(); ++i) {
    const Tokens tokens = tokens_of(records[i]);
    if (tokens.empty()) continue;
    require_whole(records[i], lines[i]);
    proto.layers.push_back(layer_of(tokens, lines[i]));
  }
  return proto;
}

std::string proto_text(const Proto& proto) {
  std::set<std::string> blobs;
  for (const Input& input : proto.inputs) blobs.insert(input.name);
  for (const Layer& layer : proto.layers) {
    blobs.insert(layer.inputs.begin(), layer.inputs.end());
    blobs.insert(layer.outputs.begin(), layer.outputs.end());
  }
  std::string text = fmt::format("\"1 {} 1 {} ,\"\n", blobs.size(), static_cast<std::uint32_t>(proto.version));
  std::string inputs;
  for (const Input& input : proto.inputs) {
    inputs += fmt::format("{}{}", inputs.empty() ? "" : ": ", input_text(input, proto.version));
  }
  append(text, inputs, "the list of inputs");
  // TNN does not read this one: it may be longer.
  text += fmt::format("\" {} ,\"\n", fmt::join(blobs, " "));
  append(text, joined(proto.outputs), "the list of outputs");
  text += fmt::format("\" {} ,\"\n", proto.layers.size());
  for (const Layer& layer : proto.layers) append(text, layer_text(layer), fmt::format("layer '{}'", layer.name));
  return text;
}

}  // namespace octavo::formats::tnn
