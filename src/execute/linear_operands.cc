#include "linear_operands.h"

#include <algorithm>
#include <cmath>

#include "chains.h"
#include "octavo/core/rounding.h"

namespace octavo::execute {
namespace {

std::size_t extent(const Tensor& tensor, std::size_t axis) { return static_cast<std::size_t>(tensor.dim(axis)); }

/// Gemm as a plain product of rows and weights.
bool is_plain_product(const Node& node) {
  return node.int_or("transA", 0) == 0 && node.float_or("alpha", 1.0F) == 1.0F && node.float_or("beta", 1.0F) == 1.0F;
}

/// b[columns x rows] of a[rows x columns].
Tensor transposed_matrix(const Tensor& a) {
  Tensor b(a.dtype(), {a.dim(1), a.dim(0)});
  const std::byte* from = a.bytes();
  std::byte* to = b.mutable_bytes();
  const std::size_t rows = extent(a, 0);
  const std::size_t columns = extent(a, 1);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) to[column * rows + row] = from[row * columns + column];
  }
  return b;
}

/// The weights as they were before they took in the scales of their input's channels: the first operand of a Mul by
/// the inverse of those, which `insert_qdq` writes.
struct ScaledWeights {
  ValueId stored = kNoValue;
  const Tensor* inverse = nullptr;
};

std::optional<ScaledWeights> scaled_weights(const Graph& graph, ValueId id) {
  if (id == kNoValue || graph.producer(id) == kNoNode) return std::nullopt;
  const Node& node = graph.node(graph.producer(id));
  const Tensor* inverse = fixed_constant(graph, node.input(1));
  if (!is_standard(node) || node.op_type != "Mul" || inverse == nullptr) return std::nullopt;
  if (inverse->dtype() != DType::f32) return std::nullopt;
  return ScaledWeights{node.input(0), inverse};
}

/// Whether the factors undo the input's scales for every output o and input channel i of its group.
bool undoes(const Tensor& inverse, const QuantizedValue& input, const Tensor& weights, std::size_t groups) {
  if (inverse.rank() != weights.rank()) return false;
  for (std::size_t d = 2; d < inverse.rank(); ++d) {
    if (inverse.dim(d) != 1) return false;
  }
  const std::size_t outputs = extent(weights, 0);
  const std::size_t inputs = extent(weights, 1);
  const bool by_output = extent(inverse, 0) == outputs && outputs > 1;
  if ((!by_output && inverse.dim(0) != 1) || extent(inverse, 1) != inputs || (groups > 1 && !by_output)) return false;
  const auto factors = inverse.data<float>();
  for (std::size_t o = 0; o < outputs; ++o) {
    const std::size_t group = o / (outputs / groups);
    for (std::size_t i = 0; i < inputs; ++i) {
      const float one = factors[(by_output ? o * inputs : 0) + i] * input.scale_at(group * inputs + i);
      if (!(std::fabs(one - 1.0F) <= 1e-5F)) return false;
    }
  }
  return true;
}

/// x_scale · w_scale, or by way of the reciprocals that a file holds.
float unit(float x_scale, float w_scale, const Arithmetic& arithmetic) {
  if (!arithmetic.reciprocal_scales) return x_scale * w_scale;
  return 1.0F / ((1.0F / x_scale) * (1.0F / w_scale));
}

/// Activations with a scale for each channel: their weights have it in them already, unless each output has but one.
bool set_channel_units(const Graph& graph, const Node& node, std::size_t groups, LinearOperands& operands) {
  const auto scaled = scaled_weights(graph, node.input(1));
  const auto weights = weight_operand(graph, scaled ? scaled->stored : node.input(1), 0);
  if (!weights || node.op_type != "Conv") return false;
  const Tensor& integers = *graph.constant(weights->integers);
  const std::size_t outputs = extent(integers, 0);
  if (integers.rank() < 3 || outputs % groups != 0) return false;
  if (extent(integers, 1) * groups != static_cast<std::size_t>(operands.input.scale.size())) return false;
  const bool depthwise = integers.dim(1) == 1 && groups > 1;
  if (scaled ? !undoes(*scaled->inverse, operands.input, integers, groups) : !depthwise) return false;
  operands.weights = *weights;
  operands.channels = outputs;
  for (std::size_t o = 0; o < outputs; ++o) {
    const float taken_in = scaled ? 1.0F : operands.input.scale_at(o / (outputs / groups));
    operands.units.push_back(weights->scale_at(o) * taken_in);
  }
  return true;
}

}  // namespace

std::optional<LinearOperands> linear_operands(const Graph& graph, const Node& node, const Arithmetic& arithmetic) {
  LinearOperands result;
  const auto input = activation_operand(graph, node.input(0), arithmetic.channel_scales);
  if (!input) return std::nullopt;
  result.input = *input;
  const auto groups = static_cast<std::size_t>(std::max<std::int64_t>(node.int_or("group", 1), 1));
  if (input->per_channel()) {
    return set_channel_units(graph, node, groups, result) ? std::optional(result) : std::nullopt;
  }
  const bool gemm = node.op_type == "Gemm";
  const bool by_inputs = gemm && node.int_or("transB", 0) == 0;  // rows of the weights are inputs
  if (gemm && !is_plain_product(node)) return std::nullopt;
  const auto weights = weight_operand(graph, node.input(1), by_inputs ? 1 : 0);
  if (!weights) return std::nullopt;
  const Tensor& integers = *graph.constant(weights->integers);
  if (gemm && integers.rank() != 2) return std::nullopt;
  result.weights = *weights;
  result.channels = extent(integers, by_inputs ? 1 : 0);
  if (by_inputs) result.transposed = transposed_matrix(integers);
  for (const float scale : weights->scale.data<float>()) {
    result.units.push_back(unit(input->scale_at(0), scale, arithmetic));
  }
  return result;
}

std::optional<Tensor> truncated_bias(const Graph& graph, ValueId id, const LinearOperands& operands) {
  const Tensor* bias = fixed_constant(graph, id);
  if (bias == nullptr || bias->dtype() != DType::f32 || bias->size() != static_cast<std::int64_t>(operands.channels)) {
    return std::nullopt;
  }
  constexpr float kLimit = 2147483520.0F;  // the largest float below 2^31
  Tensor result(DType::i32, {bias->size()});
  const auto to = result.mutable_data<std::int32_t>();
  for (std::size_t c = 0; c < to.size(); ++c) {
    const float unit = operands.units[operands.units.size() == 1 ? 0 : c];
    const float steps = unit == 0.0F ? 0.0F : round_toward_zero(bias->data<float>()[c] / unit);
    to[c] = std::isnan(steps) ? 0 : static_cast<std::int32_t>(std::clamp(steps, -kLimit, kLimit));
  }
  return result;
}

}  // namespace octavo::execute
