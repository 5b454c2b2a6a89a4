#pragma once

#include <vector>

#include "octavo/core/arithmetic.h"
#include "octavo/graph.h"

namespace octavo::execute {

/// Turns what stands between DequantizeLinear and QuantizeLinear into true integer arithmetic where the runtime does
/// so, with its rounding (docs/numerics.md): steps of the domain `kInternalDomain`, by what its sums become:
///   integers: DequantizeLinear (input, weights, bias?) -> Conv or Gemm -> activation? -> QuantizeLinear:
///     RequantizedConv(x, x_zero, w, w_zero, unit, y_scale, y_zero, bias?), unit and y_scale one or one a channel
///   reals: DequantizeLinear (input, weights) -> Conv or Gemm, whatever reads it:
///     ScaledConv(x, x_zero, w, w_zero, unit, bias?) {fused_bias}
///   DequantizeLinear (both inputs) -> Add -> activation? -> QuantizeLinear:
///     QuantizedAdd(a, b, a_scale, a_zero_point, b_scale, b_zero_point, y_scale, y_zero_point)
///   a ScaledConv's pair (which nobody else reads) and DequantizeLinear -> Add -> activation? -> QuantizeLinear:
///     UnroundedSum(real, b, a_scale, a_zero_point, b_scale, b_zero_point, y_scale, y_zero_point), uint8 alone
/// A QuantizeLinear behind a ScaledConv and its activation, which nobody else reads, gets {ends_convolution}.
/// 8 bits, constant parameters. Everything else stays simulated in float. The value that entered QuantizeLinear is a
/// step's second output where it is watched; one watched further inside keeps the nodes as they are. `watched` is by
/// ValueId. Nodes that nobody reads any more stay behind.
void lower_to_integers(Graph& graph, const std::vector<bool>& watched, const Arithmetic& arithmetic);

}  // namespace octavo::execute
