#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "layer_reader.h"
#include "octavo/core/rounding.h"

namespace octavo::formats::ncnn {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kLargestWindow = 1 << 16;
constexpr std::int32_t kSameUpper = -233;
constexpr std::int32_t kSameLower = -234;
constexpr std::int32_t kRequantizes = 100;
constexpr float kLargestInteger = 127.0F;

/// Kernel, stride and dilation, height first.
struct Geometry {
  std::vector<std::int64_t> kernel, dilations, strides;
};

std::vector<std::int64_t> height_and_width(const Params& params, int width_id, int height_id, std::int32_t fallback) {
  const std::int32_t width = params.int_or(width_id, fallback);
  return {checked("a height of kernel, stride or dilation", params.int_or(height_id, width), 1, kLargestWindow),
          checked("a width of kernel, stride or dilation", width, 1, kLargestWindow)};
}

Geometry geometry_of(const Params& params) {
  return {height_and_width(params, 1, 11, 0), height_and_width(params, 2, 12, 1), height_and_width(params, 3, 13, 1)};
}

/// As ONNX's attributes; `auto_pad` where the sizes decide.
struct ReadPads {
  std::vector<std::int64_t> pads;
  std::string auto_pad = "NOTSET";
};

ReadPads pads_of(const Params& params) {
  const std::int32_t left = params.int_or(4, 0);
  if (left == kSameUpper) return {{0, 0, 0, 0}, "SAME_UPPER"};
  if (left == kSameLower) return {{0, 0, 0, 0}, "SAME_LOWER"};
  const std::int32_t top = params.int_or(14, left);
  ReadPads pads;
  for (const std::int32_t pad : {top, left, params.int_or(16, top), params.int_or(15, left)}) {
    pads.pads.push_back(checked("a padding", pad, 0, kLargestWindow));
  }
  return pads;
}

/// Sizes that a convolution's weight has by its parameters.
struct WeightSize {
  std::int64_t outputs = 0, inputs = 0, groups = 1;  ///< inputs: of a group
};

WeightSize weight_size(const Layer& layer, const Geometry& geometry, bool grouped) {
  const Params& params = layer.params;
  WeightSize size;
  size.outputs = checked("the number of outputs", params.int_or(0, 0), 1, kLargest);
  size.groups = grouped ? checked("the number of groups", params.int_or(7, 1), 1, size.outputs) : 1;
  const std::int64_t count = checked("the number of weights", params.int_or(6, 0), 1, kLargest);
  const std::int64_t each = geometry.kernel[0] * geometry.kernel[1];
  if (each > count || count % (size.outputs * each) != 0 || size.outputs % size.groups != 0) {
    LayerReader::contradict(fmt::format("{} weights are not those of {} outputs in {} groups, of {}x{} each", count,
                                        size.outputs, size.groups, geometry.kernel[0], geometry.kernel[1]));
  }
  size.inputs = count / (size.outputs * each);
  return size;
}

/// Weights that the file left in float, as the runtime rounds them when it loads them.
Tensor rounded(const Tensor& weight, std::span<const float> scales) {
  Tensor integers(DType::i8, weight.shape(), true);
  const auto from = weight.data<float>();
  const auto to = integers.mutable_data<std::int8_t>();
  const std::size_t each = from.size() / scales.size();
  for (std::size_t i = 0; i < from.size(); ++i) {
    const float steps = round_half_away(from[i] * scales[i / each]);
    to[i] = std::isnan(steps) ? std::int8_t{0}
                              : static_cast<std::int8_t>(std::clamp(steps, -kLargestInteger, kLargestInteger));
  }
  return integers;
}

/// Scales of weights and input behind weights and bias in the file.
struct Scales {
  std::vector<float> weight;
  float input = 1.0F;
  std::optional<float> output;
};

Scales read_scales(LayerReader& reader, std::int64_t weights, bool requantizes) {
  Scales scales;
  const Tensor weight = reader.bin().plain(weights);
  scales.weight.assign(weight.data<float>().begin(), weight.data<float>().end());
  scales.input = reader.bin().plain(1).data<float>().front();
  if (requantizes) scales.output = reader.bin().plain(1).data<float>().front();
  return scales;
}

/// Weights of int8 behind DequantizeLinear. A scale of 0 or beyond floats stands for a channel that counts for nothing.
ValueId restored_weight(LayerReader& reader, const Layer& layer, Tensor weight, const Scales& scales,
                        std::int64_t outputs) {
  if (weight.dtype() == DType::f32) weight = rounded(weight, scales.weight);
  const std::size_t repeat = static_cast<std::size_t>(outputs) / scales.weight.size();
  std::vector<float> steps;
  for (std::size_t i = 0; i < static_cast<std::size_t>(outputs); ++i) {
    const float scale = scales.weight[i / repeat];
    const float step = 1.0F / scale;
    if (std::isnan(scale) || scale < 0.0F || (scale > 0.0F && !std::isfinite(step))) {
      LayerReader::contradict(fmt::format("the scale {} of weights is not above zero", scale));
    }
    // No step is 0 in ONNX: the smallest is as good.
    steps.push_back(std::isfinite(step) && step > 0.0F ? step : std::numeric_limits<float>::min());
  }
  const bool one = std::adjacent_find(steps.begin(), steps.end(), std::not_equal_to<>()) == steps.end();
  if (one) steps.resize(1);
  const Shape shape = one ? Shape{} : Shape{outputs};
  const ValueId integers = reader.constant(layer, "weight_quantized", std::move(weight));
  const ValueId step =
      reader.constant(layer, "weight_scale", Tensor::from<float>(shape, std::span<const float>(steps)));
  const ValueId zero = reader.constant(layer, "weight_zero_point", Tensor(DType::i8, shape));
  if (one) return reader.emit(layer, "DequantizeLinear", {integers, step, zero});
  return reader.emit(layer, "DequantizeLinear", {integers, step, zero}, {{"axis", std::int64_t{0}}});
}

void finish_convolution(LayerReader& reader, const Layer& layer, const ReadBlob& input, ValueId value,
                        const WeightSize& size, std::optional<float> output_scale) {
  ReadBlob blob = input;
  blob.value = read_activation(reader, layer, value);
  blob.outermost = size.outputs;
  blob.integer = false;
  reader.finish(layer, blob);
  if (!output_scale) return;
  blob.value = reader.pair(layer, blob.value, *output_scale);
  blob.integer = true;
  reader.replace(layer, blob);
}

/// Convolutions read blobs of channels; one dimension is a picture of one element.
ReadBlob image(LayerReader& reader, const Layer& layer, std::int64_t channels) {
  ReadBlob input = reader.bottom(layer);
  if (input.dims == 1 && !input.pooled) {
    input.value = reader.emit(layer, "Reshape", {input.value, reader.ints(layer, "shape", {1, channels, 1, 1})});
    input.pooled = true;
    input.integer = false;
  }
  if (!input.pooled) reader.require_dims(input, 3, 3);
  return input;
}

void read_convolution_of(LayerReader& reader, const Layer& layer, bool grouped) {
  const Params& params = layer.params;
  if (params.int_or(19, 0) != 0) LayerReader::refuse("its weights are computed at run time");
  if (params.float_or(18, 0.0F) != 0.0F) LayerReader::refuse("it pads with another value than 0");
  const Geometry geometry = geometry_of(params);
  const ReadPads pads = pads_of(params);
  const WeightSize size = weight_size(layer, geometry, grouped);
  Tensor weight = reader.bin()
                      .tagged(params.int_or(6, 0))
                      .reshaped({size.outputs, size.inputs, geometry.kernel[0], geometry.kernel[1]});
  ValueId bias = kNoValue;
  if (params.int_or(5, 0) != 0) bias = reader.constant(layer, "bias", reader.bin().plain(size.outputs));
  const std::int32_t term = params.int_or(8, 0);
  ReadBlob input = image(reader, layer, size.inputs * size.groups);
  std::vector<ValueId> inputs{input.value};
  std::optional<float> output_scale;
  if (term == 0) {
    if (weight.dtype() != DType::f32) LayerReader::contradict("its weights are int8, and it has no scales");
    inputs.push_back(reader.constant(layer, "weight", std::move(weight)));
  } else {
    if (term != 1 && term != 2 && term != 1 + kRequantizes && term != 2 + kRequantizes) {
      LayerReader::contradict(fmt::format("parameter 8 is {}, expected 1, 2, 101 or 102", term));
    }
    const bool one = grouped && term % kRequantizes == 2;
    const Scales scales = read_scales(reader, one ? 1 : grouped ? size.groups : size.outputs, term > kRequantizes);
    output_scale = scales.output;
    if (!input.integer) inputs[0] = reader.pair(layer, input.value, scales.input);
    inputs.push_back(restored_weight(reader, layer, std::move(weight), scales, size.outputs));
  }
  if (bias != kNoValue) inputs.push_back(bias);
  const ValueId value = pads.auto_pad == "NOTSET" ? reader.emit(layer, "Conv", std::move(inputs),
                                                                {{"kernel_shape", geometry.kernel},
                                                                 {"strides", geometry.strides},
                                                                 {"dilations", geometry.dilations},
                                                                 {"pads", pads.pads},
                                                                 {"group", size.groups}})
                                                  : reader.emit(layer, "Conv", std::move(inputs),
                                                                {{"kernel_shape", geometry.kernel},
                                                                 {"strides", geometry.strides},
                                                                 {"dilations", geometry.dilations},
                                                                 {"auto_pad", pads.auto_pad},
                                                                 {"group", size.groups}});
  finish_convolution(reader, layer, input, value, size, output_scale);
}

void read_convolution(LayerReader& reader, const Layer& layer) { read_convolution_of(reader, layer, false); }
void read_grouped_convolution(LayerReader& reader, const Layer& layer) { read_convolution_of(reader, layer, true); }

/// [outputs][inputs of the group][h][w] to ONNX's [inputs][outputs of the group][h][w].
Tensor inputs_first(const Tensor& weight, const WeightSize& size) {
  const std::int64_t outputs = size.outputs / size.groups;
  const std::int64_t kernel = weight.dim(2) * weight.dim(3);
  Tensor result(DType::f32, {size.inputs * size.groups, outputs, weight.dim(2), weight.dim(3)}, true);
  const float* const from = weight.data<float>().data();
  float* to = result.mutable_data<float>().data();
  for (std::int64_t g = 0; g < size.groups; ++g) {
    for (std::int64_t i = 0; i < size.inputs; ++i) {
      for (std::int64_t o = 0; o < outputs; ++o) {
        to = std::copy_n(from + ((g * outputs + o) * size.inputs + i) * kernel, kernel, to);
      }
    }
  }
  return result;
}

void read_deconvolution_of(LayerReader& reader, const Layer& layer, bool grouped) {
  const Params& params = layer.params;
  if (params.int_or(28, 0) != 0) LayerReader::refuse("its weights are computed at run time");
  const Geometry geometry = geometry_of(params);
  const ReadPads pads = pads_of(params);
  if (pads.auto_pad != "NOTSET" || params.int_or(20, 0) != 0) {
    LayerReader::refuse("its pads follow from the size of its output");
  }
  const WeightSize size = weight_size(layer, geometry, grouped);
  const Tensor weight = reader.bin()
                            .tagged(params.int_or(6, 0))
                            .reshaped({size.outputs, size.inputs, geometry.kernel[0], geometry.kernel[1]});
  if (weight.dtype() != DType::f32) LayerReader::contradict("its weights are int8, which ncnn's layer has not");
  std::vector<ValueId> inputs{image(reader, layer, size.inputs * size.groups).value,
                              reader.constant(layer, "weight", inputs_first(weight, size))};
  if (params.int_or(5, 0) != 0) inputs.push_back(reader.constant(layer, "bias", reader.bin().plain(size.outputs)));
  const std::int32_t right = params.int_or(18, 0);
  const std::vector<std::int64_t> more{checked("an output padding", params.int_or(19, right), 0, kLargestWindow),
                                       checked("an output padding", right, 0, kLargestWindow)};
  const ValueId value = reader.emit(layer, "ConvTranspose", std::move(inputs),
                                    {{"kernel_shape", geometry.kernel},
                                     {"strides", geometry.strides},
                                     {"dilations", geometry.dilations},
                                     {"pads", pads.pads},
                                     {"output_padding", more},
                                     {"group", size.groups}});
  ReadBlob result;
  result.dims = 3;
  finish_convolution(reader, layer, result, value, size, std::nullopt);
}

void read_deconvolution(LayerReader& reader, const Layer& layer) { read_deconvolution_of(reader, layer, false); }
void read_grouped_deconvolution(LayerReader& reader, const Layer& layer) { read_deconvolution_of(reader, layer, true); }

void read_inner_product(LayerReader& reader, const Layer& layer) {
  const Params& params = layer.params;
  WeightSize size;
  size.outputs = checked("the number of outputs", params.int_or(0, 0), 1, kLargest);
  const std::int64_t count = checked("the number of weights", params.int_or(2, 0), 1, kLargest);
  if (count % size.outputs != 0) LayerReader::contradict(fmt::format("{} weights for {} outputs", count, size.outputs));
  size.inputs = count / size.outputs;
  Tensor weight = reader.bin().tagged(count).reshaped({size.outputs, size.inputs});
  ValueId bias = kNoValue;
  if (params.int_or(1, 0) != 0) bias = reader.constant(layer, "bias", reader.bin().plain(size.outputs));
  const ReadBlob& input = reader.bottom(layer);
  reader.require_dims(input, 1, 3);
  // A matrix whose rows are as long as the weight's is one of samples; all else is one sample, flattened.
  const bool rows = input.dims == 2 && reader.shape_of(input).back() == size.inputs && reader.shape_of(input)[0] > 1;
  const bool flattens = input.dims > 1 && !rows;
  ValueId value =
      flattens ? reader.emit(layer, "Flatten", {input.value}, {{"axis", std::int64_t{1}}}) : reader.plain(input);
  ValueId matrix = kNoValue;
  if (params.int_or(8, 0) == 0) {
    if (weight.dtype() != DType::f32) LayerReader::contradict("its weights are int8, and it has no scales");
    matrix = reader.constant(layer, "weight", std::move(weight));
  } else {
    const Scales scales = read_scales(reader, size.outputs, false);
    if (!input.integer) value = reader.pair(layer, value, scales.input);
    matrix = restored_weight(reader, layer, std::move(weight), scales, size.outputs);
  }
  if (rows) {
    const ValueId columns = reader.emit(layer, "Transpose", {matrix}, {{"perm", std::vector<std::int64_t>{1, 0}}});
    value = reader.emit(layer, "MatMul", {value, columns});
    if (bias != kNoValue) value = reader.emit(layer, "Add", {value, bias});
  } else {
    std::vector<ValueId> inputs{value, matrix};
    if (bias != kNoValue) inputs.push_back(bias);
    value = reader.emit(layer, "Gemm", std::move(inputs), {{"transB", std::int64_t{1}}});
  }
  ReadBlob result;
  result.dims = rows ? 2 : 1;
  result.outermost = rows ? input.outermost : size.outputs;
  result.value = read_activation(reader, layer, value);
  reader.finish(layer, result);
}

}  // namespace

std::span<const ReadRule> convolution_readers() {
  static constexpr std::array kRules{
      ReadRule{"Convolution", &read_convolution},     ReadRule{"ConvolutionDepthWise", &read_grouped_convolution},
      ReadRule{"Deconvolution", &read_deconvolution}, ReadRule{"DeconvolutionDepthWise", &read_grouped_deconvolution},
      ReadRule{"InnerProduct", &read_inner_product},
  };
  return kRules;
}

}  // namespace octavo::formats::ncnn
