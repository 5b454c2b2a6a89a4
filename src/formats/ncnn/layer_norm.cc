// LayerNorm: each row less its mean, over the root of its variance, times factors plus summands.
#include <array>

#include "layer_reader.h"
#include "layer_writer.h"

namespace octavo::formats::ncnn {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 30;

void write_layer_norm(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  const ValueId input = node.input(0);
  const std::size_t rank = writer.blob_rank(input);
  const int axis = writer.blob_axis(input, node.int_or("axis", -1));
  if (rank > 3 || axis + 1 != static_cast<int>(rank)) throw NoLayer{"it runs over other than the last dimension"};
  for (const std::size_t output : {1, 2}) {
    if (node.output(output) != kNoValue) throw NoLayer{"its means or variances are read"};
  }
  const Tensor& factors = writer.constant(id, 1);
  if (factors.size() != writer.blob_shape(input).back())
    throw NoLayer{"its factors are not one for each element of a row"};
  const Tensor* summands = writer.optional_constant(id, 2);
  Layer& layer = writer.add("LayerNorm", id);
  layer.params.set(0, static_cast<std::int32_t>(factors.size()));
  layer.params.set(1, node.float_or("epsilon", 1e-5F));
  layer.params.set(2, std::int32_t{1});
  layer.weights.push_back({Blob::Kind::plain, factors});
  layer.weights.push_back({Blob::Kind::plain, summands != nullptr ? *summands : Tensor(DType::f32, factors.shape())});
}

/// In operators of opset 13, which has no LayerNormalization.
void read_layer_norm(LayerReader& reader, const Layer& layer) {
  const Params& params = layer.params;
  const std::int64_t size = checked("the size of a row", params.int_or(0, 0), 1, kLargest);
  if (params.int_or(2, 1) == 0) LayerReader::refuse("a normalization without factors");
  const ReadBlob& input = reader.bottom(layer);
  reader.require_dims(input, 1, 3);
  if (reader.shape_of(input).back() != size) LayerReader::refuse("a normalization over several dimensions");
  const ValueId factors = reader.constant(layer, "factors", reader.bin().plain(size));
  const ValueId summands = reader.constant(layer, "summands", reader.bin().plain(size));
  const ValueId epsilon = reader.constant(layer, "epsilon", Tensor::scalar(params.float_or(1, 1e-3F)));
  const auto mean = [&](ValueId value) {
    return reader.emit(layer, "ReduceMean", {value}, {{"axes", std::vector<std::int64_t>{-1}}});
  };
  const ValueId source = reader.plain(input);
  const ValueId centred = reader.emit(layer, "Sub", {source, mean(source)});
  const ValueId variance = mean(reader.emit(layer, "Mul", {centred, centred}));
  const ValueId deviation = reader.emit(layer, "Sqrt", {reader.emit(layer, "Add", {variance, epsilon})});
  const ValueId scaled = reader.emit(layer, "Mul", {reader.emit(layer, "Div", {centred, deviation}), factors});
  ReadBlob result = input;
  result.pooled = false;
  reader.finish_like(layer, result, reader.emit(layer, "Add", {scaled, summands}));
}

}  // namespace

std::span<const WriteRule> normalization_rules() {
  static constexpr std::array kRules{WriteRule{"LayerNormalization", &write_layer_norm}};
  return kRules;
}

std::span<const ReadRule> normalization_readers() {
  static constexpr std::array kRules{ReadRule{"LayerNorm", &read_layer_norm}};
  return kRules;
}

}  // namespace octavo::formats::ncnn
