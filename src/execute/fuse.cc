#include "fuse.h"

#include <cstring>
#include <utility>

#include "chains.h"
#include "op_table.h"

namespace octavo::execute {
namespace {

/// Removes both nodes and puts `fused` where `second` was.
void replace_pair(Graph& graph, NodeId first, NodeId second, Node fused) {
  fused.domain = kInternalDomain;
  fused.outputs = graph.node(second).outputs;
  graph.set_outputs_of(second, {kNoValue});
  graph.remove_node(first);
  graph.add_node(std::move(fused), second);
  graph.remove_node(second);
}

// --- QuantizeLinear -> DequantizeLinear ------------------------------------------------------------

bool same_constant(const Graph& graph, ValueId a, ValueId b) {
  if (a == b) return true;
  const Tensor* left = graph.constant(a);
  const Tensor* right = graph.constant(b);
  return left != nullptr && right != nullptr && left->dtype() == right->dtype() && left->shape() == right->shape() &&
         std::memcmp(left->bytes(), right->bytes(), left->byte_size()) == 0;
}

bool same_parameters(const Graph& graph, const Node& quantize, const Node& dequantize) {
  for (const char* attribute : {"axis", "block_size"}) {
    const std::int64_t fallback = std::strcmp(attribute, "axis") == 0 ? 1 : 0;
    if (quantize.int_or(attribute, fallback) != dequantize.int_or(attribute, fallback)) return false;
  }
  return same_constant(graph, quantize.input(1), dequantize.input(1)) &&
         same_constant(graph, quantize.input(2), dequantize.input(2));
}

void fuse_quantize(Graph& graph, const std::vector<bool>& watched, NodeId id) {
  const NodeId next = unseen_reader(graph, watched, graph.node(id));
  if (next == kNoNode || graph.node(next).op_type != "DequantizeLinear") return;
  if (!same_parameters(graph, graph.node(id), graph.node(next))) return;
  Node fused = graph.node(id);
  fused.op_type = "FakeQuantize";
  replace_pair(graph, id, next, std::move(fused));
}

// --- Conv, Gemm -> activation ----------------------------------------------------------------------

void fuse_activation(Graph& graph, const std::vector<bool>& watched, NodeId id) {
  const NodeId next = unseen_reader(graph, watched, graph.node(id));
  if (next == kNoNode) return;
  const auto activation = activation_node(graph, graph.node(next));
  if (!activation) return;
  Node fused = graph.node(id);
  set_activation(fused, *activation);
  replace_pair(graph, id, next, std::move(fused));
}

}  // namespace

void fuse_nodes(Graph& graph, const std::vector<bool>& watched) {
  for (const NodeId id : graph.nodes()) {
    if (!graph.contains_node(id)) continue;
    const std::string& op_type = graph.node(id).op_type;
    if (graph.node(id).domain == kInternalDomain && op_type == "ScaledConv") fuse_activation(graph, watched, id);
    if (!graph.contains_node(id) || !is_standard(graph.node(id))) continue;
    if (op_type == "QuantizeLinear")
      fuse_quantize(graph, watched, id);
    else if (op_type == "Conv" || op_type == "Gemm")
      fuse_activation(graph, watched, id);
  }
}

}  // namespace octavo::execute
