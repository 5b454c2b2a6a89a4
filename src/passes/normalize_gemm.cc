#include <vector>

#include "f32_constant.h"
#include "octavo/graph.h"
#include "prepare_passes.h"

namespace octavo::passes {
namespace {

Tensor scaled(const Tensor& tensor, float factor) {
  Tensor result = tensor;
  for (float& value : result.mutable_data<float>()) value *= factor;
  return result;
}

void set_constant(Graph& graph, NodeId id, std::size_t input, Tensor tensor) {
  const std::string& name = graph.value(graph.node(id).input(input)).name;
  graph.set_input(id, input, graph.add_constant(graph.unique_value_name(name), std::move(tensor)));
}

bool fold_factor(Graph& graph, NodeId id, std::string_view attribute, std::size_t input) {
  const float factor = graph.node(id).float_or(attribute, 1.0F);
  const ValueId value = graph.node(id).input(input);
  if (factor == 1.0F) return false;
  if (value != kNoValue) {
    const Tensor* tensor = f32_constant(graph, value);
    if (tensor == nullptr) return false;
    set_constant(graph, id, input, scaled(*tensor, factor));
  }
  auto& attributes = graph.mutable_node(id).attributes;
  attributes.erase(attributes.find(attribute));
  return true;
}

/// A bias of one number, or with a leading 1, as one number a column.
bool flatten_bias(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const Tensor* weight = f32_constant(graph, node.input(1));
  const Tensor* bias = f32_constant(graph, node.input(2));
  if (weight == nullptr || bias == nullptr || weight->rank() != 2) return false;
  const std::int64_t columns = weight->dim(node.int_or("transB", 0) != 0 ? 0 : 1);
  if (bias->rank() == 1 && bias->dim(0) == columns) return false;
  if (bias->size() == columns && (bias->rank() == 0 || bias->shape().back() == columns)) {
    set_constant(graph, id, 2, bias->reshaped({columns}));
    return true;
  }
  if (bias->size() != 1) return false;
  const std::vector<float> repeated(static_cast<std::size_t>(columns), bias->data<float>()[0]);
  set_constant(graph, id, 2, Tensor::from<float>({columns}, std::span<const float>(repeated)));
  return true;
}

}  // namespace

int normalize_gemm(Graph& graph) {
  int changes = 0;
  for (const NodeId id : graph.nodes()) {
    if (graph.node(id).op_type != "Gemm" || !graph.node(id).domain.empty()) continue;
    changes += fold_factor(graph, id, "alpha", 1) ? 1 : 0;
    changes += fold_factor(graph, id, "beta", 2) ? 1 : 0;
    changes += flatten_bias(graph, id) ? 1 : 0;
  }
  return changes;
}

}  // namespace octavo::passes
