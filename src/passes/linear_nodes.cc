#include "linear_nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "octavo/error.h"

namespace octavo::passes {
namespace {

/// The first opset whose QuantizeLinear and DequantizeLinear have 4 and 16 bits and blocks.
constexpr std::int64_t kOpsetOfBlocks = 21;

bool fits_4_bits(const QParams& params) {
  if (params.storage == DType::i8) return params.quant_min >= -8 && params.quant_max <= 7;
  return params.storage == DType::u8 && params.quant_max <= 15;
}

/// The same bytes as elements of another type of the same size.
Tensor as_type(const Tensor& tensor, DType dtype) {
  Tensor result(dtype, tensor.shape(), true);
  if (tensor.byte_size() > 0) std::memcpy(result.mutable_bytes(), tensor.bytes(), tensor.byte_size());
  return result;
}

Shape shape_of_scales(const QParams& params, std::span<const std::int64_t> tensor) {
  if (params.per_group()) return grouped_shape(tensor, params.axis, params.group_size);
  return params.per_channel() ? Shape{static_cast<std::int64_t>(params.scale.size())} : Shape{};
}

/// Whether the limits of the type are those asked for, or beyond them by one integer at most.
bool reaches_limits(const QParams& params) {
  switch (params.storage) {
    case DType::u8:
      return params.quant_min == 0 && params.quant_max == 255;
    case DType::i8:
      return params.quant_min <= -127 && params.quant_max == 127;
    case DType::u16:
      return params.quant_min == 0 && params.quant_max == 65535;
    default:
      return params.quant_min <= -32767 && params.quant_max == 32767;
  }
}

}  // namespace

Tensor integer_tensor(DType dtype, Shape shape, std::span<const std::int32_t> values) {
  const auto as = [&]<typename T>(T) {
    const std::vector<T> narrow(values.begin(), values.end());
    return Tensor::from<T>(std::move(shape), std::span<const T>(narrow));
  };
  switch (dtype) {
    case DType::i4:
      return as_type(as(std::int8_t{}), dtype);
    case DType::u4:
      return as_type(as(std::uint8_t{}), dtype);
    case DType::i8:
      return as(std::int8_t{});
    case DType::u8:
      return as(std::uint8_t{});
    case DType::i16:
      return as(std::int16_t{});
    case DType::u16:
      return as(std::uint16_t{});
    default:
      return as(std::int32_t{});
  }
}

ValueId LinearNodes::constant(const std::string& base, std::string_view suffix, Tensor tensor) {
  return graph_.add_constant(graph_.unique_value_name(fmt::format("{}_{}", base, suffix)), std::move(tensor));
}

void LinearNodes::require_opset(const std::string& source, const QParams& params) const {
  const bool has_blocks = graph_.opset() >= kOpsetOfBlocks;
  const bool wide = params.storage == DType::i16 || params.storage == DType::u16;
  if (has_blocks || !(wide || params.per_group())) return;
  throw Error(ErrorCode::unsupported,
              fmt::format("value '{}': {} need opset {}, but the graph has {}; raise it first", source,
                          wide ? "16-bit integers" : "scales per group", kOpsetOfBlocks, graph_.opset()));
}

DType LinearNodes::stored_type(const std::string& source, const QParams& params) const {
  require_opset(source, params);
  if (graph_.opset() < kOpsetOfBlocks || !fits_4_bits(params)) return params.storage;
  return params.storage == DType::i8 ? DType::i4 : DType::u4;
}

LinearNodes::Parameters LinearNodes::parameters(const std::string& base, const QParams& params, DType stored,
                                                Shape shape) {
  return {constant(base, "s", Tensor::from<float>(shape, std::span<const float>(params.scale))),
          constant(base, "z", integer_tensor(stored, shape, params.zero_point))};
}

ValueId LinearNodes::add_linear(std::string_view op_type, ValueId input, const Parameters& parameters,
                                const QParams& params, ValueId output) {
  Node node;
  node.op_type = op_type;
  node.inputs = {input, parameters.scale};
  if (parameters.zero_point != kNoValue) node.inputs.push_back(parameters.zero_point);
  node.outputs = {output};
  if (params.axis != QScheme::kPerTensor) node.attributes["axis"] = static_cast<std::int64_t>(params.axis);
  if (params.per_group()) node.attributes["block_size"] = static_cast<std::int64_t>(params.group_size);
  graph_.add_node(std::move(node));
  return output;
}

ValueId LinearNodes::add_result(ValueId source) {
  const Value value = graph_.value(source);
  const bool dies = value.is_constant() && graph_.use_count(source) == 1;
  if (dies) graph_.rename_value(source, graph_.unique_value_name(value.name + "_float"));
  return graph_.add_value(graph_.unique_value_name(dies ? value.name : value.name + "_dq"), DType::f32, value.dims);
}

ValueId LinearNodes::dequantized(ValueId source, const QuantizedTensor& stored) {
  const std::string base = graph_.value(source).name;
  const QParams& params = stored.params;
  const DType dtype = params.storage == DType::i32 ? DType::i32 : stored_type(base, params);
  const bool repack = dtype != params.storage;
  const ValueId integers = constant(base, "q", repack ? as_type(stored.integers, dtype) : stored.integers);
  Parameters linear = parameters(base, params, dtype, shape_of_scales(params, stored.integers.shape()));
  if (dtype == DType::i32)
    linear.zero_point = kNoValue;  // always 0; as numbers they would be as many bytes as the bias
  return add_linear("DequantizeLinear", integers, linear, params, add_result(source));
}

/// Rounding finds the same integers again: q · scale in float is within half a step of q steps.
ValueId LinearNodes::requantized(ValueId source, const QuantizedTensor& stored) {
  const std::string base = graph_.value(source).name;
  const QParams& params = stored.params;
  const DType dtype = stored_type(base, params);
  const ValueId floats = constant(base, "rounded", dequantize(stored.integers, params));
  const Parameters linear = parameters(base, params, dtype, shape_of_scales(params, stored.integers.shape()));
  const ValueId integers = graph_.add_value(graph_.unique_value_name(base + "_q"), dtype, graph_.value(source).dims);
  add_linear("QuantizeLinear", floats, linear, params, integers);
  return add_linear("DequantizeLinear", integers, linear, params, add_result(source));
}

/// Between the reals of the smallest and the largest integer; per channel the limits of a Clip would be vectors, which
/// Max and Min take.
ValueId LinearNodes::clipped(ValueId value, const QParams& params) {
  const Value source = graph_.value(value);
  std::vector<float> low;
  std::vector<float> high;
  for (std::size_t i = 0; i < params.scale.size(); ++i) {
    low.push_back(dequantize_value(params.quant_min, affine_map(params, i)));
    high.push_back(dequantize_value(params.quant_max, affine_map(params, i)));
  }
  Shape shape;
  if (params.per_channel()) {
    shape.assign(source.dims ? source.dims->size() - static_cast<std::size_t>(params.axis) : 1, 1);
    shape.front() = static_cast<std::int64_t>(params.scale.size());
  }
  const auto add = [&](std::string_view op_type, std::string_view suffix, std::vector<ValueId> inputs) {
    const ValueId output =
        graph_.add_value(graph_.unique_value_name(fmt::format("{}_{}", source.name, suffix)), DType::f32, source.dims);
    Node node;
    node.name = graph_.unique_node_name(fmt::format("{}_{}", source.name, op_type));
    node.op_type = op_type;
    node.inputs = std::move(inputs);
    node.outputs = {output};
    graph_.add_node(std::move(node));
    return output;
  };
  const ValueId lowest = constant(source.name, "lowest", Tensor::from<float>(shape, std::span<const float>(low)));
  const ValueId highest = constant(source.name, "highest", Tensor::from<float>(shape, std::span<const float>(high)));
  if (!params.per_channel()) return add("Clip", "clipped", {value, lowest, highest});
  return add("Min", "clipped", {add("Max", "raised", {value, lowest}), highest});
}

std::string LinearNodes::short_name(ValueId value) const {
  std::string shortest = graph_.value(value).name;
  const auto take = [&](const std::string& name) {
    if (!name.empty() && name.size() < shortest.size()) shortest = name;
  };
  const NodeId producer = graph_.producer(value);
  if (producer == kNoNode || graph_.is_output(value)) return shortest;
  const Node& node = graph_.node(producer);
  if (node.outputs.size() == 1) take(node.name);
  const bool limits = node.domain.empty() && (node.op_type == "Relu" || node.op_type == "Clip");
  if (limits && graph_.use_count(node.input(0)) == 1) take(graph_.value(node.input(0)).name);
  return shortest;
}

ValueId LinearNodes::pair(ValueId value, const QParams& params, bool keeps_limits) {
  const std::string name = short_name(value);
  const std::optional<Dims> dims = graph_.value(value).dims;
  require_opset(graph_.value(value).name, params);
  const ValueId input = keeps_limits && !reaches_limits(params) ? clipped(value, params) : value;
  const Parameters linear = parameters(name, params, params.storage, shape_of_scales(params, {}));
  const ValueId integers = graph_.add_value(graph_.unique_value_name(name + "_q"), params.storage, dims);
  const ValueId restored = graph_.add_value(graph_.unique_value_name(name + "_dq"), DType::f32, dims);
  add_linear("QuantizeLinear", input, linear, params, integers);
  return add_linear("DequantizeLinear", integers, linear, params, restored);
}

}  // namespace octavo::passes
