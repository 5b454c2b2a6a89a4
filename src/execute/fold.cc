#include "fold.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "program.h"
#include "step_context.h"
#include "value_store.h"

namespace octavo::execute {
namespace {

bool foldable(const Graph& graph, const Node& node, bool dequantize) {
  return (dequantize || node.op_type != "DequantizeLinear") && node.captured.empty() &&
         std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
           return id == kNoValue || (graph.constant(id) != nullptr && !graph.is_input(id));
         });
}

/// The outputs' tensors, in order; none where memory does not allow them.
std::vector<Tensor> run_once(const Step& step, const Graph& graph, ValueStore& values) {
  for (const ValueId id : step.inputs) {
    if (id != kNoValue) values.bind(id, *graph.constant(id));
  }
  for (const ValueId id : step.outputs) {
    if (id != kNoValue) values.keep_as_tensor(id);
  }
  const auto state = step.kernel->make_state();
  try {
    StepContext(step, values, nullptr, state.get(), nullptr).execute();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::resource_limit) return {};
    throw;
  }
  std::vector<Tensor> results;
  for (const ValueId id : step.outputs) results.push_back(id == kNoValue ? Tensor() : values.take(id));
  return results;
}

}  // namespace

void fold_constants(Graph& graph, const ExecutorOptions& options, bool dequantize) {
  ValueId last = -1;
  for (const ValueId id : graph.values()) last = std::max(last, id);
  ValueStore values(static_cast<std::size_t>(last + 1), options.memory_limit);
  for (const NodeId id : graph.nodes()) {
    if (!foldable(graph, graph.node(id), dequantize)) continue;
    const Step step = compile_step(graph, id, options.arithmetic);
    std::vector<Tensor> results = run_once(step, graph, values);
    for (const ValueId used : step.inputs) {
      if (used != kNoValue) values.release(used);
    }
    for (const ValueId used : step.outputs) {
      if (used != kNoValue) values.release(used);
    }
    if (results.empty()) continue;
    graph.remove_node(id);
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (step.outputs[i] == kNoValue) continue;
      Value& value = graph.value(step.outputs[i]);
      value.dtype = results[i].dtype();
      value.constant = std::move(results[i]);
    }
  }
}

}  // namespace octavo::execute
