#pragma once

#include <optional>
#include <vector>

#include "octavo/core/arithmetic.h"
#include "operands.h"

namespace octavo::execute {

/// What a Conv or Gemm between Q/DQ pairs computes on.
struct LinearOperands {
  QuantizedValue input;
  QuantizedValue weights;
  std::optional<Tensor> transposed;  ///< Gemm's weights as outputs x inputs, where they are stored the other way
  std::size_t channels = 0;          ///< of the output
  /// What one step of the sums stands for, in the runtime's own float arithmetic: one, or one for each channel.
  std::vector<float> units;
};

/// Nothing where the node's input or weights are no 8-bit integers with constant parameters, or the runtime has no
/// integer kernel for such parameters.
std::optional<LinearOperands> linear_operands(const Graph& graph, const Node& node, const Arithmetic& arithmetic);

/// A float bias of one number a channel in units of the sums, toward zero; zero where the unit is. Nothing where it is
/// not constant.
std::optional<Tensor> truncated_bias(const Graph& graph, ValueId id, const LinearOperands& operands);

}  // namespace octavo::execute
