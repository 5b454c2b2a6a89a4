#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "layer_writer.h"
#include "one_dimension.h"

namespace octavo::formats::ncnn {
namespace {

constexpr std::size_t kSpatial = 2;
constexpr int kSameUpper = -233;
constexpr int kSameLower = -234;

/// The term of ConvolutionDepthWise with a scale a group, and of the others.
constexpr std::int32_t kScaleAGroup = 1;
constexpr std::int32_t kScaleAnOutput = 2;
/// Added where the layer's output is int8 as well.
constexpr std::int32_t kRequantizes = 100;

void set_kernel(Params& params, const Node& node, const Tensor& weight) {
  const auto strides = node.ints_or("strides", {1, 1});
  const auto dilations = node.ints_or("dilations", {1, 1});
  if (strides.size() != kSpatial || dilations.size() != kSpatial) throw NoLayer{"its strides are not two numbers"};
  params.set(1, static_cast<std::int32_t>(weight.dim(3)));
  params.set(11, weight.dim(2), weight.dim(3));
  params.set(2, dilations[1], 1);
  params.set(12, dilations[0], dilations[1]);
  params.set(3, strides[1], 1);
  params.set(13, strides[0], strides[1]);
}

struct Pads {
  std::int64_t left = 0, right = 0, top = 0, bottom = 0;
};

void set_pads(Params& params, const Pads& pads) {
  if (std::min({pads.left, pads.right, pads.top, pads.bottom}) < 0) throw NoLayer{"it pads by less than nothing"};
  params.set(4, pads.left, 0);
  params.set(15, pads.right, pads.left);
  params.set(14, pads.top, pads.left);
  params.set(16, pads.bottom, pads.top);
}

void set_conv_pads(LayerWriter& writer, NodeId id, const Tensor& weight, Params& params) {
  const Node& node = writer.node(id);
  const std::string auto_pad = node.string_or("auto_pad", "NOTSET");
  const auto shape = writer.graph().value(node.input(0)).static_shape();
  if (auto_pad.starts_with("SAME") && !shape) {
    params.set(4, auto_pad == "SAME_UPPER" ? kSameUpper : kSameLower);
    return;
  }
  if (auto_pad.starts_with("SAME")) {
    const auto windows = window_geometry(node, std::span(weight.shape()).subspan(2), std::span(*shape).subspan(2));
    set_pads(params, {windows[1].pad_begin, windows[1].pad_end, windows[0].pad_begin, windows[0].pad_end});
    return;
  }
  const auto pads = node.ints_or("pads", {0, 0, 0, 0});
  if (pads.size() != 2 * kSpatial) throw NoLayer{"its pads are not four numbers"};
  set_pads(params, {pads[1], pads[3], pads[0], pads[2]});
}

const Tensor& weight_of(const LayerWriter& writer, NodeId id) {
  const Tensor& weight = writer.constant(id, 1);
  if (weight.rank() != kSpatial + 2) {
    throw NoLayer{fmt::format("it runs over {} dimensions, octavo writes convolutions over two",
                              static_cast<std::int64_t>(weight.rank()) - 2)};
  }
  return weight;
}

void add_bias(const LayerWriter& writer, NodeId id, int term, Layer& layer) {
  const Tensor* bias = writer.optional_constant(id, 2);
  if (bias == nullptr) return;
  layer.params.set(term, std::int32_t{1});
  layer.weights.push_back({Blob::Kind::plain, *bias});
}

Tensor floats(std::span<const float> values) {
  return Tensor::from<float>({static_cast<std::int64_t>(values.size())}, values);
}

/// One scale for each of `count` channels or groups, which are `size` scales each in `scales`, or one. A channel of
/// zeros has no meaningful scale: 1 keeps it at its bias.
std::vector<float> spread(const IntegerLayer& layer, std::size_t count) {
  const std::vector<float>& scales = layer.weight_scales;
  const auto weights = layer.weight.data<std::int8_t>();
  const std::size_t size = weights.size() / count;
  std::vector<float> result(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t each = std::max<std::size_t>(scales.size() / count, 1);
    const auto begin = scales.begin() + static_cast<std::ptrdiff_t>(scales.size() == 1 ? 0 : i * each);
    if (std::adjacent_find(begin, begin + static_cast<std::ptrdiff_t>(each), std::not_equal_to<>()) !=
        begin + static_cast<std::ptrdiff_t>(each)) {
      throw NoLayer{"its weight has a scale an output channel, ncnn's grouped convolutions have one a group"};
    }
    const auto channel = weights.subspan(i * size, size);
    const bool zeros = std::all_of(channel.begin(), channel.end(), [](std::int8_t w) { return w == 0; });
    result[i] = zeros ? 1.0F : *begin;
  }
  return result;
}

/// Of int8 convolutions with several channels a group, and a float result, ncnn's x86 kernels leave these
/// uninitialized.
constexpr std::int64_t kBrokenGroupOutputs = 8;

bool is_broken(std::int64_t group_outputs, std::int64_t group_inputs) {
  return group_outputs % kBrokenGroupOutputs == 0 && (group_outputs > 1 || group_inputs > 1);
}

void write_conv(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  if (writer.constant(id, 1).rank() == 3 && writer.integer(id) == nullptr) return write_conv_1d(writer, id);
  const Tensor& weight = weight_of(writer, id);
  const std::int64_t groups = node.int_or("group", 1);
  const IntegerLayer* integer = writer.integer(id);
  Layer& layer = writer.add(groups > 1 ? "ConvolutionDepthWise" : "Convolution", id);
  layer.params.set(0, static_cast<std::int32_t>(weight.dim(0)));
  set_kernel(layer.params, node, weight);
  set_conv_pads(writer, id, weight, layer.params);
  layer.params.set(6, static_cast<std::int32_t>(weight.size()));
  layer.params.set(7, groups, 1);
  layer.weights.push_back({Blob::Kind::tagged, integer == nullptr ? weight : integer->weight});
  add_bias(writer, id, 5, layer);
  if (integer != nullptr) {
    const float output_scale = writer.common_scale(writer.result_of(id));
    if (groups > 1 && output_scale <= 0.0F && is_broken(weight.dim(0) / groups, weight.dim(1))) {
      throw NoLayer{"ncnn's int8 kernel for groups of a multiple of 8 outputs is broken: leave it in float"};
    }
    const std::int32_t term = groups > 1 ? kScaleAGroup : kScaleAnOutput;
    layer.params.set(8, output_scale > 0.0F ? term + kRequantizes : term);
    const auto channels = static_cast<std::size_t>(groups > 1 ? groups : weight.dim(0));
    layer.weights.push_back({Blob::Kind::plain, floats(spread(*integer, channels))});
    layer.weights.push_back({Blob::Kind::plain, floats(std::array{integer->input_scale})});
    if (output_scale > 0.0F) layer.weights.push_back({Blob::Kind::plain, floats(std::array{output_scale})});
  }
  writer.fuse_activation(id, layer);
}

/// ONNX keeps [inputs][outputs of the group][h][w], ncnn [outputs][inputs of the group][h][w].
Tensor outputs_first(const Tensor& weight, std::int64_t groups) {
  const std::int64_t inputs = weight.dim(0) / groups;
  const std::int64_t outputs = weight.dim(1);
  const std::int64_t kernel = weight.dim(2) * weight.dim(3);
  Tensor result(DType::f32, {groups * outputs, inputs, weight.dim(2), weight.dim(3)}, true);
  const float* const from = weight.data<float>().data();
  float* to = result.mutable_data<float>().data();
  for (std::int64_t g = 0; g < groups; ++g) {
    for (std::int64_t o = 0; o < outputs; ++o) {
      for (std::int64_t i = 0; i < inputs; ++i) {
        to = std::copy_n(from + ((g * inputs + i) * outputs + o) * kernel, kernel, to);
      }
    }
  }
  return result;
}

void write_transposed_conv(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  const Tensor& weight = weight_of(writer, id);
  const std::int64_t groups = node.int_or("group", 1);
  const auto shape = writer.graph().value(node.input(0)).static_shape();
  if (!shape) throw NoLayer{"the size of its input is not known"};
  const auto windows =
      transposed_window_geometry(node, std::span(weight.shape()).subspan(2), std::span(*shape).subspan(2));
  // What the output is larger than the kernel reaches gets the bias alone, as by ncnn's output padding.
  std::array<std::int64_t, kSpatial> more{};
  for (std::size_t i = 0; i < kSpatial; ++i) {
    const Window& w = windows.at(i);
    const std::int64_t reach = ((*shape)[i + 2] - 1) * w.stride + (w.kernel - 1) * w.dilation + 1;
    more.at(i) = w.output - (reach - w.pad_begin - w.pad_end);
    if (more.at(i) < 0) throw NoLayer{"its output is smaller than its kernel reaches"};
  }
  Layer& layer = writer.add(groups > 1 ? "DeconvolutionDepthWise" : "Deconvolution", id);
  layer.params.set(0, static_cast<std::int32_t>(weight.dim(1) * groups));
  set_kernel(layer.params, node, weight);
  set_pads(layer.params, {windows[1].pad_begin, windows[1].pad_end, windows[0].pad_begin, windows[0].pad_end});
  layer.params.set(18, more[1], 0);
  layer.params.set(19, more[0], more[1]);
  layer.params.set(6, static_cast<std::int32_t>(weight.size()));
  layer.params.set(7, groups, 1);
  layer.weights.push_back({Blob::Kind::tagged, outputs_first(weight, groups)});
  add_bias(writer, id, 5, layer);
  writer.fuse_activation(id, layer);
}

/// [inputs][outputs] to [outputs][inputs].
template <typename T>
Tensor transposed(const Tensor& matrix) {
  const auto rows = static_cast<std::size_t>(matrix.dim(0));
  const auto columns = static_cast<std::size_t>(matrix.dim(1));
  Tensor result(matrix.dtype(), {matrix.dim(1), matrix.dim(0)}, true);
  const auto from = matrix.data<T>();
  const auto to = result.mutable_data<T>();
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
  }
  return result;
}

/// One bias an output, though ONNX lets it broadcast.
Tensor spread_bias(const Tensor& bias, std::int64_t outputs) {
  if (bias.size() == outputs) return bias.reshaped({outputs});
  if (bias.size() != 1) throw NoLayer{"its bias is a matrix"};
  const std::vector<float> values(static_cast<std::size_t>(outputs), bias.data<float>().front());
  return floats(values);
}

/// Rows of `columns` elements instead of more dimensions.
std::string flattened(LayerWriter& writer, NodeId id, std::int64_t columns) {
  const ValueId input = writer.node(id).input(0);
  if (writer.blob_shape(input).back() != columns) throw NoLayer{"its rows are not as long as its weight's columns"};
  Layer reshape;
  reshape.type = "Reshape";
  reshape.params.set(0, static_cast<std::int32_t>(columns));
  reshape.params.set(1, std::int32_t{-1});
  return writer.add_before(std::move(reshape), id, {writer.blob(input)});
}

/// The dimensions before the rows, behind the layer added last.
void unflatten(LayerWriter& writer, NodeId id, std::int64_t outputs) {
  Layer& linear = writer.last();
  const std::string result = linear.tops.front();
  const std::string rows = writer.rename_top(linear);
  const Shape shape = writer.blob_shape(writer.node(id).output(0));
  Layer reshape;
  reshape.type = "Reshape";
  reshape.params.set(0, static_cast<std::int32_t>(outputs));
  reshape.params.set(1, static_cast<std::int32_t>(shape[shape.size() - 2]));
  if (shape.size() == 4) reshape.params.set(11, static_cast<std::int32_t>(shape[1]));
  reshape.params.set(2, static_cast<std::int32_t>(shape[0]));
  writer.add_behind(std::move(reshape), id, rows, result);
}

void write_linear(LayerWriter& writer, NodeId id, bool outputs_first, const Tensor* bias) {
  const Tensor& weight = writer.constant(id, 1);
  if (weight.rank() != 2) throw NoLayer{fmt::format("its weight has {} dimensions, not two", weight.rank())};
  const ValueId input = writer.node(id).input(0);
  const bool flattens = writer.blob_rank(input) > 2;  // the layer reads a row, or rows
  const std::int64_t outputs = weight.dim(outputs_first ? 0 : 1);
  const IntegerLayer* found = writer.integer(id);
  IntegerLayer integer = found == nullptr ? IntegerLayer{} : *found;
  if (found != nullptr && !outputs_first) integer.weight = transposed<std::int8_t>(integer.weight);
  const std::string rows = flattens ? flattened(writer, id, weight.dim(outputs_first ? 1 : 0)) : "";
  Layer& layer = writer.add("InnerProduct", id);
  if (flattens) layer.bottoms = {rows};
  layer.params.set(0, static_cast<std::int32_t>(outputs));
  layer.params.set(1, bias == nullptr ? 0 : 1, 0);
  layer.params.set(2, static_cast<std::int32_t>(weight.size()));
  layer.weights.push_back({Blob::Kind::tagged, found != nullptr ? integer.weight
                                               : outputs_first  ? weight
                                                                : transposed<float>(weight)});
  if (bias != nullptr) layer.weights.push_back({Blob::Kind::plain, spread_bias(*bias, outputs)});
  if (found != nullptr) {
    layer.params.set(8, kScaleAnOutput);
    layer.weights.push_back({Blob::Kind::plain, floats(spread(integer, static_cast<std::size_t>(outputs)))});
    layer.weights.push_back({Blob::Kind::plain, floats(std::array{integer.input_scale})});
  }
  writer.fuse_activation(id, layer);
  if (flattens) unflatten(writer, id, outputs);
}

void write_gemm(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  if (node.int_or("transA", 0) != 0) throw NoLayer{"it transposes its input"};
  const bool scaled =
      node.float_or("alpha", 1.0F) != 1.0F || (node.input(2) != kNoValue && node.float_or("beta", 1.0F) != 1.0F);
  if (scaled) throw NoLayer{"its alpha or beta is not 1"};
  write_linear(writer, id, node.int_or("transB", 0) != 0, writer.optional_constant(id, 2));
}

void write_matmul(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  if (!writer.graph().value(node.input(1)).is_constant()) {
    const bool same = writer.blob_rank(node.input(0)) == writer.blob_rank(node.input(1)) &&
                      writer.batch_of(node.input(0)) == writer.batch_of(node.input(1));
    if (!same || writer.blob_rank(node.input(0)) < 2) {
      throw NoLayer{"its matrices have different numbers of dimensions, or no batch"};
    }
    writer.add("MatMul", id, node.inputs, node.outputs);
    return;
  }
  write_linear(writer, id, false, nullptr);
}

}  // namespace

std::span<const WriteRule> convolution_rules() {
  static constexpr std::array kRules{
      WriteRule{"Conv", &write_conv},
      WriteRule{"ConvTranspose", &write_transposed_conv},
      WriteRule{"Gemm", &write_gemm},
      WriteRule{"MatMul", &write_matmul},
  };
  return kRules;
}

}  // namespace octavo::formats::ncnn
