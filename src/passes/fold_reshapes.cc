#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "octavo/graph.h"
#include "prepare_passes.h"

namespace octavo::passes {
namespace {

bool has_computed_shape(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  return node.domain.empty() && node.op_type == "Reshape" && node.input(1) != kNoValue && node.output(0) != kNoValue &&
         graph.constant(node.input(1)) == nullptr;
}

/// What follows from inputs alone: sizes that the file declares for inner values may be those of one sample.
Graph inferred_anew(const Graph& graph) {
  Graph inferred = graph;
  for (const ValueId id : graph.values()) {
    Value& value = inferred.value(id);
    if (!value.is_constant() && !graph.is_input(id)) value.dims.reset();
  }
  infer_shapes(inferred);
  return inferred;
}

/// For Reshape: -1 for the open size. Nothing where several are open, or none is an element, which 0 says otherwise.
std::optional<std::vector<std::int64_t>> sizes_but_one(const Value& value) {
  if (!value.dims || value.dims->empty()) return std::nullopt;
  std::vector<std::int64_t> sizes;
  for (const Dim& dim : *value.dims) sizes.push_back(dim.known() ? dim.size : -1);
  const bool plain = std::count(sizes.begin(), sizes.end(), -1) <= 1 && std::count(sizes.begin(), sizes.end(), 0) == 0;
  return plain ? std::optional(std::move(sizes)) : std::nullopt;
}

}  // namespace

int fold_reshapes(Graph& graph) {
  const auto nodes = graph.nodes();
  if (std::none_of(nodes.begin(), nodes.end(), [&](NodeId id) { return has_computed_shape(graph, id); })) return 0;
  const Graph inferred = inferred_anew(graph);
  int changes = 0;
  for (const NodeId id : nodes) {
    if (!has_computed_shape(graph, id)) continue;
    const auto sizes = sizes_but_one(inferred.value(graph.node(id).output(0)));
    if (!sizes) continue;
    const auto rank = static_cast<std::int64_t>(sizes->size());
    const std::string name = graph.unique_value_name(graph.value(graph.node(id).output(0)).name + "_shape");
    graph.set_input(
        id, 1, graph.add_constant(name, Tensor::from<std::int64_t>({rank}, std::span<const std::int64_t>(*sizes))));
    ++changes;
  }
  return changes;
}

}  // namespace octavo::passes
