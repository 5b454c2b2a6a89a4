#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "layer_reader.h"

namespace octavo::formats::ncnn {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();

ValueId scalar(LayerReader& reader, const Layer& layer, std::string_view suffix, float value) {
  return reader.constant(layer, suffix, Tensor::scalar(value));
}

/// One number for each channel, over the dimensions behind: [c, 1, 1] for a blob of three.
ValueId along_channels(LayerReader& reader, const Layer& layer, std::string_view suffix, const ReadBlob& blob,
                       const Tensor& values) {
  if (values.size() == 1) return reader.constant(layer, suffix, values.reshaped({}));
  Shape shape{values.size()};
  shape.resize(static_cast<std::size_t>(blob.pooled ? 3 : blob.dims), 1);
  return reader.constant(layer, suffix, values.reshaped(std::move(shape)));
}

struct UnaryRule {
  std::string_view layer;
  std::string_view op_type;
};
constexpr std::array kUnary{
    UnaryRule{"AbsVal", "Abs"}, UnaryRule{"Erf", "Erf"},         UnaryRule{"Exp", "Exp"},
    UnaryRule{"Mish", "Mish"},  UnaryRule{"Sigmoid", "Sigmoid"}, UnaryRule{"Softplus", "Softplus"},
    UnaryRule{"TanH", "Tanh"},
};

void read_unary(LayerReader& reader, const Layer& layer) {
  const auto* const rule =
      std::find_if(kUnary.begin(), kUnary.end(), [&](const UnaryRule& r) { return r.layer == layer.type; });
  const ReadBlob& input = reader.bottom(layer);
  if (layer.type == "Exp" && !layer.params.values().empty())
    LayerReader::refuse("an exponential with a base of its own");
  reader.finish_like(layer, input, reader.emit(layer, rule->op_type, {input.value}));
}

void read_unary_op(LayerReader& reader, const Layer& layer) {
  static constexpr std::array<std::string_view, 17> kOperators{"Abs",  "Neg",  "Floor", "Ceil",       "",    "Sqrt",
                                                               "",     "Exp",  "Log",   "Sin",        "Cos", "Tan",
                                                               "Asin", "Acos", "Atan",  "Reciprocal", "Tanh"};
  const auto operation = static_cast<std::size_t>(checked("the operation", layer.params.int_or(0, 0), 0, 27));
  const ReadBlob& input = reader.bottom(layer);
  if (operation == 4) {
    reader.finish_like(layer, input, reader.emit(layer, "Mul", {input.value, input.value}));
    return;
  }
  if (operation >= kOperators.size() || kOperators.at(operation).empty()) {
    LayerReader::refuse(fmt::format("octavo does not read operation {} of it", operation));
  }
  reader.finish_like(layer, input, reader.emit(layer, kOperators.at(operation), {input.value}));
}

ValueId relu(LayerReader& reader, const Layer& layer, ValueId value, float slope) {
  if (slope == 0.0F) return reader.emit(layer, "Relu", {value});
  return reader.emit(layer, "LeakyRelu", {value}, {{"alpha", slope}});
}

ValueId clip(LayerReader& reader, const Layer& layer, ValueId value, float low, float high) {
  return reader.emit(layer, "Clip", {value, scalar(reader, layer, "min", low), scalar(reader, layer, "max", high)});
}

/// x · HardSigmoid(x), of which ONNX's HardSwish is one.
ValueId hard_swish(LayerReader& reader, const Layer& layer, ValueId value, float alpha, float beta) {
  const ValueId gate = reader.emit(layer, "HardSigmoid", {value}, {{"alpha", alpha}, {"beta", beta}});
  return reader.emit(layer, "Mul", {value, gate});
}

void read_relu(LayerReader& reader, const Layer& layer) {
  const ReadBlob& input = reader.bottom(layer);
  reader.finish_like(layer, input, relu(reader, layer, input.value, layer.params.float_or(0, 0.0F)));
}

void read_clip(LayerReader& reader, const Layer& layer) {
  constexpr float kMost = std::numeric_limits<float>::max();
  const ReadBlob& input = reader.bottom(layer);
  reader.finish_like(
      layer, input,
      clip(reader, layer, input.value, layer.params.float_or(0, -kMost), layer.params.float_or(1, kMost)));
}

void read_elu(LayerReader& reader, const Layer& layer) {
  const ReadBlob& input = reader.bottom(layer);
  reader.finish_like(layer, input,
                     reader.emit(layer, "Elu", {input.value}, {{"alpha", layer.params.float_or(0, 0.1F)}}));
}

void read_hard_sigmoid(LayerReader& reader, const Layer& layer) {
  const ReadBlob& input = reader.bottom(layer);
  reader.finish_like(
      layer, input,
      reader.emit(layer, "HardSigmoid", {input.value},
                  {{"alpha", layer.params.float_or(0, 0.2F)}, {"beta", layer.params.float_or(1, 0.5F)}}));
}

void read_hard_swish(LayerReader& reader, const Layer& layer) {
  const ReadBlob& input = reader.bottom(layer);
  reader.finish_like(
      layer, input,
      hard_swish(reader, layer, input.value, layer.params.float_or(0, 0.2F), layer.params.float_or(1, 0.5F)));
}

void read_swish(LayerReader& reader, const Layer& layer) {
  const ReadBlob& input = reader.bottom(layer);
  const ValueId gate = reader.emit(layer, "Sigmoid", {input.value});
  reader.finish_like(layer, input, reader.emit(layer, "Mul", {input.value, gate}));
}

/// erf(x / √2), or, as ncnn computes it where it is told to be fast, tanh(√(2/π) · (x + 0.044715 · x³)).
ValueId gelu_gate(LayerReader& reader, const Layer& layer, ValueId x) {
  constexpr float kInverseRootOf2 = 0.70710678F;
  constexpr float kRootOf2ByPi = 0.79788452F;
  constexpr float kOfCube = 0.044715F;
  if (layer.params.int_or(0, 0) == 0) {
    return reader.emit(layer, "Erf", {reader.emit(layer, "Mul", {x, scalar(reader, layer, "root", kInverseRootOf2)})});
  }
  const ValueId cube = reader.emit(layer, "Mul", {reader.emit(layer, "Mul", {x, x}), x});
  const ValueId part = reader.emit(layer, "Mul", {cube, scalar(reader, layer, "of_cube", kOfCube)});
  const ValueId sum = reader.emit(layer, "Add", {x, part});
  return reader.emit(layer, "Tanh", {reader.emit(layer, "Mul", {sum, scalar(reader, layer, "root", kRootOf2ByPi)})});
}

/// x / 2 · (1 + gate).
void read_gelu(LayerReader& reader, const Layer& layer) {
  const ReadBlob& input = reader.bottom(layer);
  const ValueId open = gelu_gate(reader, layer, input.value);
  const ValueId gate = reader.emit(layer, "Add", {open, scalar(reader, layer, "one", 1.0F)});
  const ValueId product = reader.emit(layer, "Mul", {input.value, gate});
  reader.finish_like(layer, input, reader.emit(layer, "Mul", {product, scalar(reader, layer, "half", 0.5F)}));
}

void read_prelu(LayerReader& reader, const Layer& layer) {
  const Tensor slopes = reader.bin().plain(checked("the number of slopes", layer.params.int_or(0, 0), 1, kLargest));
  const ReadBlob& input = reader.bottom(layer);
  reader.require_dims(input, 1, 4);
  const ValueId slope = along_channels(reader, layer, "slope", input, slopes);
  reader.finish_like(layer, input, reader.emit(layer, "PRelu", {input.value, slope}));
}

void read_batch_norm(LayerReader& reader, const Layer& layer) {
  const std::int64_t channels = checked("the number of channels", layer.params.int_or(0, 0), 1, kLargest);
  std::array<ValueId, 4> numbers{};
  static constexpr std::array<std::string_view, 4> kNames{"slope", "mean", "var", "bias"};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers.at(i) = reader.constant(layer, kNames.at(i), reader.bin().plain(channels));
  }
  const ReadBlob& input = reader.bottom(layer);
  const ValueId value =
      reader.emit(layer, "BatchNormalization", {input.value, numbers[0], numbers[3], numbers[1], numbers[2]},
                  {{"epsilon", layer.params.float_or(1, 0.0F)}});
  reader.finish_like(layer, input, value);
}

