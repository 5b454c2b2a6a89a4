#pragma once

#include <cstddef>

#include "octavo/graph.h"

namespace octavo::execute {

/// Computes every node whose inputs are all constant, by the kernels that would run it, and makes its
/// outputs constants. A node whose outputs would exceed `memory_limit` together with those before it is
/// left as it is. Without `dequantize` DequantizeLinear is left too, so that lowering still sees the integers.
/// `graph` is sorted.
void fold_constants(Graph& graph, std::size_t memory_limit, bool dequantize);

}  // namespace octavo::execute
