#include "tensorrt/tensorrt_exporters.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "octavo/error.h"
#include "onnx/writer.h"
#include "qdq.h"
#include "tensorrt/ranges.h"

namespace octavo::formats {
namespace {

std::vector<std::byte> pair_bytes(const Graph& graph) {
  require_supported(kTensorRtExporter, graph);
  return onnx_file::write_model(graph);
}

std::vector<std::filesystem::path> write_pairs(const Graph& graph, const std::filesystem::path& output,
                                               const SaveOptions& options) {
  require_supported(kTensorRtExporter, graph);
  return onnx_file::write_model(graph, output, options);
}

std::vector<std::filesystem::path> write_ranges(const Graph& graph, const std::filesystem::path& output,
                                                const std::string& text) {
  std::filesystem::path model = output;
  model.replace_filename(output.stem().string() + "_float.onnx");
  const auto characters = std::as_bytes(std::span(text));
  std::vector<FileContent> files(2);
  files[0].path = output;
  files[0].bytes.assign(characters.begin(), characters.end());
  files[1].path = model;
  files[1].bytes = onnx_file::write_model(without_pairs(graph));
  write_whole(files);
  return {output, model};
}

/// A file without ranges would let the runtime choose its own, or none.
std::vector<tensorrt::TensorScale> required_scales(const Graph& graph) {
  std::vector<tensorrt::TensorScale> scales = tensorrt::activation_scales(graph);
  if (!scales.empty()) return scales;
  throw Error(ErrorCode::unsupported,
              fmt::format("no activation of '{}' has a scale, so there is no range to write: TensorRT takes ranges "
                          "that are measured beforehand; quantize the float model with --to tensorrt",
                          graph.name));
}

std::vector<std::filesystem::path> write_cache(const Graph& graph, const std::filesystem::path& output,
                                               const SaveOptions& options) {
  require_supported(kTensorRtCacheExporter, graph);
  return write_ranges(graph, output, tensorrt::calibration_cache(required_scales(graph), options.runtime_version));
}

std::vector<std::filesystem::path> write_json(const Graph& graph, const std::filesystem::path& output,
                                              const SaveOptions& /*options*/) {
  require_supported(kTensorRtJsonExporter, graph);
  return write_ranges(graph, output, tensorrt::dynamic_ranges(required_scales(graph)));
}

}  // namespace

const Exporter kTensorRtExporter = {.name = "tensorrt",
                                    .description =
                                        "ONNX with QuantizeLinear and DequantizeLinear as TensorRT wants it; versions "
                                        "before 10 need --weight-storage floats",
                                    .backend = "tensorrt",
                                    .ending = ".onnx",
                                    .only_for_backend = true,
                                    .reads_opset = true,
                                    .reads_weight_storage = true,
                                    .integers_for_float_operators = true,
                                    .unsupported = tensorrt::unsupported,
                                    .write = write_pairs,
                                    .bytes = pair_bytes};

const Exporter kTensorRtCacheExporter = {.name = "tensorrt-cache",
                                         .description = "TensorRT's calibration cache, with the float ONNX it is for",
                                         .backend = "tensorrt",
                                         .ending = ".cache",
                                         .only_for_backend = true,
                                         .reads_opset = true,
                                         .reads_runtime_version = true,
                                         .unsupported = tensorrt::unsupported,
                                         .write = write_cache,
                                         .bytes = nullptr};

const Exporter kTensorRtJsonExporter = {.name = "tensorrt-json",
                                        .description = "dynamic ranges for TensorRT, with the float ONNX they are for",
                                        .backend = "tensorrt",
                                        .ending = ".json",
                                        .only_for_backend = true,
                                        .reads_opset = true,
                                        .unsupported = tensorrt::unsupported,
                                        .write = write_json,
                                        .bytes = nullptr};

}  // namespace octavo::formats
