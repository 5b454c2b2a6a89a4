#include "param_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <set>

#include "octavo/error.h"

namespace octavo::formats::ncnn {
namespace {

constexpr std::int64_t kMagic = 7767517;
constexpr int kMostParams = 32;
constexpr int kFirstList = -23300;
constexpr std::int64_t kMostBlobsOfLayer = 4096;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_float(std::string_view text) { return text.find_first_of(".eE") != std::string_view::npos; }

/// Words of a text, which know their line.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  [[noreturn]] void fail(std::string what) const {
    std::replace_if(
        what.begin(), what.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, '?');
    throw Error(ErrorCode::bad_model, fmt::format("line {}: {}", line_, what));
  }

  bool at_end() {
    skip_blanks();
    return place_ == text_.size();
  }
  std::string_view word(std::string_view wanted) {
    if (at_end()) fail(fmt::format("the file ends where {} should be", wanted));
    const std::size_t begin = place_;
    while (place_ < text_.size() && !is_blank(text_[place_])) ++place_;
    return text_.substr(begin, place_ - begin);
  }
  /// `id=value`, the value of a quoted string up to its closing quote; nothing where the next word is no such pair.
  std::optional<std::pair<std::int64_t, std::string_view>> pair() {
    if (at_end()) return std::nullopt;
    std::size_t digit = place_ + (text_[place_] == '-' ? 1 : 0);
    const std::size_t first = digit;
    while (digit < text_.size() && is_digit(text_[digit])) ++digit;
    if (digit == first || digit == text_.size() || text_[digit] != '=') return std::nullopt;
    const std::int64_t id = integer(text_.substr(place_, digit - place_));
    place_ = digit + 1;
    if (place_ < text_.size() && text_[place_] == '"') return std::pair(id, quoted());
    const std::size_t begin = place_;
    while (place_ < text_.size() && !is_blank(text_[place_])) ++place_;
    return std::pair(id, text_.substr(begin, place_ - begin));
  }

  std::int64_t integer(std::string_view word) const {
    std::int64_t value = 0;
    const char* const end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, value);
    if (error != std::errc() || stop != end) fail(fmt::format("'{}' is no integer", word.substr(0, 40)));
    return value;
  }
  std::int32_t small_integer(std::string_view word) const {
    const std::int64_t value = integer(word);
    if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max()) {
      fail(fmt::format("{} does not fit 32 bits", value));
    }
    return static_cast<std::int32_t>(value);
  }
  float number(std::string_view word) const {
    float value = 0.0F;
    const char* const end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, value);
    if (error != std::errc() || stop != end || !std::isfinite(value)) {
      fail(fmt::format("'{}' is no number", word.substr(0, 40)));
    }
    return value;
  }
  std::int64_t count(std::string_view wanted, std::int64_t most) {
    const std::int64_t value = integer(word(wanted));
    if (value < 0 || value > most) fail(fmt::format("{} is {}, expected 0 to {}", wanted, value, most));
    return value;
  }
  int line() const { return line_; }
  /// At most this many words can follow.
  std::int64_t room() const { return static_cast<std::int64_t>((text_.size() - place_) / 2 + 1); }

 private:
  void skip_blanks() {
    for (; place_ < text_.size() && is_blank(text_[place_]); ++place_) line_ += text_[place_] == '\n' ? 1 : 0;
  }
  std::string_view quoted() {
    const std::size_t begin = place_;
    const std::size_t end = text_.find_first_of("\"\n", begin + 1);
    if (end == std::string_view::npos || text_[end] != '"') fail("a quoted string has no end");
    place_ = end + 1;
    return text_.substr(begin, place_ - begin);
  }

  std::string_view text_;
  std::size_t place_ = 0;
  int line_ = 1;
};

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

Param list(const Words& words, std::span<const std::string_view> parts) {
  if (std::any_of(parts.begin(), parts.end(), is_float)) {
    std::vector<float> values;
    for (const std::string_view part : parts) values.push_back(words.number(part));
    return values;
  }
  std::vector<std::int32_t> values;
  for (const std::string_view part : parts) values.push_back(words.small_integer(part));
  return values;
}

Param classic_list(const Words& words, std::string_view text) {
  const std::vector<std::string_view> parts = split(text);
  const std::int64_t count = words.integer(parts.front());
  if (count != static_cast<std::int64_t>(parts.size()) - 1) {
    words.fail(fmt::format("a list of {} numbers announces {}", parts.size() - 1, count));
  }
  return list(words, std::span(parts).subspan(1));
}

