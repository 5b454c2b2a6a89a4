#pragma once

#include <vector>

#include "octavo/graph.h"

namespace octavo::execute {

/// Turns what stands between DequantizeLinear and QuantizeLinear into true integer arithmetic where ONNX Runtime
/// does so, with its rounding (docs/numerics.md): steps of the domain `kInternalDomain`
///   DequantizeLinear (input, weights, bias?) -> Conv -> activation? -> QuantizeLinear:
///     QLinearConv as ONNX defines it
///   DequantizeLinear (both inputs) -> Add -> activation? -> QuantizeLinear:
///     QuantizedAdd(a, b, a_scale, a_zero_point, b_scale, b_zero_point, y_scale, y_zero_point)
/// 8 bits, constant parameters, activations and outputs per tensor; the activation must be one that the output's
/// saturation does anyway. Everything else stays simulated in float. The value that entered QuantizeLinear is the
/// step's second output where it is watched; one watched further inside keeps the nodes as they are. `watched` is by
/// ValueId. Nodes that nobody reads any more stay behind.
void lower_to_integers(Graph& graph, const std::vector<bool>& watched);

}  // namespace octavo::execute
