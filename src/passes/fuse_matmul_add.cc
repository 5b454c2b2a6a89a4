#include "bypass.h"
#include "octavo/graph.h"
#include "prepare_passes.h"

namespace octavo::passes {
namespace {

bool is_matrix(const Graph& graph, ValueId id) {
  return graph.value(id).dims.has_value() && graph.value(id).dims->size() == 2;
}

/// The other input of `add` where it is a constant that broadcasts over rows: one number, or one a column.
ValueId row_constant(const Graph& graph, const Node& add, ValueId product, std::int64_t columns) {
  const ValueId other = add.input(0) == product ? add.input(1) : add.input(0);
  const Tensor* tensor = graph.constant(other);
  if (tensor == nullptr || tensor->dtype() != DType::f32 || tensor->rank() > 2) return kNoValue;
  const bool one_row = tensor->size() == columns && (tensor->rank() == 0 || tensor->shape().back() == columns);
  return one_row || tensor->size() == 1 ? other : kNoValue;
}

}  // namespace

int fuse_matmul_add(Graph& graph) {
  int changes = 0;
  for (const NodeId id : graph.nodes()) {
    if (!graph.contains_node(id)) continue;  // the Add of a pair found before
    const Node& matmul = graph.node(id);
    if (matmul.op_type != "MatMul" || !matmul.domain.empty() || !has_single_reader(graph, id)) continue;
    const Tensor* weight = graph.constant(matmul.input(1));
    if (weight == nullptr || weight->dtype() != DType::f32 || weight->rank() != 2) continue;
    if (!is_matrix(graph, matmul.input(0))) continue;
    const ValueId product = matmul.output(0);
    const NodeId reader = graph.consumers(product).front();
    if (graph.node(reader).op_type != "Add" || !graph.node(reader).domain.empty()) continue;
    const ValueId bias = row_constant(graph, graph.node(reader), product, weight->dim(1));
    if (bias == kNoValue) continue;

    Node gemm;
    gemm.name = matmul.name;
    gemm.op_type = "Gemm";
    gemm.inputs = {matmul.input(0), matmul.input(1), bias};
    gemm.outputs = {graph.node(reader).output(0)};
    graph.remove_node(reader);
    graph.mutable_node(id).name.clear();  // a name belongs to one node at a time
    graph.add_node(std::move(gemm), id);
    graph.remove_node(id);
    ++changes;
  }
  return changes;
}

}  // namespace octavo::passes
