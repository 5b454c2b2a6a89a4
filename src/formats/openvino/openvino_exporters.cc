#include "openvino/openvino_exporters.h"

#include <utility>
#include <vector>

#include "onnx/writer.h"
#include "openvino/fake_quantize.h"
#include "openvino/wide_integers.h"

namespace octavo::formats {
namespace {

std::vector<std::filesystem::path> write_pairs(const Graph& graph, const std::filesystem::path& output,
                                               const SaveOptions& options) {
  require_supported(kOpenVinoExporter, graph);
  return onnx_file::write_model(graph, output, options);
}

std::vector<std::byte> pair_bytes(const Graph& graph) {
  require_supported(kOpenVinoExporter, graph);
  return onnx_file::write_model(graph);
}

std::vector<UnsupportedNode> without_fake_quantize(const Graph& graph) {
  std::vector<UnsupportedNode> nodes = openvino::unsupported(graph);
  for (UnsupportedNode& node : openvino::wide_integers(graph)) nodes.push_back(std::move(node));
  return nodes;
}

std::vector<std::filesystem::path> write(const Graph& graph, const std::filesystem::path& output,
                                         const SaveOptions& options) {
  require_supported(kFakeQuantizeExporter, graph);
  return onnx_file::write_model(openvino::to_fake_quantize(graph), output, options);
}

std::vector<std::byte> bytes(const Graph& graph) {
  require_supported(kFakeQuantizeExporter, graph);
  return onnx_file::write_model(openvino::to_fake_quantize(graph));
}

}  // namespace

const Exporter kOpenVinoExporter = {.name = "openvino",
                                    .description = "ONNX with QuantizeLinear and DequantizeLinear as OpenVINO wants it",
                                    .backend = "openvino",
                                    .ending = ".onnx",
                                    .reads_opset = true,
                                    .reads_weight_storage = true,
                                    .integers_for_float_operators = true,
                                    .unsupported = openvino::wide_integers,
                                    .write = write_pairs,
                                    .bytes = pair_bytes};

const Exporter kFakeQuantizeExporter = {.name = "openvino-fakequantize",
                                        .description = "ONNX with OpenVINO's FakeQuantize, for OpenVINO alone",
                                        .backend = "openvino",
                                        .ending = ".onnx",
                                        .reads_opset = true,
                                        .integers_for_float_operators = true,
                                        .unsupported = without_fake_quantize,
                                        .write = write,
                                        .bytes = bytes};

}  // namespace octavo::formats
