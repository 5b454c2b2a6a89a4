#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "octavo/graph.h"
#include "prepare_passes.h"

namespace octavo::passes {
namespace {

/// What Shape gives out: sizes from `start` to before `end`, which opset 15 brought. Nothing where one is open.
std::optional<std::vector<std::int64_t>> sizes_of(const Graph& graph, const Node& node) {
  if (node.input(0) == kNoValue || !graph.value(node.input(0)).dims) return std::nullopt;
  const Dims& dims = *graph.value(node.input(0)).dims;
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto place = [rank](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const std::int64_t begin = place(node.int_or("start", 0));
  const std::int64_t end = place(node.int_or("end", rank));
  std::vector<std::int64_t> sizes;
  for (std::int64_t i = begin; i < end; ++i) {
    if (!dims[static_cast<std::size_t>(i)].known()) return std::nullopt;
    sizes.push_back(dims[static_cast<std::size_t>(i)].size);
  }
  return sizes;
}

/// Integers of a constant list or number; nothing where it is none.
std::optional<std::vector<std::int64_t>> integers(const Graph& graph, ValueId id) {
  const Tensor* tensor = graph.constant(id);
  if (tensor == nullptr || tensor->dtype() != DType::i64) return std::nullopt;
  const auto values = tensor->data<std::int64_t>();
  return std::vector<std::int64_t>(values.begin(), values.end());
}

/// What Gather takes out of all that Shape gives, although others of these sizes are open.
std::optional<std::vector<std::int64_t>> gathered_sizes(const Graph& graph, const Node& gather) {
  const NodeId producer = gather.input(0) == kNoValue ? kNoNode : graph.producer(gather.input(0));
  const auto places = integers(graph, gather.input(1));
  if (producer == kNoNode || !places) return std::nullopt;
  const Node& shape = graph.node(producer);
  if (shape.op_type != "Shape" || !shape.domain.empty() || shape.has("start") || shape.has("end")) return std::nullopt;
  if (shape.input(0) == kNoValue || !graph.value(shape.input(0)).dims) return std::nullopt;
  const Dims& dims = *graph.value(shape.input(0)).dims;
  const auto rank = static_cast<std::int64_t>(dims.size());
  std::vector<std::int64_t> sizes;
  for (const std::int64_t place : *places) {
    if (place < -rank || place >= rank) return std::nullopt;
    const Dim& dim = dims[static_cast<std::size_t>(place < 0 ? place + rank : place)];
    if (!dim.known()) return std::nullopt;
    sizes.push_back(dim.size);
  }
  return sizes;
}

/// Makes the node's result a constant.
void replace(Graph& graph, NodeId id, Shape shape, const std::vector<std::int64_t>& sizes) {
  const ValueId output = graph.node(id).output(0);
  graph.remove_node(id);
  Value& value = graph.value(output);
  value.dtype = DType::i64;
  value.dims.emplace();
  for (const std::int64_t size : shape) value.dims->push_back(Dim{size, {}});
  value.constant = Tensor::from<std::int64_t>(std::move(shape), std::span<const std::int64_t>(sizes));
}

}  // namespace

int fold_shapes(Graph& graph) {
  int changes = 0;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (!node.domain.empty() || node.output(0) == kNoValue || graph.is_output(node.output(0))) continue;
    std::optional<std::vector<std::int64_t>> sizes;
    if (node.op_type == "Shape") sizes = sizes_of(graph, node);
    if (node.op_type == "Gather") sizes = gathered_sizes(graph, node);
    if (!sizes) continue;
    const bool all = node.op_type == "Shape";
    Shape shape = all ? Shape{static_cast<std::int64_t>(sizes->size())} : graph.constant(node.input(1))->shape();
    replace(graph, id, std::move(shape), *sizes);
    ++changes;
  }
  return changes;
}

}  // namespace octavo::passes
