#include <fmt/format.h>

#include <array>
#include <span>
#include <utility>

#include "tnn/floats.h"
#include "tnn/integer_weight.h"
#include "tnn/layer_writer.h"

namespace octavo::formats::tnn {
namespace {

constexpr std::string_view kNotRounded =
    "it reads integers and has integer weights, but gives out floats, where TNN's integer layers need a scale of what "
    "they compute";

using Windows = std::vector<Window>;

/// How the text says what a window takes of the borders.
struct Padding {
  std::array<std::int64_t, 2> pads{0, 0};
  std::int64_t type = -1;
  bool separate = false;  ///< by a layer before
};

/// Both ends alike, or what TNN's type 0 computes: as much as the output needs, the odd one at the end.
Padding padding_of(const Windows& windows, std::span<const std::int64_t> sizes) {
  Padding padding;
  bool alike = true;
  bool same = true;
  for (std::size_t d = 0; d < 2; ++d) {
    const Window& w = windows[d];
    padding.pads.at(d) = w.pad_begin;
    alike = alike && w.pad_begin == w.pad_end;
    const std::int64_t along = (w.output - 1) * w.stride + (w.kernel - 1) * w.dilation + 1 - sizes[d];
    same = same && along >= 0 && w.output == (sizes[d] + w.stride - 1) / w.stride && w.pad_begin == along / 2 &&
           w.pad_end >= along - along / 2;
  }
  if (alike) return padding;
  padding.pads = {0, 0};
  padding.type = same ? 0 : -1;
  padding.separate = !same;
  return padding;
}

/// Which activation a convolution takes in: 0 none, 1 ReLU, 2 ReLU6.
int fusable(const LayerWriter& out, NodeId activation) {
  if (activation == kNoNode) return 0;
  const Node& node = out.graph().node(activation);
  if (!node.domain.empty() || node.input(0) != out.output()) return 0;
  if (node.op_type == "Relu") return 1;
  if (node.op_type != "Clip") return 0;
  const auto limits = clip_limits(out.view(), node);
  return limits && limits->min == 0.0F && limits->max == 6.0F ? 2 : 0;
}

struct Convolution {
  Shape input;
  Shape weight;
  Windows windows;
  std::int64_t group = 1;
  std::int64_t outputs = 1;
  std::int64_t channels = 1;  ///< of the input that an output sums over
  Padding padding;
};

std::vector<std::string> params_of(const Convolution& conv, bool has_bias, int activation) {
  const Window& h = conv.windows[0];
  const Window& w = conv.windows[1];
  return texts_of({conv.group, conv.channels, conv.outputs, h.kernel, w.kernel, h.stride, w.stride,
                   conv.padding.pads[0], conv.padding.pads[1], has_bias ? 1 : 0, conv.padding.type, h.dilation,
                   w.dilation, activation});
}

void require_planes(const LayerWriter& out, const Shape& input, const Shape& weight) {
  if (input.size() == 4 && weight.size() == 4) return;
  out.refuse(fmt::format("TNN's layer has two spatial dimensions; here the input has {} dimensions and the weight {}",
                         input.size(), weight.size()));
}

/// The blob to convolve: padded by a layer of its own where TNN's convolution cannot.
std::string padded(LayerWriter& out, const Convolution& conv, const std::string& blob, bool integer) {
  if (!conv.padding.separate) return blob;
  const Window& h = conv.windows[0];
  const Window& w = conv.windows[1];
  auto params = texts_of({0, 0, h.pad_begin, h.pad_end, w.pad_begin, w.pad_end, 0, 0, 0});
  params.push_back(text_of(0.0F));
  std::string result = out.add_float("Pad", std::vector<std::string>{blob}, std::move(params), kNoValue, {}, "_pad");
  if (integer) out.set_scale(result, *out.view().scale(out.view().source(out.input())));
  return result;
}

Convolution convolution_of(const LayerWriter& out, const Shape& weight) {
  Convolution conv;
  conv.input = out.shape(out.input());
  conv.weight = weight;
  require_planes(out, conv.input, weight);
  conv.group = out.node().int_or("group", 1);
  conv.outputs = weight[0];
  conv.channels = weight[1];
  const std::span<const std::int64_t> sizes = std::span(conv.input).subspan(2);
  conv.windows = window_geometry(out.node(), std::span(weight).subspan(2), sizes);
  conv.padding = padding_of(conv.windows, sizes);
  return conv;
}

void write_integer_conv(LayerWriter& out, const Convolution& conv, int activation, IntegerEnd end) {
  StoredWeight weight = stored_weight(out, 0);
  Resource resource;
  resource.has_bias = weight.bias.rank() > 0;
  resource.buffers = buffers_of(weight);
  const bool fused = end.activation != kNoNode && activation != 0;
  if (fused) out.fuse(end.activation);
  const std::string blob = padded(out, conv, out.integer_blob(out.input()), /*integer=*/true);
  auto params = params_of(conv, resource.has_bias, fused ? activation : 0);
  out.add_integer("Convolution", {blob}, std::move(params), end, std::move(resource));
}

/// Weight and bias in float, as version 2 has them with their dimensions.
Resource float_resource(const LayerWriter& out, const Tensor& weight, std::int64_t outputs) {
  Resource resource;
  resource.buffers.push_back(buffer_of(weight, weight.shape()));
  resource.has_bias = out.input(2) != kNoValue;
  if (!resource.has_bias) return resource;
  const Tensor bias = out.floats(out.input(2), "its bias");
  if (bias.size() != outputs) out.refuse(fmt::format("its bias has {} elements for {} outputs", bias.size(), outputs));
  resource.buffers.push_back(buffer_of(bias, {outputs}));
  return resource;
}

Tensor transposed(const Tensor& matrix) {
  Tensor result(DType::f32, {matrix.dim(1), matrix.dim(0)});
  const auto rows = static_cast<std::size_t>(matrix.dim(0));
  const auto columns = static_cast<std::size_t>(matrix.dim(1));
  const auto from = matrix.data<float>();
  const auto to = result.mutable_data<float>();
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
  }
  return result;
}

std::vector<std::string> inner_product_params(std::int64_t outputs, bool has_bias) {
  constexpr std::int64_t kTransposed = 0;
  constexpr std::int64_t kAxis = 1;
  return texts_of({outputs, has_bias ? 1 : 0, kTransposed, kAxis});
}

void write_inner_product(LayerWriter& out, bool transposed_weight) {
  const Shape input = out.shape(out.input());
  const Shape shape = out.shape(out.input(1));
  if (input.size() != 2 || shape.size() != 2) {
    out.refuse(
        fmt::format("TNN's InnerProduct multiplies a matrix by a constant one; here they have {} and {} "
                    "dimensions",
                    input.size(), shape.size()));
  }
  const std::int64_t axis = transposed_weight ? 0 : 1;
  const std::int64_t outputs = shape[static_cast<std::size_t>(axis)];
  Resource resource;
  if (out.reads_integers({out.input()}) && has_integer_weight(out.view(), out.input(1))) {
    const auto end = out.integer_end(out.output());
    if (!end) out.refuse(std::string(kNotRounded));
    if (out.view().scale(out.view().source(out.input()))->per_channel()) {
      out.refuse("its input has a scale for each channel, where TNN's InnerProduct has one");
    }
    const StoredWeight weight = stored_weight(out, axis);
    resource.buffers = buffers_of(weight);
    const bool has_bias = weight.bias.rank() > 0;
    // Always there, and empty where there is none.
    if (!has_bias) resource.buffers.insert(resource.buffers.begin() + 1, buffer_of(Tensor(DType::i32, {0}), {}));
    return out.add_integer("InnerProduct", {out.integer_blob(out.input())}, inner_product_params(outputs, has_bias),
                           *end, std::move(resource));
  }
  const Tensor weight = out.floats(out.input(1), "its weight");
  resource = float_resource(out, transposed_weight ? weight : transposed(weight), outputs);
  if (!resource.has_bias) resource.buffers.push_back(buffer_of(Tensor(DType::f32, {0}), {}));
  auto params = inner_product_params(outputs, resource.has_bias);
  out.add("InnerProduct", {out.input()}, std::move(params), std::move(resource));
}

}  // namespace

