#include "chains.h"

#include <limits>
#include <string>

namespace octavo::execute {
namespace {

std::optional<float> clip_bound(const Graph& graph, const Node& clip, std::size_t input, const char* attribute,
                                float fallback) {
  if (graph.opset() < 11) return clip.float_or(attribute, fallback);
  if (clip.input(input) == kNoValue) return fallback;
  const Tensor* bound = graph.constant(clip.input(input));
  if (bound == nullptr || bound->dtype() != DType::f32 || bound->size() != 1) return std::nullopt;
  return bound->data<float>()[0];
}

}  // namespace

bool is_standard(const Node& node) { return node.domain.empty() || node.domain == "ai.onnx"; }

NodeId only_reader(const Graph& graph, ValueId id) {
  if (id == kNoValue || graph.is_output(id) || graph.use_count(id) != 1) return kNoNode;
  const NodeId reader = graph.consumers(id).front();
  const Node& next = graph.node(reader);
  const bool reads_first = next.input(0) == id && next.outputs.size() == 1 && next.outputs[0] != kNoValue;
  return reads_first && is_standard(next) ? reader : kNoNode;
}

NodeId unseen_reader(const Graph& graph, const std::vector<bool>& watched, const Node& node) {
  if (node.outputs.size() != 1 || node.outputs[0] == kNoValue) return kNoNode;
  return watched[static_cast<std::size_t>(node.outputs[0])] ? kNoNode : only_reader(graph, node.outputs[0]);
}

std::optional<Activation> activation_node(const Graph& graph, const Node& node) {
  using Kind = Activation::Kind;
  if (!is_standard(node)) return std::nullopt;
  if (node.op_type == "Relu") return Activation{Kind::relu};
  if (node.op_type == "LeakyRelu") return Activation{Kind::leaky_relu, node.float_or("alpha", 0.01F)};
  if (node.op_type != "Clip") return std::nullopt;
  const auto low = clip_bound(graph, node, 1, "min", std::numeric_limits<float>::lowest());
  const auto high = clip_bound(graph, node, 2, "max", std::numeric_limits<float>::max());
  if (!low || !high || !(*low <= *high)) return std::nullopt;
  return Activation{Kind::clip, *low, *high};
}

void set_activation(Node& node, const Activation& activation) {
  using Kind = Activation::Kind;
  if (activation.kind == Kind::none) return;
  const std::string name = activation.kind == Kind::relu         ? "Relu"
                           : activation.kind == Kind::leaky_relu ? "LeakyRelu"
                                                                 : "Clip";
  node.attributes["activation"] = name;
  node.attributes["activation_alpha"] = activation.alpha;
  node.attributes["activation_beta"] = activation.beta;
}

}  // namespace octavo::execute
