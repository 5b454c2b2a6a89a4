#include "stored_weight.h"

#include <fmt/format.h>

#include "linear_nodes.h"
#include "octavo/error.h"

namespace octavo::passes {

const QuantizedTensor& weight_of(const Graph& graph, NodeId node, const QuantizedWeights& weights) {
  const auto found = weights.find(node);
  if (found != weights.end()) return found->second;
  throw Error(ErrorCode::internal, fmt::format("{} is planned but has no rounded weight", describe(graph, node)));
}

ValueId stored_weight(Graph& graph, const WeightPlan& plan, const QuantizedWeights& weights) {
  const QuantizedTensor& rounded = weight_of(graph, plan.node, weights);
  const ValueId source = graph.node(plan.node).input(plan.input);
  LinearNodes linear(graph);
  return plan.storage == WeightStorage::floats ? linear.requantized(source, rounded)
                                               : linear.dequantized(source, rounded);
}

}  // namespace octavo::passes