void read_scale(LayerReader& reader, const Layer& layer) {
  const std::int64_t size = checked("the number of scales", layer.params.int_or(0, 0), 1, kLargest);
  const ReadBlob& input = reader.bottom(layer);
  reader.require_dims(input, 1, 4);
  const ValueId scale = along_channels(reader, layer, "scale", input, reader.bin().plain(size));
  ValueId value = reader.emit(layer, "Mul", {input.value, scale});
  if (layer.params.int_or(1, 0) != 0) {
    value = reader.emit(layer, "Add", {value, along_channels(reader, layer, "bias", input, reader.bin().plain(size))});
  }
  reader.finish_like(layer, input, value);
}

struct BinaryRule {
  std::string_view op_type;
  bool reversed = false;
};

const BinaryRule& binary_rule(std::int32_t operation) {
  static constexpr std::array kRules{
      BinaryRule{"Add"}, BinaryRule{"Sub"}, BinaryRule{"Mul"},       BinaryRule{"Div"},       BinaryRule{"Max"},
      BinaryRule{"Min"}, BinaryRule{"Pow"}, BinaryRule{"Sub", true}, BinaryRule{"Div", true}, BinaryRule{"Pow", true},
  };
  if (operation < 0 || operation >= static_cast<std::int32_t>(kRules.size())) {
    LayerReader::refuse(fmt::format("octavo does not read operation {} of it", operation));
  }
  return kRules.at(static_cast<std::size_t>(operation));
}

