#include <unordered_map>

#include "octavo/graph.h"
#include "shape_context.h"

namespace octavo {
namespace {

using Rules = std::unordered_map<std::string_view, void (*)(ShapeContext&)>;

Rules all_rules() {
  Rules rules;
  for (const auto family : {elementwise_shape_rules(), normalization_shape_rules(), quantization_shape_rules(),
                            window_shape_rules(), matmul_shape_rules(), layout_shape_rules(), selection_shape_rules(),
                            resize_shape_rules(), reduction_shape_rules(), constant_shape_rules()}) {
    for (const ShapeRule& rule : family) rules.emplace(rule.op_type, rule.infer);
  }
  return rules;
}

}  // namespace

void infer_shapes(Graph& graph) {
  const Rules rules = all_rules();
  Contents contents;
  graph.sort();
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (!node.domain.empty() && node.domain != "ai.onnx") continue;
    const auto rule = rules.find(node.op_type);
    if (rule == rules.end()) continue;
    ShapeContext context(graph, id, contents);
    rule->second(context);
    propagate_content(context);
  }
}

}  // namespace octavo
