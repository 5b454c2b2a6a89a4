#include "octavo/passes.h"
#include "stored_weight.h"

namespace octavo {

void insert_weights_only(Graph& graph, const Plan& plan, const QuantizedWeights& weights) {
  for (const WeightPlan& weight : plan.weights) {
    graph.set_input(weight.node, weight.input, passes::stored_weight(graph, weight, weights));
  }
  graph.sort();
  graph.remove_dead();
}

}  // namespace octavo
