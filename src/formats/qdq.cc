#include "qdq.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "octavo/core/quantize.h"

namespace octavo::formats {
namespace {

struct Limits {
  std::int32_t min = 0;
  std::int32_t max = 0;
};

std::optional<Limits> limits_of(DType dtype) {
  switch (dtype) {
    case DType::i4:
      return Limits{-8, 7};
    case DType::u4:
      return Limits{0, 15};
    case DType::i8:
      return Limits{-128, 127};
    case DType::u8:
      return Limits{0, 255};
    case DType::i16:
      return Limits{-32768, 32767};
    case DType::u16:
      return Limits{0, 65535};
    case DType::i32:
      return Limits{std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    default:
      return std::nullopt;
  }
}

std::vector<std::int32_t> integers_of(const Tensor& tensor) {
  const auto widened = [&]<typename T>(T) {
    const auto values = tensor.data<T>();
    return std::vector<std::int32_t>(values.begin(), values.end());
  };
  switch (tensor.dtype()) {
    case DType::i4:
      return widened(Int4{});
    case DType::u4:
      return widened(UInt4{});
    case DType::i8:
      return widened(std::int8_t{});
    case DType::u8:
      return widened(std::uint8_t{});
    case DType::i16:
      return widened(std::int16_t{});
    case DType::u16:
      return widened(std::uint16_t{});
    case DType::i32:
      return widened(std::int32_t{});
    default:
      return {};
  }
}

/// The same bytes as elements of another type of the same size.
Tensor as_type(const Tensor& tensor, DType dtype) {
  Tensor result(dtype, tensor.shape(), true);
  if (tensor.byte_size() > 0) std::memcpy(result.mutable_bytes(), tensor.bytes(), tensor.byte_size());
  return result;
}

/// The type of a byte or more that holds integers of the type in memory.
DType whole_type(DType dtype) {
  if (dtype == DType::i4) return DType::i8;
  return dtype == DType::u4 ? DType::u8 : dtype;
}

/// The integers' type: that of the zero point, or of what DequantizeLinear reads; u8 where QuantizeLinear has none.
DType integer_type(const Graph& graph, const Node& node) {
  if (const Tensor* zero_point = graph.constant(node.input(2))) return zero_point->dtype();
  if (node.input(2) != kNoValue) return DType::undefined;
  return node.op_type == "DequantizeLinear" ? graph.value(node.input(0)).dtype : DType::u8;
}

/// Writes axis and group size; false where they do not fit the input's dimensions.
bool set_axis(const Graph& graph, const Node& node, const Tensor& scale, QParams& params) {
  const std::int64_t block = node.int_or("block_size", 0);
  if (block == 0 && scale.size() == 1) return true;
  const auto shape = graph.value(node.input(0)).static_shape();
  const auto& dims = graph.value(node.input(0)).dims;
  if (!dims || block < 0 || block > std::numeric_limits<int>::max()) return false;
  const auto rank = static_cast<std::int64_t>(dims->size());
  std::int64_t axis = node.int_or("axis", 1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return false;
  params.axis = static_cast<int>(axis);
  params.group_size = static_cast<int>(block);
  if (block > 0) return shape && scale.shape() == grouped_shape(*shape, params.axis, params.group_size);
  return scale.rank() == 1 && (*dims)[static_cast<std::size_t>(axis)].size == scale.size();
}

}  // namespace

bool is_standard(const Node& node, std::string_view op_type) { return node.domain.empty() && node.op_type == op_type; }

std::optional<QParams> linear_params(const Graph& graph, const Node& node) {
  const Tensor* scale = graph.constant(node.input(1));
  if (node.input(0) == kNoValue || scale == nullptr || scale->dtype() != DType::f32 || scale->size() == 0) {
    return std::nullopt;
  }
  QParams params;
  params.storage = integer_type(graph, node);
  const DType given = graph.value(node.input(0)).dtype;
  if (node.op_type == "DequantizeLinear" && given != DType::undefined && given != params.storage) return std::nullopt;
  const auto limits = limits_of(params.storage);
  if (!limits || !set_axis(graph, node, *scale, params)) return std::nullopt;
  params.quant_min = limits->min;
  params.quant_max = limits->max;
  const auto scales = scale->data<float>();
  if (!std::all_of(scales.begin(), scales.end(), [](float s) { return std::isfinite(s) && s > 0.0F; })) {
    return std::nullopt;
  }
  params.scale.assign(scales.begin(), scales.end());
  const Tensor* zero_point = graph.constant(node.input(2));
  if (zero_point != nullptr) params.zero_point = integers_of(*zero_point);
  if (params.zero_point.size() == 1 || zero_point == nullptr) {
    params.zero_point.resize(scales.size(), params.zero_point.empty() ? 0 : params.zero_point.front());
  }
  if (params.zero_point.size() != scales.size()) return std::nullopt;
  return params;
}

std::optional<Dequantized> dequantized(const Graph& graph, ValueId value) {
  const NodeId id = value == kNoValue ? kNoNode : graph.producer(value);
  if (id == kNoNode || !is_standard(graph.node(id), "DequantizeLinear")) return std::nullopt;
  auto params = linear_params(graph, graph.node(id));
  if (!params || graph.node(id).input(0) == kNoValue) return std::nullopt;
  return Dequantized{id, graph.node(id).input(0), *std::move(params)};
}

Tensor dequantized_constant(const Tensor& integers, const QParams& params) {
  QParams whole = params;
  whole.storage = whole_type(integers.dtype());
  return dequantize(whole.storage == integers.dtype() ? integers : as_type(integers, whole.storage), whole);
}

std::vector<NodeId> quantizers_of(const Graph& graph, ValueId value) {
  std::vector<NodeId> quantizers;
  for (const NodeId reader : graph.consumers(value)) {
    if (is_standard(graph.node(reader), "QuantizeLinear") && graph.node(reader).input(0) == value) {
      quantizers.push_back(reader);
    }
  }
  return quantizers;
}

std::string_view float_name(const Graph& graph, NodeId quantizer) {
  const ValueId integers = graph.node(quantizer).output(0);
  for (const NodeId reader : integers == kNoValue ? std::vector<NodeId>{} : graph.consumers(integers)) {
    const Node& node = graph.node(reader);
    if (is_standard(node, "DequantizeLinear") && graph.is_output(node.output(0))) {
      return graph.value(node.output(0)).name;
    }
  }
  return graph.value(graph.node(quantizer).input(0)).name;
}

int store_integers(Graph& graph) {
  int stored = 0;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (!is_standard(node, "QuantizeLinear") || node.output(0) == kNoValue || graph.is_output(node.output(0))) continue;
    const Tensor* floats = graph.constant(node.input(0));
    auto params = linear_params(graph, node);
    if (floats == nullptr || floats->dtype() != DType::f32 || !params || params->storage == DType::i32) continue;
    const DType storage = params->storage;
    params->storage = whole_type(storage);
    Tensor integers = quantize(*floats, *params);
    if (storage != params->storage) integers = as_type(integers, storage);
    const ValueId output = node.output(0);
    Dims dims;
    for (const std::int64_t size : integers.shape()) dims.push_back(Dim{size, {}});
    graph.remove_node(id);
    Value& value = graph.value(output);
    value.dtype = storage;
    value.dims = std::move(dims);
    value.constant = std::move(integers);
    ++stored;
  }
  graph.remove_dead();
  return stored;
}

namespace {

/// Gives the float the pair's readers, and its name where the pair's result is a graph output.
void bypass_pair(Graph& graph, ValueId real, ValueId restored) {
  graph.replace_uses(restored, real);
  if (!graph.is_output(restored)) return;
  const std::string name = graph.value(restored).name;
  graph.rename_value(restored, graph.unique_value_name(name + "_quantized"));
  if (!graph.is_input(real) && !graph.is_output(real)) graph.rename_value(real, name);
  std::vector<ValueId> outputs = graph.outputs();
  std::replace(outputs.begin(), outputs.end(), restored, real);
  graph.set_outputs(std::move(outputs));
}

}  // namespace

Graph without_pairs(const Graph& graph) {
  Graph floats = graph;
  store_integers(floats);
  for (const NodeId id : floats.nodes()) {
    const Node& node = floats.node(id);
    const ValueId restored = node.output(0);
    const auto behind = is_standard(node, "DequantizeLinear") ? dequantized(floats, restored) : std::nullopt;
    if (!behind || floats.is_captured(restored)) continue;
    if (const Tensor* integers = floats.constant(behind->integers)) {
      if (floats.is_output(restored)) continue;
      Tensor real = dequantized_constant(*integers, behind->params);
      Dims dims;
      for (const std::int64_t size : real.shape()) dims.push_back(Dim{size, {}});
      floats.remove_node(id);
      Value& value = floats.value(restored);
      value.dtype = DType::f32;
      value.dims = std::move(dims);
      value.constant = std::move(real);
      continue;
    }
    const NodeId quantizer = floats.producer(behind->integers);
    if (quantizer == kNoNode || !is_standard(floats.node(quantizer), "QuantizeLinear")) continue;
    const auto written = linear_params(floats, floats.node(quantizer));
    if (!written || *written != behind->params) continue;
    const ValueId real = floats.node(quantizer).input(0);
    if (floats.is_output(restored) && (floats.is_input(real) || floats.is_output(real))) continue;
    bypass_pair(floats, real, restored);
  }
  floats.sort();
  floats.remove_dead();
  return floats;
}

}  // namespace octavo::formats
