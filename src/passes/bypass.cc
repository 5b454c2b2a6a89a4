#include "bypass.h"

#include <algorithm>
#include <vector>

namespace octavo::passes {

bool bypass(Graph& graph, NodeId id) {
  const ValueId input = graph.node(id).input(0);
  const ValueId output = graph.node(id).output(0);
  if (graph.is_captured(output)) return false;
  if (!graph.is_output(output)) {
    graph.replace_uses(output, input);
    graph.remove_node(id);
    return true;
  }
  // The output's name must stay: the node before writes it instead, if nobody else knows the input's name.
  const NodeId producer = graph.producer(input);
  if (producer == kNoNode || graph.is_output(input) || graph.is_captured(input)) return false;
  graph.remove_node(id);
  graph.replace_uses(input, output);
  std::vector<ValueId> outputs = graph.node(producer).outputs;
  std::replace(outputs.begin(), outputs.end(), input, output);
  graph.set_outputs_of(producer, std::move(outputs));
  return true;
}

bool has_single_reader(const Graph& graph, NodeId id) {
  const ValueId output = graph.node(id).output(0);
  return graph.use_count(output) == 1 && graph.consumers(output).size() == 1 && !graph.is_output(output) &&
         !graph.is_captured(output);
}

}  // namespace octavo::passes
