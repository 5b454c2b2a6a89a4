#include "linear_nodes.h"

#include <fmt/format.h>

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
  return {constant(base, "scale", Tensor::from<float>(shape, std::span<const float>(params.scale))),
          constant(base, "zero_point", integer_tensor(stored, shape, params.zero_point))};
}

ValueId LinearNodes::add_linear(std::string_view op_type, const std::string& source, ValueId input,
                                const Parameters& parameters, const QParams& params, ValueId output) {
  Node node;
  node.name = graph_.unique_node_name(fmt::format("{}_{}", source, op_type));
  node.op_type = op_type;
  node.inputs = {input, parameters.scale, parameters.zero_point};
  node.outputs = {output};
  if (params.axis != QScheme::kPerTensor) node.attributes["axis"] = static_cast<std::int64_t>(params.axis);
  if (params.per_group()) node.attributes["block_size"] = static_cast<std::int64_t>(params.group_size);
  graph_.add_node(std::move(node));
  return output;
}

ValueId LinearNodes::dequantized(const std::string& source, const std::optional<Dims>& dims,
                                 const QuantizedTensor& stored) {
  const QParams& params = stored.params;
  const DType dtype = params.storage == DType::i32 ? DType::i32 : stored_type(source, params);
  const bool repack = dtype != params.storage;
  const ValueId integers = constant(source, "quantized", repack ? as_type(stored.integers, dtype) : stored.integers);
  const Parameters linear = parameters(source, params, dtype, shape_of_scales(params, stored.integers.shape()));
  const ValueId output =
      graph_.add_value(graph_.unique_value_name(fmt::format("{}_dequantized", source)), DType::f32, dims);
  return add_linear("DequantizeLinear", source, integers, linear, params, output);
}

/// Rounding finds the same integers again: q · scale in float is within half a step of q steps.
ValueId LinearNodes::requantized(const std::string& source, const std::optional<Dims>& dims,
                                 const QuantizedTensor& stored) {
  const QParams& params = stored.params;
  const DType dtype = stored_type(source, params);
  const ValueId floats = constant(source, "rounded", dequantize(stored.integers, params));
  const Parameters linear = parameters(source, params, dtype, shape_of_scales(params, stored.integers.shape()));
  const auto named = [&](std::string_view suffix) {
    return graph_.unique_value_name(fmt::format("{}_{}", source, suffix));
  };
  const ValueId integers = graph_.add_value(named("quantized"), dtype, dims);
  const ValueId restored = graph_.add_value(named("dequantized"), DType::f32, dims);
  add_linear("QuantizeLinear", source, floats, linear, params, integers);
  return add_linear("DequantizeLinear", source, integers, linear, params, restored);
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

ValueId LinearNodes::pair(ValueId value, const QParams& params, bool keeps_limits) {
  const std::string name = graph_.value(value).name;
  const std::optional<Dims> dims = graph_.value(value).dims;
  require_opset(name, params);
  const ValueId input = keeps_limits && !reaches_limits(params) ? clipped(value, params) : value;
  const Parameters linear = parameters(name, params, params.storage, shape_of_scales(params, {}));
  const ValueId integers = graph_.add_value(graph_.unique_value_name(name + "_quantized"), params.storage, dims);
  const ValueId restored = graph_.add_value(graph_.unique_value_name(name + "_dequantized"), DType::f32, dims);
  add_linear("QuantizeLinear", name, input, linear, params, integers);
  return add_linear("DequantizeLinear", name, integers, linear, params, restored);
}

}  // namespace octavo::passes
