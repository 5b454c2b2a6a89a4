// Convolutions and pooling over one dimension, whose blobs have two: channels and width.
#include <fmt/format.h>

#include <array>

#include "layer_reader.h"

namespace octavo::formats::ncnn {
namespace {

constexpr std::int64_t kLargest = 1 << 30;
constexpr std::int64_t kLargestWindow = 1 << 16;

using Sizes = std::vector<std::int64_t>;

Sizes pads_of(const Params& params, int left_id, int right_id) {
  const std::int32_t left = params.int_or(left_id, 0);
  return {checked("a padding", left, 0, kLargestWindow),
          checked("a padding", params.int_or(right_id, left), 0, kLargestWindow)};
}

void read_convolution(LayerReader& reader, const Layer& layer, bool grouped) {
  const Params& params = layer.params;
  if (params.int_or(19, 0) != 0) LayerReader::refuse("its weights are computed at run time");
  if (params.float_or(18, 0.0F) != 0.0F) LayerReader::refuse("it pads with another value than 0");
  const Sizes pads = pads_of(params, 4, 15);
  const Sizes kernel{checked("a kernel", params.int_or(1, 0), 1, kLargestWindow)};
  const Sizes strides{checked("a stride", params.int_or(3, 1), 1, kLargestWindow)};
  const Sizes dilations{checked("a dilation", params.int_or(2, 1), 1, kLargestWindow)};
  const std::int64_t outputs = checked("the number of outputs", params.int_or(0, 0), 1, kLargest);
  const std::int64_t groups = grouped ? checked("the number of groups", params.int_or(7, 1), 1, outputs) : 1;
  const std::int64_t count = checked("the number of weights", params.int_or(6, 0), 1, kLargest);
  if (count % (outputs * kernel[0]) != 0 || outputs % groups != 0) {
    LayerReader::contradict(fmt::format("{} weights are not those of {} outputs in {} groups, of {} each", count,
                                        outputs, groups, kernel[0]));
  }
  const ReadBlob& input = reader.bottom(layer);
  reader.require_dims(input, 2, 2);
  Tensor weight = reader.bin().tagged(count).reshaped({outputs, count / (outputs * kernel[0]), kernel[0]});
  if (weight.dtype() != DType::f32) LayerReader::contradict("its weights are int8, which ncnn's layer has not");
  std::vector<ValueId> inputs{input.value, reader.constant(layer, "weight", std::move(weight))};
  if (params.int_or(5, 0) != 0) inputs.push_back(reader.constant(layer, "bias", reader.bin().plain(outputs)));
  const ValueId value = reader.emit(
      layer, "Conv", std::move(inputs),
      {{"kernel_shape", kernel}, {"strides", strides}, {"dilations", dilations}, {"pads", pads}, {"group", groups}});
  ReadBlob result = input;
  result.outermost = outputs;
  result.integer = false;
  result.value = read_activation(reader, layer, value);
  reader.finish(layer, result);
}

void read_plain_convolution(LayerReader& reader, const Layer& layer) { read_convolution(reader, layer, false); }
void read_grouped_convolution(LayerReader& reader, const Layer& layer) { read_convolution(reader, layer, true); }

void read_pooling(LayerReader& reader, const Layer& layer) {
  constexpr std::int32_t kValid = 1;
  const Params& params = layer.params;
  if (params.int_or(4, 0) != 0 || params.int_or(7, 0) != 0 || params.int_or(5, 0) != kValid) {
    LayerReader::refuse("global, adaptive or full windows over one dimension");
  }
  const bool average = checked("the kind of pooling", params.int_or(0, 0), 0, 1) == 1;
  const ReadBlob& input = reader.bottom(layer);
  reader.require_dims(input, 2, 2);
  const Sizes kernel{checked("a size of its windows", params.int_or(1, 0), 1, kLargestWindow)};
  const Sizes strides{checked("a stride", params.int_or(2, 1), 1, kLargestWindow)};
  const ValueId value = reader.emit(layer, average ? "AveragePool" : "MaxPool", {input.value},
                                    {{"kernel_shape", kernel}, {"strides", strides}, {"pads", pads_of(params, 3, 14)}});
  if (average) {
    auto& attributes = reader.graph().mutable_node(reader.graph().producer(value)).attributes;
    attributes["count_include_pad"] = std::int64_t{params.int_or(6, 0) != 0 ? 1 : 0};
  }
  reader.finish_like(layer, input, value);
}

}  // namespace

std::span<const ReadRule> one_dimension_readers() {
  static constexpr std::array kRules{
      ReadRule{"Convolution1D", &read_plain_convolution},
      ReadRule{"ConvolutionDepthWise1D", &read_grouped_convolution},
      ReadRule{"Pooling1D", &read_pooling},
  };
  return kRules;
}

}  // namespace octavo::formats::ncnn
