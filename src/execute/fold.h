#pragma once

#include "octavo/execute.h"
#include "octavo/graph.h"

namespace octavo::execute {

/// Computes every node whose inputs are all constant, by the kernels that would run it, and makes its
/// outputs constants. A node whose outputs would exceed the memory limit together with those before it is
/// left as it is. Without `dequantize` DequantizeLinear is left too, so that lowering still sees the integers.
/// `graph` is sorted.
void fold_constants(Graph& graph, const ExecutorOptions& options, bool dequantize);

}  // namespace octavo::execute
