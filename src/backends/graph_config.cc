#include "graph_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "octavo/core/names.h"
#include "octavo/error.h"
#include "onnx_operators.h"
#include "spans.h"

namespace octavo::planning {
namespace {

/// The one method that goes by the weight's observer.
constexpr std::string_view kTakesObserver = "minmax";

bool matches(const QOverride& over, std::string_view name) {
  return over.node.empty() || over.node == name || matches_glob(over.node, name);
}

[[noreturn]] void refuse_node(const Graph& graph, const std::string& name, const std::string& where) {
  std::vector<std::string_view> known;
  for (const NodeId id : graph.nodes()) known.push_back(name_of_node(graph, id));
  throw Error(ErrorCode::invalid_argument, fmt::format("{}the graph has no node '{}' once it is prepared{}", where,
                                                       name, suggestion(name, known, kSuggested)));
}

/// The types there are may be in the next model that the configuration is for; any other is a mistake.
void require_known_type(const Graph& graph, const std::string& type, const std::string& where) {
  std::set<std::string_view> types(onnx_operators().begin(), onnx_operators().end());
  for (const NodeId id : graph.nodes()) types.insert(graph.node(id).op_type);
  if (types.contains(type)) return;
  const std::vector<std::string_view> known(types.begin(), types.end());
  throw Error(ErrorCode::invalid_argument,
              fmt::format("{}op_type '{}' is not known{}", where, type, suggestion(type, known, kSuggested)));
}

}  // namespace

GraphConfig::GraphConfig(const Graph& graph, const BackendSpec& backend, const QConfig& config)
    : graph_(graph), backend_(backend), config_(config) {
  check_config(config, backend);
  activation_ = choose(config.activation, TensorKind::activation, backend, config.extensions, "");
  weight_ = choose(config.weight, TensorKind::weight, backend, config.extensions, "");
  for (std::size_t i = 0; i < config.overrides.size(); ++i) match_override(i);
  for (const QSpan& span : config.skipped_spans) {
    for (const NodeId id : nodes_between(graph, span)) {
      skip(id, fmt::format("skipped: it lies between '{}' and '{}'", span.from, span.to));
    }
  }
}

void GraphConfig::match_override(std::size_t index) {
  const QOverride& over = config_.overrides[index];
  std::size_t matched = 0;
  for (const NodeId id : graph_.nodes()) {
    const std::string& type = graph_.node(id).op_type;
    if (!over.op_type.empty() && over.op_type != type) continue;
    if (!matches(over, name_of_node(graph_, id))) continue;
    ++matched;
    by_node_[id].push_back(index);
    match_skip(id, over);
  }
  for (const ValueId id : graph_.inputs()) {
    if (!over.op_type.empty() || over.node.empty() || !matches(over, graph_.value(id).name)) continue;
    ++matched;
    by_input_[id].push_back(index);
  }
  if (matched > 0) return;
  const std::string where = where_of(config_, index);
  if (over.op_type.empty() && over.node.find_first_of("*?") == std::string::npos) refuse_node(graph_, over.node, where);
  if (!over.op_type.empty()) require_known_type(graph_, over.op_type, where);
  notes_.push_back(fmt::format("{}this is for no operator of the prepared graph ({}{}{})", where, over.op_type,
                               over.op_type.empty() || over.node.empty() ? "" : " ", over.node));
}

void GraphConfig::match_skip(NodeId id, const QOverride& over) {
  if (!over.skip) return;
  if (!*over.skip) {
    skipped_.erase(id);
    return;
  }
  skip(id, over.node.empty() ? fmt::format("skipped: all {} are", graph_.node(id).op_type)
                             : fmt::format("skipped by the name '{}'", over.node));
}

std::string GraphConfig::reason_to_skip(NodeId id) const {
  const auto found = skipped_.find(id);
  return found == skipped_.end() ? "" : found->second;
}

std::string GraphConfig::where(const Indices& indices) const {
  return indices.empty() ? "" : where_of(config_, indices.back());
}

TensorChoice GraphConfig::weight_of(NodeId id) const {
  const auto found = by_node_.find(id);
  if (found == by_node_.end()) return weight_;
  TensorQConfig config = config_.weight;
  for (const std::size_t index : found->second) {
    if (const auto& weight = config_.overrides[index].weight) config = merged(config, *weight);
  }
  return choose(config, TensorKind::weight, backend_, config_.extensions, where(found->second));
}

WeightMethodEntry GraphConfig::weight_method_of(NodeId id) const {
  std::string name = config_.weight_method;
  const auto found = by_node_.find(id);
  for (const std::size_t index : found == by_node_.end() ? Indices{} : found->second) {
    name = config_.overrides[index].weight_method.value_or(name);
  }
  for (const std::size_t index : name == kTakesObserver || found == by_node_.end() ? Indices{} : found->second) {
    const auto& weight = config_.overrides[index].weight;
    if (!weight || !weight->observer) continue;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}w_observer {} would have no effect on {}, for which weight_method '{}' finds its own "
                            "scales; leave out one of the two",
                            where_of(config_, index), weight->observer->type, describe(graph_, id), name));
  }
  return weight_method_named(name, config_.extensions, "");
}

GraphConfig::Indices GraphConfig::activation_overrides(ValueId id, std::span<const NodeId> writers) const {
  std::set<std::size_t> indices;
  const auto take = [&](const Indices& all) {
    std::copy_if(all.begin(), all.end(), std::inserter(indices, indices.end()),
                 [&](std::size_t index) { return config_.overrides[index].activation.has_value(); });
  };
  for (const NodeId writer : writers) {
    if (const auto found = by_node_.find(writer); found != by_node_.end()) take(found->second);
  }
  if (const auto found = by_input_.find(id); found != by_input_.end()) take(found->second);
  return {indices.begin(), indices.end()};
}

bool GraphConfig::overrides_activation(ValueId id, std::span<const NodeId> writers) const {
  return !activation_overrides(id, writers).empty();
}

bool GraphConfig::keeps_float(ValueId id, std::span<const NodeId> writers) const {
  return overrides_activation(id, writers) ? activation_of(id, writers).keeps_float : activation_.keeps_float;
}

TensorChoice GraphConfig::activation_of(ValueId id, std::span<const NodeId> writers) const {
  const Indices indices = activation_overrides(id, writers);
  if (indices.empty()) return activation_;
  TensorQConfig config = config_.activation;
  for (const std::size_t index : indices) config = merged(config, *config_.overrides[index].activation);
  return choose(config, TensorKind::activation, backend_, config_.extensions, where(indices));
}

}  // namespace octavo::planning
