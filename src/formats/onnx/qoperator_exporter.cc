#include "onnx/qoperator_exporter.h"

#include "onnx/qoperators.h"
#include "onnx/writer.h"

namespace octavo::formats {
namespace {

std::vector<std::filesystem::path> write(const Graph& graph, const std::filesystem::path& output,
                                         const SaveOptions& options) {
  return onnx_file::write_model(onnx_file::to_qoperators(graph), output, options);
}

std::vector<std::byte> bytes(const Graph& graph) { return onnx_file::write_model(onnx_file::to_qoperators(graph)); }

}  // namespace

const Exporter kQOperatorExporter = {.name = "onnx-qoperator",
                                     .description = "ONNX with QLinearConv, QGemm and the like, for ONNX Runtime alone",
                                     .backend = "onnxruntime",
                                     .ending = ".onnx",
                                     .reads_opset = true,
                                     .integers_for_float_operators = true,
                                     .unsupported = nullptr,
                                     .write = write,
                                     .bytes = bytes};

}  // namespace octavo::formats
