// Convolutions and pooling over one dimension: [1, c, w] in ONNX, blobs of c and w in ncnn. All of it in float.
#include <algorithm>

#include "one_dimension.h"

namespace octavo::formats::ncnn {
namespace {

constexpr std::int32_t kValid = 1;

Window window_of(const LayerWriter& writer, NodeId id, std::int64_t kernel) {
  const auto shape = writer.graph().value(writer.node(id).input(0)).static_shape();
  if (!shape) throw NoLayer{"the size of its input is not known"};
  const std::array sizes{kernel};
  return window_geometry(writer.node(id), sizes, std::span(*shape).subspan(2)).front();
}

}  // namespace

void write_conv_1d(LayerWriter& writer, NodeId id) {
  const Tensor& weight = writer.constant(id, 1);
  const std::int64_t groups = writer.node(id).int_or("group", 1);
  const Window window = window_of(writer, id, weight.dim(2));
  if (window.pad_begin < 0 || window.pad_end < 0) throw NoLayer{"it pads by less than nothing"};
  Layer& layer = writer.add(groups > 1 ? "ConvolutionDepthWise1D" : "Convolution1D", id);
  layer.params.set(0, static_cast<std::int32_t>(weight.dim(0)));
  layer.params.set(1, static_cast<std::int32_t>(window.kernel));
  layer.params.set(2, window.dilation, 1);
  layer.params.set(3, window.stride, 1);
  layer.params.set(4, window.pad_begin, 0);
  layer.params.set(15, window.pad_end, window.pad_begin);
  layer.params.set(6, static_cast<std::int32_t>(weight.size()));
  layer.params.set(7, groups, 1);
  layer.weights.push_back({Blob::Kind::tagged, weight});
  if (const Tensor* bias = writer.optional_constant(id, 2)) {
    layer.params.set(5, std::int32_t{1});
    layer.weights.push_back({Blob::Kind::plain, *bias});
  }
  writer.fuse_activation(id, layer);
}

void write_pooling_1d(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  const bool average = node.op_type == "AveragePool";
  const auto kernel = node.ints_or("kernel_shape", {});
  if (kernel.size() != 1) throw NoLayer{"its windows are not those of one dimension"};
  if (node.output(1) != kNoValue) throw NoLayer{"it gives indices as well"};
  const Window w = window_of(writer, id, kernel.front());
  if (w.dilation != 1) throw NoLayer{"its windows are dilated"};
  const bool counts_pads = average && node.int_or("count_include_pad", 0) != 0;
  const std::int64_t size = writer.blob_shape(node.input(0)).back();
  const std::int64_t tail = (w.output - 1) * w.stride + w.kernel - (size + w.pad_begin + w.pad_end);
  if (tail > 0 && counts_pads) throw NoLayer{"it counts pads, but not those of a window that leaves the input"};
  Layer& layer = writer.add("Pooling1D", id);
  layer.params.set(0, average ? 1 : 0, 0);
  layer.params.set(1, static_cast<std::int32_t>(w.kernel));
  layer.params.set(2, w.stride, 1);
  layer.params.set(3, w.pad_begin, 0);
  layer.params.set(14, w.pad_end + std::max<std::int64_t>(tail, 0), w.pad_begin);
  layer.params.set(5, kValid);
  layer.params.set(6, counts_pads ? 1 : 0, 0);
}

}  // namespace octavo::formats::ncnn
