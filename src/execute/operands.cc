#include "operands.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "chains.h"

namespace octavo::execute {
namespace {

bool is_8_bit(DType dtype) { return dtype == DType::u8 || dtype == DType::i8; }

/// Scale and zero point where they are constants of as many elements.
std::optional<QuantizedValue> parameters(const Graph& graph, const Node& node, std::int64_t count) {
  const Tensor* scale = fixed_constant(graph, node.input(1));
  const Tensor* zero_point = fixed_constant(graph, node.input(2));
  if (scale == nullptr || scale->dtype() != DType::f32 || scale->size() != count) return std::nullopt;
  if (zero_point == nullptr || zero_point->size() != count || node.int_or("block_size", 0) != 0) return std::nullopt;
  return QuantizedValue{node.input(0), node.input(1), node.input(2), *scale, *zero_point};
}

/// Whether all elements, of one byte each, are the same.
bool uniform(const Tensor& tensor) {
  const std::byte* bytes = tensor.bytes();
  return std::all_of(bytes, bytes + tensor.size(), [&](std::byte byte) { return byte == *bytes; });
}

}  // namespace

const Tensor* fixed_constant(const Graph& graph, ValueId id) {
  return id == kNoValue || graph.is_input(id) ? nullptr : graph.constant(id);
}

const Node* dequantizer(const Graph& graph, ValueId id) {
  if (id == kNoValue || graph.producer(id) == kNoNode) return nullptr;
  const Node& node = graph.node(graph.producer(id));
  return is_standard(node) && node.op_type == "DequantizeLinear" ? &node : nullptr;
}

std::optional<QuantizedValue> activation_parameters(const Graph& graph, const Node& node, bool per_channel) {
  auto result = parameters(graph, node, 1);
  const Tensor* scale = fixed_constant(graph, node.input(1));
  if (!result && per_channel && scale != nullptr && scale->size() > 0 && node.int_or("axis", 1) == 1) {
    result = parameters(graph, node, scale->size());
    if (result && is_8_bit(result->zero_point.dtype()) && !uniform(result->zero_point)) return std::nullopt;
  }
  return result && is_8_bit(result->zero_point.dtype()) ? result : std::nullopt;
}

std::optional<QuantizedValue> activation_operand(const Graph& graph, ValueId id, bool per_channel) {
  const Node* node = dequantizer(graph, id);
  return node == nullptr ? std::nullopt : activation_parameters(graph, *node, per_channel);
}

std::optional<QuantizedValue> weight_operand(const Graph& graph, ValueId id, std::int64_t axis) {
  const Node* node = dequantizer(graph, id);
  const Tensor* values = node == nullptr ? nullptr : fixed_constant(graph, node->input(0));
  if (values == nullptr || !is_8_bit(values->dtype()) || values->rank() == 0) return std::nullopt;
  if (auto result = parameters(graph, *node, 1)) return result;
  if (node->int_or("axis", 1) != axis || static_cast<std::size_t>(axis) >= values->rank()) return std::nullopt;
  return parameters(graph, *node, values->dim(static_cast<std::size_t>(axis)));
}

std::optional<ValueId> bias_operand(const Graph& graph, ValueId id, std::span<const float> units) {
  const Node* node = dequantizer(graph, id);
  const Tensor* values = node == nullptr ? nullptr : fixed_constant(graph, node->input(0));
  const Tensor* scale = node == nullptr ? nullptr : fixed_constant(graph, node->input(1));
  if (values == nullptr || values->dtype() != DType::i32 || values->rank() != 1) return std::nullopt;
  if (scale == nullptr || scale->dtype() != DType::f32 || node->int_or("block_size", 0) != 0) return std::nullopt;
  const Tensor* zero_point = fixed_constant(graph, node->input(2));
  if (node->input(2) != kNoValue && (zero_point == nullptr || zero_point->dtype() != DType::i32)) return std::nullopt;
  const auto zeros = zero_point == nullptr ? std::span<const std::int32_t>() : zero_point->data<std::int32_t>();
  if (std::any_of(zeros.begin(), zeros.end(), [](std::int32_t zero) { return zero != 0; })) return std::nullopt;
  const auto scales = scale->data<float>();
  if (scales.size() != 1 && (scales.size() != units.size() || values->size() != scale->size())) return std::nullopt;
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (!(std::fabs(scales[scales.size() == 1 ? 0 : i] - units[i]) <= 1e-5F * units[i])) return std::nullopt;
  }
  return node->input(0);
}

}  // namespace octavo::execute
