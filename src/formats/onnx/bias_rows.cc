#include "onnx/bias_rows.h"

#include <map>
#include <utility>

#include "qdq.h"

namespace octavo::formats::onnx_file {
namespace {

/// Whether the value is a product of integers by a constant matrix, of more than two dimensions.
bool is_stack_of_products(const Graph& graph, ValueId value) {
  const NodeId producer = value == kNoValue ? kNoNode : graph.producer(value);
  if (producer == kNoNode || !is_standard(graph.node(producer), "MatMul")) return false;
  const Node& matmul = graph.node(producer);
  const auto& dims = graph.value(matmul.input(0)).dims;
  if (!dims || dims->size() < 3) return false;
  const auto weight = dequantized(graph, matmul.input(1));
  return weight && graph.constant(weight->integers) != nullptr && dequantized(graph, matmul.input(0));
}

ValueId add_row(Graph& graph, ValueId bias) {
  Tensor row = graph.constant(bias)->reshaped({1, graph.constant(bias)->size()});
  return graph.add_constant(graph.unique_value_name(graph.value(bias).name + "_row"), std::move(row));
}

}  // namespace

void write_biases_as_rows(Graph& graph) {
  std::map<ValueId, ValueId> rows;
  for (const NodeId id : graph.nodes()) {
    if (!is_standard(graph.node(id), "Add")) continue;
    for (const std::size_t index : {0U, 1U}) {
      const ValueId bias = graph.node(id).input(index);
      const Tensor* constant = graph.constant(bias);
      if (constant == nullptr || constant->rank() != 1) continue;
      if (!is_stack_of_products(graph, graph.node(id).input(1 - index))) continue;
      const auto [row, is_new] = rows.try_emplace(bias, kNoValue);
      if (is_new) row->second = add_row(graph, bias);
      graph.set_input(id, index, row->second);
    }
  }
  graph.remove_dead();
}

}  // namespace octavo::formats::onnx_file
