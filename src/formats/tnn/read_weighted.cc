#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "tnn/floats.h"
#include "tnn/layer_reader.h"

namespace octavo::formats::tnn {
namespace {

constexpr std::int64_t kMostChannels = std::int64_t{1} << 24;
constexpr std::int64_t kMostKernel = std::int64_t{1} << 16;

struct Geometry {
  std::int64_t group = 1;
  std::int64_t outputs = 1;
  std::vector<std::int64_t> kernel;
  std::vector<std::int64_t> strides;
  std::vector<std::int64_t> pads;
  std::vector<std::int64_t> dilations;
  std::int64_t pad_type = -1;
  std::int64_t activation = 0;
};

Geometry geometry_of(const LayerReader& in) {
  Geometry g;
  g.group = in.integer_within(0, 1, kMostChannels);
  g.outputs = in.integer_within(2, 1, kMostChannels);
  const auto pair = [&](std::size_t at, std::int64_t least, std::optional<std::int64_t> fallback = std::nullopt) {
    return std::vector<std::int64_t>{in.integer_within(at, least, kMostKernel, fallback),
                                     in.integer_within(at + 1, least, kMostKernel, fallback)};
  };
  g.kernel = pair(3, 1);
  g.strides = pair(5, 1);
  const auto pads = pair(7, 0);
  g.pads = {pads[0], pads[1], pads[0], pads[1]};
  g.pad_type = in.integer_within(10, -1, 1, -1);
  g.dilations = pair(11, 1, 1);
  g.activation = in.integer(13, 0);
  if (g.outputs % g.group != 0) in.fail(fmt::format("{} outputs in {} groups", g.outputs, g.group));
  return g;
}

Attributes attributes_of(const Geometry& g) {
  Attributes attributes;
  attributes["group"] = g.group;
  attributes["kernel_shape"] = g.kernel;
  attributes["strides"] = g.strides;
  attributes["dilations"] = g.dilations;
  if (g.pad_type == 0) {
    attributes["auto_pad"] = std::string("SAME_UPPER");
  } else {
    attributes["pads"] = g.pad_type == 1 ? std::vector<std::int64_t>(4, 0) : g.pads;
  }
  return attributes;
}

ValueId activated(LayerReader& in, ValueId value, std::int64_t activation) {
  constexpr std::int64_t kRelu = 1;
  constexpr std::int64_t kRelu6 = 2;
  constexpr std::int64_t kSigmoidMul = 256;
  switch (activation) {
    case 0:
      return value;
    case kRelu:
      return in.add("Relu", {value});
    case kRelu6:
      return in.add("Clip", {value, in.scalar(0.0F), in.scalar(6.0F)});
    case kSigmoidMul:
      return in.add("Mul", {value, in.add("Sigmoid", {value})});
    default:
      in.refuse(fmt::format("its activation {} is not known; 0, 1, 2 and 256 are", activation));
  }
}

/// How many elements share each of `outputs`' first dimension; checks that there are any.
std::int64_t row_of(const LayerReader& in, const Buffer& weight, std::int64_t outputs, std::int64_t inner) {
  const std::int64_t unit = outputs * inner;
  if (!weight.empty() && weight.data.size() % unit == 0) return weight.data.size() / unit;
  in.fail(fmt::format("{} weights do not make {} outputs of {} each", weight.empty() ? 0 : weight.data.size(), outputs,
                      inner));
}

/// The step of the weight alone, so that times the step of the input it gives the stored one again where that can be.
float divided(float product, float step) {
  const float quotient = product / step;
  for (const float direction : {0.0F, std::numeric_limits<float>::max()}) {
    const float neighbour = std::nextafter(quotient, direction);
    if (quotient * step != product && neighbour * step == product) return neighbour;
  }
  return quotient;
}

/// Integers, bias and steps of a layer that runs in integers.
struct IntegerWeight {
  Tensor integers;            ///< of the weight's shape
  Tensor bias;                ///< i32, nothing where there is none
  std::vector<float> handle;  ///< steps of the sums: of the input times of the weight
};

IntegerWeight integer_weight(const LayerReader& in, const Resource& resource, const Buffer* bias, Shape shape) {
  const Buffer& filter = resource.buffers.front();
  const Buffer& scale = resource.buffers.back();
  const std::int64_t outputs = shape.front();
  if (filter.data.dtype() != DType::i8) in.fail("it runs in integers, but its weights are floats");
  if (scale.data.size() != 1 && scale.data.size() != outputs) {
    in.fail(fmt::format("it has {} scales for {} outputs", scale.data.size(), outputs));
  }
  const auto zero_points = resource.buffers[resource.buffers.size() - 2].data.data<std::int8_t>();
  if (std::any_of(zero_points.begin(), zero_points.end(), [](std::int8_t z) { return z != 0; })) {
    in.refuse("its weights have zero points other than 0, which no kernel of TNN for Arm or x86 reads");
  }
  IntegerWeight result;
  result.integers = filter.data.reshaped(std::move(shape));
  const auto handle = scale.data.data<float>();
  result.handle.assign(handle.begin(), handle.end());
  if (bias != nullptr && !bias->empty()) {
    if (bias->data.dtype() != DType::i32 || bias->data.size() != outputs) {
      in.fail(fmt::format("its bias is {} of {}, where {} of i32 are expected", bias->data.size(),
                          name_of(bias->data.dtype()), outputs));
    }
    result.bias = bias->data;
  }
  for (std::size_t o = 0; o < result.handle.size(); ++o) {
    const float step = result.handle[o];
    if (!(step >= 0.0F) || step > std::numeric_limits<float>::max())
      in.fail(fmt::format("its scale {} is {}", o, step));
    if (step > 0.0F) continue;
    // TNN computes zeros with a step of 0: so do zeros with any other.
    result.handle[o] = 1.0F;
    const std::size_t count = static_cast<std::size_t>(result.integers.size()) / result.handle.size();
    const auto integers = result.integers.mutable_data<std::int8_t>();
    std::fill_n(integers.begin() + static_cast<std::ptrdiff_t>(o * count), count, std::int8_t{0});
    if (result.bias.rank() == 0) continue;
    const auto sums = result.bias.mutable_data<std::int32_t>();
    if (result.handle.size() == 1) {
      std::fill(sums.begin(), sums.end(), 0);
    } else {
      sums[o] = 0;
    }
  }
  return result;
}

/// The weight as floats behind DequantizeLinear: its integers stand for the weight times the steps of the input.
ValueId dequantized_weight(LayerReader& in, const IntegerWeight& weight, const BlobScale& input, std::int64_t group) {
  const std::string base = in.layer().name + "_weight";
  const auto outputs = static_cast<std::size_t>(weight.integers.dim(0));
  const auto per_group = static_cast<std::size_t>(weight.integers.dim(1));
  const bool depthwise = per_group == 1 && outputs == static_cast<std::size_t>(group);
  std::vector<float> steps = weight.handle;
  if (!input.per_channel()) {
    for (float& step : steps) step = divided(step, input.scale.front());
    return in.builder().add_dequantized(base, weight.integers, steps, 0);
  }
  if (input.scale.size() != per_group * static_cast<std::size_t>(group)) {
    in.fail(fmt::format("its input has {} scales for {} channels", input.scale.size(),
                        per_group * static_cast<std::size_t>(group)));
  }
  if (depthwise) {
    steps.resize(outputs, steps.front());
    for (std::size_t o = 0; o < outputs; ++o) steps[o] = divided(steps[o], input.scale[o]);
    return in.builder().add_dequantized(base, weight.integers, steps, 0);
  }
  const std::size_t groups = static_cast<std::size_t>(group);
  Tensor inverse(DType::f32, {groups == 1 ? 1 : weight.integers.dim(0), weight.integers.dim(1), 1, 1});
  const auto factors = inverse.mutable_data<float>();
  const std::size_t rows = factors.size() / per_group;
  for (std::size_t o = 0; o < rows; ++o) {
    const std::size_t first = groups == 1 ? 0 : o / (outputs / groups) * per_group;
    for (std::size_t i = 0; i < per_group; ++i) factors[o * per_group + i] = 1.0F / input.scale[first + i];
  }
  const ValueId stored = in.builder().add_dequantized(base, weight.integers, steps, 0);
  return in.builder().add(base + "_Mul", "Mul", {stored, in.constant(std::move(inverse))}, {});
}

void read_integer_convolution(LayerReader& in, const Geometry& g) {
  const Resource& resource = in.required_resource();
  const std::int64_t channels = row_of(in, resource.buffers.front(), g.outputs, g.kernel[0] * g.kernel[1]);
  const Buffer* const bias = resource.has_bias ? &resource.buffers[1] : nullptr;
  const IntegerWeight weight = integer_weight(in, resource, bias, {g.outputs, channels, g.kernel[0], g.kernel[1]});
  std::vector<ValueId> inputs{in.input(), dequantized_weight(in, weight, in.input_scale(), g.group)};
  if (weight.bias.rank() > 0) {
    inputs.push_back(in.builder().add_dequantized(in.layer().name + "_bias", weight.bias, weight.handle, 0));
  }
  in.result(activated(in, in.add("Conv", std::move(inputs), attributes_of(g)), g.activation));
}

void require_floats(const LayerReader& in, const Buffer& weight) {
  if (weight.data.dtype() == DType::i8) in.refuse("its weights are int8, but it does not run in integers");
}

std::vector<ValueId> float_inputs(LayerReader& in, Tensor weight, const Buffer* bias, std::int64_t outputs,
                                  ValueId input) {
  std::vector<ValueId> inputs{input, in.constant(std::move(weight))};
  if (bias == nullptr || bias->empty()) return inputs;
  if (bias->data.size() != outputs) in.fail(fmt::format("{} biases for {} outputs", bias->data.size(), outputs));
  inputs.push_back(in.constant(floats_of(*bias, {outputs})));
  return inputs;
}

}  // namespace

void read_convolution(LayerReader& in) {
  const Geometry g = geometry_of(in);
  if (in.quantized()) return read_integer_convolution(in, g);
  const Resource& resource = in.required_resource();
  const Buffer& filter = resource.buffers.front();
  require_floats(in, filter);
  const std::int64_t channels = row_of(in, filter, g.outputs, g.kernel[0] * g.kernel[1]);
  Tensor weight = floats_of(filter, {g.outputs, channels, g.kernel[0], g.kernel[1]});
  const Buffer* const bias = resource.has_bias ? &resource.buffers[1] : nullptr;
  auto inputs = float_inputs(in, std::move(weight), bias, g.outputs, in.input());
  in.result(activated(in, in.add("Conv", std::move(inputs), attributes_of(g)), g.activation));
}

/// Filters lie as [group][inputs][outputs][height][width], which is ONNX's order.
void read_deconvolution(LayerReader& in) {
  const Geometry g = geometry_of(in);
  if (in.quantized()) in.refuse("TNN has no integer kernel for it");
  if (g.pad_type != -1) in.refuse(fmt::format("its padding type {} is not read; -1 is", g.pad_type));
  const Resource& resource = in.required_resource();
  const Buffer& filter = resource.buffers.front();
  require_floats(in, filter);
  const std::int64_t outputs = g.outputs / g.group;
  const std::int64_t inputs = row_of(in, filter, outputs, g.kernel[0] * g.kernel[1]);
  Tensor weight = floats_of(filter, {inputs, outputs, g.kernel[0], g.kernel[1]});
  const Buffer* const bias = resource.has_bias ? &resource.buffers[1] : nullptr;
  auto operands = float_inputs(in, std::move(weight), bias, g.outputs, in.input());
  in.result(activated(in, in.add("ConvTranspose", std::move(operands), attributes_of(g)), g.activation));
}

void read_inner_product(LayerReader& in) {
  const std::int64_t outputs = in.integer_within(0, 1, kMostChannels);
  const bool has_bias = in.integer(1) != 0;
  if (in.integer(2, 0) != 0) in.refuse("its weight is transposed, which Octavo does not read");
  if (in.integer(3, 1) != 1) in.refuse("it does not sum from dimension 1 on");
  const Resource& resource = in.required_resource();
  const Buffer& filter = resource.buffers.front();
  const std::int64_t columns = row_of(in, filter, outputs, 1);
  const Buffer* const bias = has_bias ? &resource.buffers[1] : nullptr;
  ValueId input = in.input();
  const auto& dims = in.builder().graph().value(input).dims;
  const bool flat = dims && dims->size() == 2;
  if (!flat) input = in.builder().add(in.layer().name + "_flat", "Flatten", {input}, {{"axis", std::int64_t{1}}});
  Attributes attributes;
  attributes["transB"] = std::int64_t{1};
  if (!in.quantized()) {
    require_floats(in, filter);
    auto operands = float_inputs(in, floats_of(filter, {outputs, columns}), bias, outputs, input);
    return in.result(in.add("Gemm", std::move(operands), std::move(attributes)));
  }
  const BlobScale step = in.input_scale();
  if (step.per_channel()) in.refuse("its input has a scale for each channel, where TNN has one");
  if (!flat) input = in.builder().add_pair(input, step);  // the integers that it had before
  const IntegerWeight weight = integer_weight(in, resource, bias, {outputs, columns});
  std::vector<ValueId> operands{input, dequantized_weight(in, weight, step, 1)};
  if (weight.bias.rank() > 0) {
    operands.push_back(in.builder().add_dequantized(in.layer().name + "_bias", weight.bias, weight.handle, 0));
  }
  in.result(in.add("Gemm", std::move(operands), std::move(attributes)));
}

}  // namespace octavo::formats::tnn
