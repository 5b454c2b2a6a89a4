#include "onnx/writer.h"

#include <fmt/format.h>

#include <limits>

#include "atomic_file.h"
#include "onnx/compact.h"
#include "onnx/encode.h"
#include "onnx/tensor_codec.h"

namespace octavo::formats::onnx_file {
namespace {

// Protobuf's readers count in int.
constexpr std::uint64_t kLargestMessage = std::numeric_limits<std::int32_t>::max();

/// As it is written.
Graph ordered_graph(const Graph& graph) {
  Graph ordered = compacted(graph);
  ordered.sort();
  return ordered;
}

std::uint64_t constant_bytes(const Graph& graph) {
  std::uint64_t bytes = 0;
  for (const ValueId id : graph.values()) {
    if (const Tensor* const constant = graph.constant(id)) {
      bytes += stored_size(constant->dtype(), static_cast<std::uint64_t>(constant->size()));
    }
  }
  return bytes;
}

void check_size(const EncodedModel& model, std::string_view advice) {
  if (model.size <= kLargestMessage) return;
  throw Error(
      ErrorCode::resource_limit,
      fmt::format("the model has {} bytes, but one protobuf message holds less than 2 GiB: {}", model.size, advice));
}

template <typename Write>
void for_each_stretch(const EncodedModel& model, const Write& write) {
  for (const auto& piece : model.pieces) {
    write(std::as_bytes(std::span(piece.head)));
    write(piece.data);
  }
}

void write_external(const Graph& graph, const ExternalLayout& layout, AtomicFile& file) {
  for (const auto& [id, offset] : layout.offsets) {  // ids and offsets grow together
    file.pad_to(offset);
    const Tensor& constant = *graph.constant(id);
    if (is_4_bit(constant.dtype())) {
      const std::string pairs = packed(constant);
      file.write(std::as_bytes(std::span(pairs)));
    } else {
      file.write({constant.bytes(), constant.byte_size()});
    }
  }
  file.sync();
}

void write_file(const EncodedModel& model, AtomicFile& file) {
  for_each_stretch(model, [&](std::span<const std::byte> bytes) { file.write(bytes); });
  file.sync();
}

}  // namespace

std::vector<std::filesystem::path> write_model(const Graph& graph, const std::filesystem::path& path,
                                               const SaveOptions& options) {
  const Graph ordered = ordered_graph(graph);
  if (constant_bytes(ordered) <= options.external_data_above) {
    const EncodedModel model = encode_model(ordered, {});
    if (model.size <= kLargestMessage) {
      AtomicFile file(path);
      write_file(model, file);
      file.commit();
      return {path};
    }
  }
  std::filesystem::path data_path = path;
  data_path += ".data";
  const ExternalLayout layout = lay_out(ordered, data_path.filename().string());
  const EncodedModel model = encode_model(ordered, layout);
  check_size(model, "fold the constants that nodes hold, so that they can go to a file beside the model");
  AtomicFile data(data_path);
  AtomicFile file(path);
  write_external(ordered, layout, data);
  write_file(model, file);
  data.commit();
  file.commit();
  return {path, data_path};
}

std::vector<std::byte> write_model(const Graph& graph) {
  const Graph ordered = ordered_graph(graph);
  const EncodedModel model = encode_model(ordered, {});
  check_size(model, "save it to a file, which can have another one beside it");
  std::vector<std::byte> bytes;
  bytes.reserve(static_cast<std::size_t>(model.size));
  for_each_stretch(model,
                   [&](std::span<const std::byte> piece) { bytes.insert(bytes.end(), piece.begin(), piece.end()); });
  return bytes;
}

}  // namespace octavo::formats::onnx_file
