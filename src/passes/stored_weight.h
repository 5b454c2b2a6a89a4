#pragma once

#include "octavo/graph.h"
#include "octavo/plan.h"

namespace octavo::passes {

/// Throws Error(internal) where the plan's node has no rounded weight.
const QuantizedTensor& weight_of(const Graph& graph, NodeId node, const QuantizedWeights& weights);

/// The result of a DequantizeLinear that gives a planned weight as its integers have it; its node does not read it yet.
ValueId stored_weight(Graph& graph, const WeightPlan& plan, const QuantizedWeights& weights);

}  // namespace octavo::passes
