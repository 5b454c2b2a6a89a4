#include "onnx/onnx_format.h"

#include "onnx/reader.h"
#include "onnx/writer.h"

namespace octavo::formats {
namespace {

// Writers put ir_version, a small number, first; then comes a field of ModelProto.
bool sniff(std::span<const std::byte> head) {
  constexpr auto kIrVersionKey = std::byte{0x08};
  return head.size() > 2 && head[0] == kIrVersionKey && head[1] > std::byte{0} && head[1] < std::byte{100};
}

Graph read(const Source& source) { return onnx_file::read_model(source.bytes, source.folder); }

std::vector<std::byte> write_bytes(const Graph& graph) { return onnx_file::write_model(graph); }

}  // namespace

const Format kOnnxFormat = {.name = "onnx", .ending = ".onnx", .weights_ending = {}, .sniff = sniff, .read = read};

const Exporter kOnnxExporter = {.name = "onnx",
                                .description = "ONNX with QuantizeLinear and DequantizeLinear",
                                .backend = "onnxruntime",
                                .ending = ".onnx",
                                .reads_opset = true,
                                .reads_weight_storage = true,
                                .integers_for_float_operators = true,
                                .unsupported = nullptr,
                                .write = onnx_file::write_model,
                                .bytes = write_bytes};

}  // namespace octavo::formats