/// A blob of fewer dimensions than what it meets, as ncnn takes it: one dimension runs along the other's outermost one
/// where it is as long, else along its innermost one; more run along the outer ones.
ValueId aligned(LayerReader& reader, const Layer& layer, const ReadBlob& blob, const ReadBlob& other) {
  if (blob.pooled && (other.pooled || other.dims == 3)) return blob.value;
  if (blob.dims == other.dims) return reader.plain(blob);
  reader.require_dims(blob, 1, 4);
  if (blob.dims > other.dims) return reader.plain(blob);
  const Shape own = reader.shape_of(blob);
  std::vector<std::int64_t> shape(static_cast<std::size_t>(other.dims) + 1, 1);
  const bool inner = own.size() == 1 && other.outermost >= 0 && own.front() != other.outermost;
  if (inner) {
    shape.back() = own.front();
  } else {
    std::copy(own.begin(), own.end(), shape.begin() + 1);
  }
  return reader.emit(layer, "Reshape", {reader.plain(blob), reader.ints(layer, "shape", shape)});
}

void read_binary(LayerReader& reader, const Layer& layer) {
  const BinaryRule& rule = binary_rule(layer.params.int_or(0, 0));
  const ReadBlob& first = reader.bottom(layer);
  if (layer.params.int_or(1, 0) != 0) {
    std::vector<ValueId> operands{first.value, scalar(reader, layer, "operand", layer.params.float_or(2, 0.0F))};
    if (rule.reversed) std::swap(operands[0], operands[1]);
    reader.finish_like(layer, first, reader.emit(layer, rule.op_type, std::move(operands)));
    return;
  }
  const ReadBlob& second = reader.bottom(layer, 1);
  std::vector<ValueId> operands{aligned(reader, layer, first, second), aligned(reader, layer, second, first)};
  if (rule.reversed) std::swap(operands[0], operands[1]);
  ReadBlob result = first.dims >= second.dims ? first : second;
  result.pooled = first.pooled && second.pooled;
  result.outermost = std::max(first.outermost, second.outermost);
  reader.finish_like(layer, result, reader.emit(layer, rule.op_type, std::move(operands)));
}

void read_lrn(LayerReader& reader, const Layer& layer) {
  const Params& params = layer.params;
  if (params.int_or(0, 0) != 0) LayerReader::refuse("a normalization over places of one channel");
  const std::int64_t size = checked("the number of channels", params.int_or(1, 5), 1, kLargest);
  const ReadBlob& input = reader.bottom(layer);
  reader.require_dims(input, 3, 3);
  reader.finish_like(layer, input,
                     reader.emit(layer, "LRN", {input.value},
                                 {{"size", size},
                                  {"alpha", params.float_or(2, 1.0F)},
                                  {"beta", params.float_or(3, 0.75F)},
                                  {"bias", params.float_or(4, 1.0F)}}));
}

