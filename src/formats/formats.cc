#include "octavo/formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <new>

#include "format.h"
#include "mapped_file.h"
#include "onnx/onnx_format.h"

namespace octavo {
namespace {

using formats::Format;

constexpr std::array<const Format*, 1> kFormats = {&formats::kOnnxFormat};

std::string known_endings() {
  std::string endings;
  for (const Format* format : kFormats) endings += fmt::format("{}{}", endings.empty() ? "" : ", ", format->ending);
  return endings;
}

const Format* by_ending(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const auto* const it =
      std::find_if(kFormats.begin(), kFormats.end(), [&](const Format* f) { return f->ending == ending; });
  return it == kFormats.end() ? nullptr : *it;
}

const Format* by_content(std::span<const std::byte> bytes) {
  const auto head = bytes.first(std::min<std::size_t>(bytes.size(), 64));
  const auto* const it =
      std::find_if(kFormats.begin(), kFormats.end(), [&](const Format* f) { return f->sniff(head); });
  return it == kFormats.end() ? nullptr : *it;
}

const Format& by_name(std::string_view name) {
  for (const Format* format : kFormats) {
    if (format->name == name) return *format;
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("'{}' is no model format; known: {}", name, fmt::join(format_names(), ", ")));
}

Graph read(const Format& format, std::span<const std::byte> bytes, const std::filesystem::path& base) {
  try {
    return format.read(bytes, base);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::resource_limit, "there is not enough memory to read the model");
  }
}

}  // namespace

Graph load_model(const std::filesystem::path& path) {
  try {
    const formats::MappedFile file(path);
    const Format* format = by_ending(path);
    if (format == nullptr) format = by_content(file.bytes());
    if (format == nullptr) {
      throw Error(ErrorCode::bad_model,
                  fmt::format("neither its ending ({} are known) nor its content is a model's", known_endings()));
    }
    const std::filesystem::path folder = path.parent_path();
    return read(*format, file.bytes(), folder.empty() ? std::filesystem::path(".") : folder);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", path.string(), error.what()));
  }
}

Graph load_model(std::span<const std::byte> bytes, std::string_view format, const std::filesystem::path& base) {
  return read(by_name(format), bytes, base);
}

void save_model(const Graph& graph, const std::filesystem::path& path, const SaveOptions& options) {
  const Format* const format = by_ending(path);
  if (format == nullptr) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}: the name must end with the format to write: {}", path.string(), known_endings()));
  }
  format->write(graph, path, options);
}

std::vector<std::byte> model_bytes(const Graph& graph, std::string_view format) {
  return by_name(format).write_bytes(graph);
}

std::uint64_t model_size(const Graph& graph) { return kFormats.front()->size(graph); }

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  names.reserve(kFormats.size());
  for (const Format* format : kFormats) names.emplace_back(format->name);
  return names;
}

}  // namespace octavo
