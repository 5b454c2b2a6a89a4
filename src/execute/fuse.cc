#include "fuse.h"

#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "op_table.h"

namespace octavo::execute {
namespace {

bool is_standard(const Node& node) { return node.domain.empty() || node.domain == "ai.onnx"; }

/// The only reader of the node's only output, where nobody else sees that value; else kNoNode.
NodeId sole_reader(const Graph& graph, const std::vector<bool>& watched, const Node& node) {
  if (node.outputs.size() != 1 || node.outputs[0] == kNoValue) return kNoNode;
  const ValueId inner = node.outputs[0];
  if (watched[static_cast<std::size_t>(inner)] || graph.is_output(inner) || graph.use_count(inner) != 1) return kNoNode;
  const NodeId reader = graph.consumers(inner).front();
  const Node& next = graph.node(reader);
  const bool reads_first = next.input(0) == inner && next.outputs.size() == 1 && next.outputs[0] != kNoValue;
  return reads_first && is_standard(next) ? reader : kNoNode;
}

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
  const NodeId next = sole_reader(graph, watched, graph.node(id));
  if (next == kNoNode || graph.node(next).op_type != "DequantizeLinear") return;
  if (!same_parameters(graph, graph.node(id), graph.node(next))) return;
  Node fused = graph.node(id);
  fused.op_type = "FakeQuantize";
  replace_pair(graph, id, next, std::move(fused));
}

// --- Conv, Gemm -> activation ----------------------------------------------------------------------

struct Activation {
  std::string name;
  float alpha = 0.0F;
  float beta = 0.0F;
};

std::optional<float> clip_bound(const Graph& graph, const Node& clip, std::size_t input, const char* attribute,
                                float fallback) {
  if (graph.opset() < 11) return clip.float_or(attribute, fallback);
  if (clip.input(input) == kNoValue) return fallback;
  const Tensor* bound = graph.constant(clip.input(input));
  if (bound == nullptr || bound->dtype() != DType::f32 || bound->size() != 1) return std::nullopt;
  return bound->data<float>()[0];
}

std::optional<Activation> activation_of(const Graph& graph, const Node& node) {
  if (node.op_type == "Relu") return Activation{"Relu"};
  if (node.op_type == "LeakyRelu") return Activation{"LeakyRelu", node.float_or("alpha", 0.01F)};
  if (node.op_type != "Clip") return std::nullopt;
  const auto low = clip_bound(graph, node, 1, "min", std::numeric_limits<float>::lowest());
  const auto high = clip_bound(graph, node, 2, "max", std::numeric_limits<float>::max());
  if (!low || !high || !(*low <= *high)) return std::nullopt;
  return Activation{"Clip", *low, *high};
}

void fuse_activation(Graph& graph, const std::vector<bool>& watched, NodeId id) {
  const NodeId next = sole_reader(graph, watched, graph.node(id));
  if (next == kNoNode) return;
  const auto activation = activation_of(graph, graph.node(next));
  if (!activation) return;
  Node fused = graph.node(id);
  fused.attributes["activation"] = activation->name;
  fused.attributes["activation_alpha"] = activation->alpha;
  fused.attributes["activation_beta"] = activation->beta;
  replace_pair(graph, id, next, std::move(fused));
}

}  // namespace

void fuse_nodes(Graph& graph, const std::vector<bool>& watched) {
  for (const NodeId id : graph.nodes()) {
    if (!graph.contains_node(id) || !is_standard(graph.node(id))) continue;
    const std::string& op_type = graph.node(id).op_type;
    if (op_type == "QuantizeLinear")
      fuse_quantize(graph, watched, id);
    else if (op_type == "Conv" || op_type == "Gemm")
      fuse_activation(graph, watched, id);
  }
}

}  // namespace octavo::execute
