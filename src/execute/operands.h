#pragma once

#include <optional>

#include "octavo/core/tensor.h"
#include "octavo/graph.h"

/// What lowering finds before and behind an operator: integers and what they stand for.
namespace octavo::execute {

/// A tensor of 8-bit integers with its constant parameters.
struct QuantizedValue {
  ValueId integers = kNoValue;
  ValueId scale_id = kNoValue;
  ValueId zero_id = kNoValue;
  Tensor scale;       ///< f32, one or one for each channel
  Tensor zero_point;  ///< as many

  bool per_channel() const { return scale.size() > 1; }
  float scale_at(std::size_t channel) const { return scale.data<float>()[per_channel() ? channel : 0]; }
};

/// The constant that no caller can replace, as one that is an input of the graph too could be; else null.
const Tensor* fixed_constant(const Graph& graph, ValueId id);

/// The DequantizeLinear that computes the value, or null.
const Node* dequantizer(const Graph& graph, ValueId id);

/// Parameters of a QuantizeLinear or DequantizeLinear of 8-bit integers with one scale, or, where `per_channel`, one
/// for each index of dimension 1 and the same zero point for all.
std::optional<QuantizedValue> activation_parameters(const Graph& graph, const Node& node, bool per_channel);

/// The activation that DequantizeLinear makes of integers.
std::optional<QuantizedValue> activation_operand(const Graph& graph, ValueId id, bool per_channel);

/// Constant weights behind DequantizeLinear, which may have a scale for each index of `axis`.
std::optional<QuantizedValue> weight_operand(const Graph& graph, ValueId id, std::int64_t axis);

/// The int32 constant behind a bias whose scales are `units`, those of the accumulator (one or one a channel).
std::optional<ValueId> bias_operand(const Graph& graph, ValueId id, std::span<const float> units);

}  // namespace octavo::execute
