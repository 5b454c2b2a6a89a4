#include "openvino/openvino_exporters.h"

#include "onnx/writer.h"
#include "openvino/fake_quantize.h"

namespace octavo::formats {
namespace {

std::vector<std::byte> pair_bytes(const Graph& graph) { return onnx_file::write_model(graph); }

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
                                    .unsupported = nullptr,
                                    .write = onnx_file::write_model,
                                    .bytes = pair_bytes};

const Exporter kFakeQuantizeExporter = {.name = "openvino-fakequantize",
                                        .description = "ONNX with OpenVINO's FakeQuantize, for OpenVINO alone",
                                        .backend = "openvino",
                                        .ending = ".onnx",
                                        .reads_opset = true,
                                        .unsupported = openvino::unsupported,
                                        .write = write,
                                        .bytes = bytes};

}  // namespace octavo::formats
