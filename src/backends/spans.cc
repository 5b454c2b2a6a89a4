#include "spans.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "octavo/core/names.h"
#include "octavo/error.h"

namespace octavo::planning {
namespace {

std::string where_of(const QSpan& span) { return span.where.empty() ? "skipped span" : span.where; }

[[noreturn]] void refuse_name(const Graph& graph, const QSpan& span, std::string_view name) {
  std::vector<std::string_view> known;
  for (const NodeId id : graph.nodes()) known.push_back(name_of_node(graph, id));
  for (const ValueId id : graph.values()) {
    if (!graph.value(id).is_constant()) known.emplace_back(graph.value(id).name);
  }
  throw Error(ErrorCode::invalid_argument, fmt::format("{}: the graph has no node or value '{}'{}", where_of(span),
                                                       name, suggestion(name, known, kSuggested)));
}

/// The nodes that an end of `span` stands for: the node of that name, or what reads (`forwards`) or computes the value.
std::set<NodeId> nodes_at(const Graph& graph, const QSpan& span, bool forwards) {
  const std::string& name = forwards ? span.from : span.to;
  for (const NodeId id : graph.nodes()) {
    if (name_of_node(graph, id) == name) return {id};
  }
  const auto value = graph.find_value(name);
  if (!value || graph.value(*value).is_constant()) refuse_name(graph, span, name);
  if (forwards) {
    const auto readers = graph.consumers(*value);
    return {readers.begin(), readers.end()};
  }
  if (graph.producer(*value) == kNoNode) return {};
  return {graph.producer(*value)};
}

bool touches(const std::vector<ValueId>& values, const std::set<ValueId>& reached) {
  return std::any_of(values.begin(), values.end(), [&](ValueId id) { return reached.contains(id); });
}

}  // namespace

std::vector<NodeId> nodes_between(const Graph& graph, const QSpan& span) {
  const auto first = nodes_at(graph, span, true);
  const auto last = nodes_at(graph, span, false);
  const auto order = graph.nodes();
  std::set<ValueId> below;
  std::vector<NodeId> after;
  for (const NodeId id : order) {
    const Node& node = graph.node(id);
    if (!first.contains(id) && !touches(node.inputs, below) && !touches(node.captured, below)) continue;
    after.push_back(id);
    below.insert(node.outputs.begin(), node.outputs.end());
    below.erase(kNoValue);
  }
  std::set<ValueId> above;
  std::vector<NodeId> between;
  for (auto it = after.rbegin(); it != after.rend(); ++it) {
    const Node& node = graph.node(*it);
    if (!last.contains(*it) && !touches(node.outputs, above)) continue;
    between.push_back(*it);
    above.insert(node.inputs.begin(), node.inputs.end());
    above.insert(node.captured.begin(), node.captured.end());
    above.erase(kNoValue);
  }
  if (between.empty()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}: no way leads from '{}' to '{}'; is it the other way round?", where_of(span), span.from,
                            span.to));
  }
  std::reverse(between.begin(), between.end());
  return between;
}

}  // namespace octavo::planning
