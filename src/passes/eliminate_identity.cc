#include <algorithm>

#include "bypass.h"
#include "octavo/graph.h"
#include "prepare_passes.h"

namespace octavo::passes {
namespace {

bool pads_nothing(const Graph& graph, const Node& node) {
  std::vector<std::int64_t> pads = node.ints_or("pads", {});
  if (const Tensor* given = graph.constant(node.input(1)); given != nullptr && given->dtype() == DType::i64) {
    const auto values = given->data<std::int64_t>();
    pads.assign(values.begin(), values.end());
  }
  return !pads.empty() && std::all_of(pads.begin(), pads.end(), [](std::int64_t pad) { return pad == 0; });
}

/// One number; nothing where it is not constant.
template <typename T>
bool is_constant(const Graph& graph, ValueId id, T number) {
  const Tensor* tensor = graph.constant(id);
  return tensor != nullptr && tensor->dtype() == dtype_of<T> && tensor->size() == 1 && tensor->data<T>()[0] == number;
}

/// A random mask is for training; at inference Dropout hands on its input. PyTorch exports it for training, with a
/// ratio of 0, where a network calls the function without telling it the mode.
bool drops_nothing(const Graph& graph, const Node& node) {
  if (node.output(1) != kNoValue && graph.use_count(node.output(1)) > 0) return false;
  if (node.input(2) == kNoValue) return true;
  return is_constant(graph, node.input(2), false) || is_constant(graph, node.input(1), 0.0F);
}

bool hands_on_its_input(const Graph& graph, const Node& node) {
  if (!node.domain.empty() || node.input(0) == kNoValue || node.output(0) == kNoValue) return false;
  if (node.op_type == "Identity") return true;
  if (node.op_type == "Dropout") return drops_nothing(graph, node);
  if (node.op_type == "Pad") return pads_nothing(graph, node);
  if (node.op_type == "Concat" || node.op_type == "Sum") return node.inputs.size() == 1;
  return false;
}

}  // namespace

int eliminate_identity(Graph& graph) {
  int changes = 0;
  for (const NodeId id : graph.nodes()) {
    if (hands_on_its_input(graph, graph.node(id)) && bypass(graph, id)) ++changes;
  }
  return changes;
}

}  // namespace octavo::passes
