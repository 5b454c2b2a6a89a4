#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "octavo/execute.h"
#include "octavo/graph.h"
#include "prepare_passes.h"

namespace octavo::passes {
namespace {

/// A result larger than this is left to be computed at run time: a file must not grow without need.
constexpr std::int64_t kMostElements = std::int64_t{1} << 24;

bool is_foldable(const Graph& graph, const Node& node, const std::vector<std::string>& known) {
  if (!node.domain.empty() || !node.captured.empty()) return false;
  // These carry quantization decisions; computing them away would lose the integers.
  if (node.op_type == "QuantizeLinear" || node.op_type == "DequantizeLinear") return false;
  if (!std::binary_search(known.begin(), known.end(), node.op_type)) return false;
  for (const ValueId input : node.inputs) {
    if (input != kNoValue && graph.constant(input) == nullptr) return false;
  }
  for (const ValueId output : node.outputs) {
    if (output == kNoValue) continue;
    if (graph.is_output(output)) return false;
    const auto shape = graph.value(output).static_shape();
    if (shape && checked_element_count(*shape).value_or(kMostElements + 1) > kMostElements) return false;
  }
  return true;
}

/// What the node computes; nothing where that would be too large or cannot be computed: whoever runs the graph
/// gets to hear why.
std::vector<Tensor> results_of(const Graph& alone) {
  constexpr std::size_t kMostBytes = std::size_t{8} * kMostElements;
  try {
    const Executor executor(alone, {.watched = {}, .memory_limit = kMostBytes});
    std::vector<Tensor> results = Executor::Session(executor).run({});
    const bool fit =
        std::all_of(results.begin(), results.end(), [](const Tensor& t) { return t.size() <= kMostElements; });
    return fit ? std::move(results) : std::vector<Tensor>{};
  } catch (const Error&) {
    return {};
  }
}

Dims dims_of(const Tensor& tensor) {
  Dims dims;
  for (const std::int64_t size : tensor.shape()) dims.push_back(Dim{size, {}});
  return dims;
}

/// The node alone, with copies of its constants, as a graph of its own.
Graph isolated(const Graph& graph, const Node& node) {
  Graph alone;
  alone.opsets = graph.opsets;
  Node copy = node;
  const auto copied = [&](ValueId id) {
    if (const auto known = alone.find_value(graph.value(id).name)) return *known;
    return alone.add_constant(graph.value(id).name, *graph.constant(id));
  };
  for (ValueId& input : copy.inputs) {
    if (input != kNoValue) input = copied(input);
  }
  std::vector<ValueId> outputs;
  for (ValueId& output : copy.outputs) {
    if (output == kNoValue) continue;
    output = alone.add_value(graph.value(output).name);
    outputs.push_back(output);
  }
  alone.add_node(std::move(copy));
  alone.set_outputs(std::move(outputs));
  return alone;
}

}  // namespace

int fold_constants(Graph& graph) {
  const std::vector<std::string> known = executable_operators();
  int changes = 0;
  for (const NodeId id : graph.nodes()) {
    if (!is_foldable(graph, graph.node(id), known)) continue;
    std::vector<Tensor> results = results_of(isolated(graph, graph.node(id)));
    if (results.empty()) continue;
    const std::vector<ValueId> outputs = graph.node(id).outputs;
    graph.remove_node(id);
    std::size_t result = 0;
    for (const ValueId output : outputs) {
      if (output == kNoValue) continue;
      Value& value = graph.value(output);
      value.dtype = results[result].dtype();
      value.dims = dims_of(results[result]);
      value.constant = std::move(results[result++]);
    }
    ++changes;
  }
  return changes;
}

}  // namespace octavo::passes
