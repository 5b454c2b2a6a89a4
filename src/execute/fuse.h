#pragma once

#include <vector>

#include "octavo/graph.h"

namespace octavo::execute {

/// Joins nodes whose inner value nobody else sees (one reader, not watched, no output) into steps of the
/// domain `kInternalDomain`:
///   QuantizeLinear -> DequantizeLinear with the same parameters: FakeQuantize(x, scale, zero_point?)
///   Conv or Gemm -> Relu, LeakyRelu or Clip with constant bounds: the same operator with the attributes
///   `activation` (of these names), `activation_alpha`, `activation_beta`.
/// The results are those of the nodes apart, to the bit. `watched` is by ValueId.
void fuse_nodes(Graph& graph, const std::vector<bool>& watched);

}  // namespace octavo::execute
