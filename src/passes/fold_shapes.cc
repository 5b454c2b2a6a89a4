#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
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

}  // namespace

int fold_shapes(Graph& graph) {
  int changes = 0;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    const ValueId output = node.output(0);
    if (node.op_type != "Shape" || !node.domain.empty() || output == kNoValue || graph.is_output(output)) continue;
    const auto sizes = sizes_of(graph, node);
    if (!sizes) continue;
    graph.remove_node(id);
    Value& value = graph.value(output);
    const auto count = static_cast<std::int64_t>(sizes->size());
    value.dtype = DType::i64;
    value.dims = Dims{Dim{count, {}}};
    value.constant = Tensor::from<std::int64_t>({count}, std::span<const std::int64_t>(*sizes));
    ++changes;
  }
  return changes;
}

}  // namespace octavo::passes