void read_instance_norm(LayerReader& reader, const Layer& layer) {
  const Params& params = layer.params;
  const std::int64_t channels = checked("the number of channels", params.int_or(0, 0), 1, kLargest);
  const bool affine = params.int_or(2, 1) != 0;
  const ReadBlob& input = reader.bottom(layer);
  reader.require_dims(input, 3, 3);
  if (!affine) LayerReader::refuse("a normalization without factors");
  const ValueId factors = reader.constant(layer, "factors", reader.bin().plain(channels));
  const ValueId summands = reader.constant(layer, "summands", reader.bin().plain(channels));
  reader.finish_like(layer, input,
                     reader.emit(layer, "InstanceNormalization", {input.value, factors, summands},
                                 {{"epsilon", params.float_or(1, 1e-3F)}}));
}

void read_eltwise(LayerReader& reader, const Layer& layer) {
  static constexpr std::array<std::string_view, 3> kOperators{"Mul", "Add", "Max"};
  const auto& op_type =
      kOperators.at(static_cast<std::size_t>(checked("the operation", layer.params.int_or(0, 0), 0, 2)));
  const std::vector<float> coefficients = layer.params.floats(1);
  if (std::any_of(coefficients.begin(), coefficients.end(), [](float c) { return c != 1.0F; })) {
    LayerReader::refuse("a sum with coefficients");
  }
  const ReadBlob& first = reader.bottom(layer);
  reader.bottom(layer, 1);
  ValueId value = reader.plain(first);
  for (std::size_t i = 1; i < layer.bottoms.size(); ++i) {
    value = reader.emit(layer, op_type, {value, reader.plain(reader.bottom(layer, i))});
  }
  ReadBlob result = first;
  result.pooled = false;
  reader.finish_like(layer, result, value);
}

}  // namespace

ValueId read_activation(LayerReader& reader, const Layer& layer, ValueId value) {
  const auto type = checked("the type of its activation", layer.params.int_or(9, 0), 0, 6);
  const std::vector<float> params = layer.params.floats(10);
  const auto param = [&](std::size_t i) {
    if (i >= params.size()) LayerReader::contradict("its activation has too few parameters");
    return params[i];
  };
  switch (type) {
    case 1:
      return relu(reader, layer, value, 0.0F);
    case 2:
      return relu(reader, layer, value, param(0));
    case 3:
      return clip(reader, layer, value, param(0), param(1));
    case 4:
      return reader.emit(layer, "Sigmoid", {value});
    case 5:
      return reader.emit(layer, "Mish", {value});
    case 6:
      return hard_swish(reader, layer, value, param(0), param(1));
    default:
      return value;
  }
}

std::span<const ReadRule> elementwise_readers() {
  static constexpr std::array kRules{
      ReadRule{"AbsVal", &read_unary},
      ReadRule{"BatchNorm", &read_batch_norm},
      ReadRule{"BinaryOp", &read_binary},
      ReadRule{"Clip", &read_clip},
      ReadRule{"ELU", &read_elu},
      ReadRule{"Eltwise", &read_eltwise},
      ReadRule{"Erf", &read_unary},
      ReadRule{"Exp", &read_unary},
      ReadRule{"GELU", &read_gelu},
      ReadRule{"HardSigmoid", &read_hard_sigmoid},
      ReadRule{"HardSwish", &read_hard_swish},
      ReadRule{"InstanceNorm", &read_instance_norm},
      ReadRule{"LRN", &read_lrn},
      ReadRule{"Mish", &read_unary},
      ReadRule{"PReLU", &read_prelu},
      ReadRule{"ReLU", &read_relu},
      ReadRule{"Scale", &read_scale},
      ReadRule{"Sigmoid", &read_unary},
      ReadRule{"Softplus", &read_unary},
      ReadRule{"Swish", &read_swish},
      ReadRule{"TanH", &read_unary},
      ReadRule{"UnaryOp", &read_unary_op},
  };
  return kRules;
}

}  // namespace octavo::formats::ncnn