Param value_of(const Words& words, std::string_view text) {
  if (text.empty()) words.fail("a parameter has no value");
  const char first = text.front();
  if (first == '"') return std::string(text.substr(1, text.size() - 2));
  if ((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z')) return std::string(text);
  if (text.find(',') == std::string_view::npos) {
    return is_float(text) ? Param(words.number(text)) : Param(words.small_integer(text));
  }
  if (text.back() == ',') text.remove_suffix(1);
  return list(words, split(text));
}

std::string name(Words& words, std::string_view wanted) {
  const std::string_view word = words.word(wanted);
  if (word.size() > kLongestName) {
    words.fail(fmt::format("{} has {} characters, ncnn reads {}", wanted, word.size(), kLongestName));
  }
  if (std::any_of(word.begin(), word.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; })) {
    words.fail(fmt::format("{} holds characters that are no text", wanted));
  }
  return std::string(word);
}

Layer parse_layer(Words& words) {
  Layer layer;
  layer.type = name(words, "a layer's type");
  layer.line = words.line();
  layer.name = name(words, "a layer's name");
  const std::int64_t bottoms = words.count("the number of a layer's inputs", kMostBlobsOfLayer);
  const std::int64_t tops = words.count("the number of a layer's outputs", kMostBlobsOfLayer);
  for (std::int64_t i = 0; i < bottoms; ++i) layer.bottoms.push_back(name(words, "an input's name"));
  for (std::int64_t i = 0; i < tops; ++i) layer.tops.push_back(name(words, "an output's name"));
  while (const auto pair = words.pair()) {
    const bool classic = pair->first <= kFirstList;
    const std::int64_t id = classic ? kFirstList - pair->first : pair->first;
    if (id < 0 || id >= kMostParams) {
      words.fail(fmt::format("parameter {} is not among 0 to {}", pair->first, kMostParams - 1));
    }
    layer.params.set(static_cast<int>(id), classic ? classic_list(words, pair->second) : value_of(words, pair->second));
  }
  return layer;
}

/// As ncnn's own tools write it where that says the number exactly, else with 9 digits, the most that a float needs
/// and the most that fit the 15 characters of ncnn's reader.
std::string float_text(float value) {
  std::string text = fmt::format("{:e}", value);
  return std::strtof(text.c_str(), nullptr) == value ? text : fmt::format("{:.8e}", value);
}

struct ParamWriter {
  int id;
  std::string operator()(std::int32_t value) const { return fmt::format("{}={}", id, value); }
  std::string operator()(float value) const { return fmt::format("{}={}", id, float_text(value)); }
  std::string operator()(const std::string& value) const { return fmt::format("{}=\"{}\"", id, value); }
  std::string operator()(const std::vector<std::int32_t>& values) const {
    return fmt::format("{}={},{}", kFirstList - id, values.size(), fmt::join(values, ","));
  }
  std::string operator()(const std::vector<float>& values) const {
    std::string text = fmt::format("{}={}", kFirstList - id, values.size());
    for (const float value : values) text += fmt::format(",{}", float_text(value));
    return text;
  }
};

}  // namespace

std::vector<Layer> parse_param(std::string_view text) {
  Words words(text);
  const std::int64_t magic = words.integer(words.word("the number 7767517"));
  if (magic != kMagic) words.fail(fmt::format("the file begins with {}, not with ncnn's {}", magic, kMagic));
  const std::int64_t count = words.count("the number of layers", words.room());
  words.count("the number of blobs", std::numeric_limits<std::int32_t>::max());
  std::vector<Layer> layers;
  while (!words.at_end()) {
    if (static_cast<std::int64_t>(layers.size()) == count) words.fail(fmt::format("more layers than {}", count));
    layers.push_back(parse_layer(words));
  }
  if (static_cast<std::int64_t>(layers.size()) != count) {
    words.fail(fmt::format("the file ends after {} of {} layers", layers.size(), count));
  }
  return layers;
}

std::string param_text(std::span<const Layer> layers) {
  std::set<std::string_view> blobs;
  for (const Layer& layer : layers) blobs.insert(layer.tops.begin(), layer.tops.end());
  std::string text = fmt::format("{}\n{} {}\n", kMagic, layers.size(), blobs.size());
  for (const Layer& layer : layers) {
    text += fmt::format("{:<24} {:<24} {} {}", layer.type, layer.name, layer.bottoms.size(), layer.tops.size());
    for (const std::string& blob : layer.bottoms) text += fmt::format(" {}", blob);
    for (const std::string& blob : layer.tops) text += fmt::format(" {}", blob);
    for (const auto& [id, value] : layer.params.values())
      text += fmt::format(" {}", std::visit(ParamWriter{id}, value));
    text += '\n';
  }
  return text;
}

}  // namespace octavo::formats::ncnn
