#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "format.h"
#include "ncnn/ncnn_format.h"
#include "octavo/core/names.h"
#include "octavo/error.h"
#include "octavo/formats.h"
#include "onnx/onnx_format.h"
#include "onnx/qoperator_exporter.h"
#include "openvino/openvino_exporters.h"
#include "table_json/table_json_exporter.h"
#include "tensorrt/tensorrt_exporters.h"
#include "tnn/tnn_format.h"

namespace octavo {
namespace {

constexpr std::array kExporters = {
    &formats::kOnnxExporter,          &formats::kQOperatorExporter,    &formats::kOpenVinoExporter,
    &formats::kFakeQuantizeExporter,  &formats::kTableJsonExporter,    &formats::kTensorRtExporter,
    &formats::kTensorRtCacheExporter, &formats::kTensorRtJsonExporter, &formats::kNcnnExporter,
    &formats::kNcnnTableExporter,     &formats::kTnnExporter,          &formats::kTnnV1Exporter};

std::string names() {
  std::string text;
  for (const Exporter* exporter : kExporters) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", exporter->name, exporter->ending);
  }
  return text;
}

const Exporter& required_for(const std::filesystem::path& path) {
  if (const Exporter* exporter = exporter_for(path)) return *exporter;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("{}: the name must end with the format to write: {}", path.string(), names()));
}

}  // namespace

std::span<const Exporter* const> exporters() { return kExporters; }

const Exporter& exporter_named(std::string_view name) {
  std::vector<std::string_view> known;
  for (const Exporter* exporter : kExporters) {
    if (exporter->name == name) return *exporter;
    known.push_back(exporter->name);
  }
  throw Error(ErrorCode::invalid_argument, fmt::format("'{}' is nothing that can be written; known: {}{}", name,
                                                       fmt::join(known, ", "), suggestion(name, known)));
}

const Exporter* exporter_for(const std::filesystem::path& path) {
  const std::string ending = formats::ending_of(path);
  const auto* const it =
      std::find_if(kExporters.begin(), kExporters.end(), [&](const Exporter* e) { return e->ending == ending; });
  return it == kExporters.end() ? nullptr : *it;
}

void require_ending(const Exporter& exporter, const std::filesystem::path& output) {
  if (formats::ending_of(output) == exporter.ending) return;
  throw Error(ErrorCode::invalid_argument, fmt::format("{}: what is written as {} has a name that ends with {}",
                                                       output.string(), exporter.name, exporter.ending));
}

void require_supported(const Exporter& exporter, const Graph& graph) {
  if (exporter.unsupported == nullptr) return;
  const std::vector<UnsupportedNode> nodes = exporter.unsupported(graph);
  if (nodes.empty()) return;
  constexpr std::size_t kShown = 10;
  std::string list;
  for (std::size_t i = 0; i < nodes.size() && i < kShown; ++i) {
    list += fmt::format("\n  {}: {}", describe(graph, nodes[i].node), nodes[i].reason);
  }
  if (nodes.size() > kShown) list += fmt::format("\n  and {} more", nodes.size() - kShown);
  throw Error(ErrorCode::unsupported,
              fmt::format("{} cannot be written as {}:{}", count_of(nodes.size(), "node"), exporter.name, list));
}

std::vector<std::filesystem::path> export_model(const Graph& graph, const Exporter& exporter,
                                                const std::filesystem::path& output, const SaveOptions& options) {
  require_ending(exporter, output);
  auto files = exporter.write(graph, output, options);
  if (formats::format_for(output) != nullptr) load_model(output);
  return files;
}

void save_model(const Graph& graph, const std::filesystem::path& path, const SaveOptions& options) {
  required_for(path).write(graph, path, options);
}

std::vector<std::byte> model_bytes(const Graph& graph, std::string_view format) {
  const Exporter& exporter = exporter_named(format);
  if (exporter.bytes != nullptr) return exporter.bytes(graph);
  throw Error(ErrorCode::unsupported,
              fmt::format("a model in the format '{}' is several files: save it to a folder", format));
}

}  // namespace octavo