void write_conv(LayerWriter& out) {
  const Convolution conv = convolution_of(out, out.shape(out.input(1)));
  const NodeId reader = out.view().only_reader(out.output());
  const int activation = fusable(out, reader);
  if (out.reads_integers({out.input()}) && has_integer_weight(out.view(), out.input(1))) {
    const auto end = out.integer_end(out.output());
    if (!end) out.refuse(std::string(kNotRounded));
    return write_integer_conv(out, conv, activation, *end);
  }
  Resource resource = float_resource(out, out.floats(out.input(1), "its weight"), conv.outputs);
  auto params = params_of(conv, resource.has_bias, activation);
  const std::string blob = padded(out, conv, out.float_blob(out.input()), /*integer=*/false);
  if (activation != 0) out.fuse(reader);
  const ValueId end = activation != 0 ? out.graph().node(reader).output(0) : out.output();
  out.add_float("Convolution", std::vector<std::string>{blob}, std::move(params), end, std::move(resource));
}

/// In float: TNN has no integer kernel for it.
void write_conv_transpose(LayerWriter& out) {
  Convolution conv;
  conv.input = out.shape(out.input());
  const Tensor weight = out.floats(out.input(1), "its weight");
  require_planes(out, conv.input, weight.shape());
  conv.group = out.node().int_or("group", 1);
  conv.channels = weight.dim(0) / conv.group;
  conv.outputs = weight.dim(1) * conv.group;
  conv.windows = transposed_window_geometry(out.node(), std::span(weight.shape()).subspan(2),
                                            std::span<const std::int64_t>(conv.input).subspan(2));
  for (std::size_t d = 0; d < 2; ++d) {
    const Window& w = conv.windows[d];
    const std::int64_t reached = (conv.input[d + 2] - 1) * w.stride + (w.kernel - 1) * w.dilation + 1;
    if (w.pad_begin != w.pad_end || w.output != reached - 2 * w.pad_begin) {
      out.refuse("TNN's Deconvolution takes the same from both ends of a dimension, and adds nothing to its output");
    }
    conv.padding.pads.at(d) = w.pad_begin;
  }
  Resource resource = float_resource(out, weight, conv.outputs);
  auto params = params_of(conv, resource.has_bias, 0);
  out.add("Deconvolution", {out.input()}, std::move(params), std::move(resource));
}

void write_gemm(LayerWriter& out) {
  const Node& node = out.node();
  if (node.int_or("transA", 0) != 0) out.refuse("its first matrix is transposed, which TNN's InnerProduct cannot");
  if (node.float_or("alpha", 1.0F) != 1.0F || (node.float_or("beta", 1.0F) != 1.0F && node.input(2) != kNoValue)) {
    out.refuse("its alpha or beta is not 1, which TNN's InnerProduct has no place for");
  }
  write_inner_product(out, node.int_or("transB", 0) != 0);
}

void write_matmul(LayerWriter& out) { write_inner_product(out, /*transposed_weight=*/false); }

}  // namespace octavo::formats::tnn
