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

void write(const Graph& graph, const std::filesystem::path& path, const SaveOptions& options) {
  onnx_file::write_model(graph, path, options);
}

std::vector<std::byte> write_bytes(const Graph& graph) { return onnx_file::write_model(graph); }

}  // namespace

const Format kOnnxFormat = {"onnx", ".onnx", sniff, onnx_file::read_model, write, write_bytes, onnx_file::written_size};

}  // namespace octavo::formats
