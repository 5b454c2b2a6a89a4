#include "octavo/formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <string>

#include "format.h"
#include "mapped_file.h"
#include "ncnn/ncnn_format.h"
#include "onnx/onnx_format.h"
#include "tnn/tnn_format.h"

namespace octavo {
namespace {

using formats::Format;
using formats::Source;

constexpr std::array kFormats = {&formats::kOnnxFormat, &formats::kNcnnFormat, &formats::kTnnFormat};

std::string known_endings() {
  std::string endings;
  for (const Format* format : kFormats) endings += fmt::format("{}{}", endings.empty() ? "" : ", ", format->ending);
  return endings;
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

Graph read(const Format& format, const Source& source) {
  try {
    return format.read(source);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::resource_limit, "there is not enough memory to read the model");
  }
}

std::filesystem::path weights_beside(const std::filesystem::path& path, const Format& format) {
  std::filesystem::path weights = path;
  return format.weights_ending.empty() ? std::filesystem::path() : weights.replace_extension(format.weights_ending);
}

/// `weights`: empty where the file beside it is meant, if the format has one.
Graph read_file(const std::filesystem::path& path, std::filesystem::path weights) {
  const formats::MappedFile file(path);
  const Format* format = formats::format_for(path);
  if (format == nullptr) format = by_content(file.bytes());
  if (format == nullptr) {
    throw Error(ErrorCode::bad_model,
                fmt::format("neither its ending ({} are known) nor its content is a model's", known_endings()));
  }
  if (format->weights_ending.empty() && !weights.empty()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("a model in the format '{}' is one file, without '{}'", format->name, weights.string()));
  }
  if (weights.empty()) weights = weights_beside(path, *format);
  std::optional<formats::MappedFile> second;
  const std::string weights_name = fmt::format("its weights, '{}'", weights.string());
  try {
    if (!weights.empty()) second.emplace(weights);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", weights_name, error.what()));
  }
  const std::filesystem::path folder = path.parent_path();
  return read(*format, {.bytes = file.bytes(),
                        .weights = second ? second->bytes() : std::span<const std::byte>(),
                        .weights_name = weights_name,
                        .folder = folder.empty() ? std::filesystem::path(".") : folder});
}

}  // namespace

std::string formats::ending_of(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return ending;
}

const Format* formats::format_for(const std::filesystem::path& path) {
  const std::string ending = ending_of(path);
  const auto* const it =
      std::find_if(kFormats.begin(), kFormats.end(), [&](const Format* f) { return f->ending == ending; });
  return it == kFormats.end() ? nullptr : *it;
}

Graph load_model(const std::filesystem::path& path) { return load_model(path, {}); }

Graph load_model(const std::filesystem::path& path, const std::filesystem::path& weights) {
  try {
    return read_file(path, weights);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", path.string(), error.what()));
  }
}

Graph load_model(std::span<const std::byte> bytes, std::string_view format, const std::filesystem::path& base) {
  return read(by_name(format), {.bytes = bytes, .weights = {}, .weights_name = {}, .folder = base});
}

std::vector<std::filesystem::path> model_files(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> files{path};
  const Format* const format = formats::format_for(path);
  if (format != nullptr && !format->weights_ending.empty()) files.push_back(weights_beside(path, *format));
  return files;
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  names.reserve(kFormats.size());
  for (const Format* format : kFormats) names.emplace_back(format->name);
  return names;
}

}  // namespace octavo
