#include "planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "eligibility.h"

namespace octavo::planning {
namespace {

// Tails are rare values that carry little; cutting 0.001 % of them buys resolution for the rest. Where every
// value reaches the user or comes from him, nothing is cut.
constexpr std::string_view kObserver = "PercentileObserver";
constexpr std::string_view kExactObserver = "MinMaxObserver";

std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }

/// One past the largest id, so that ids can index vectors.
std::size_t bound(const std::vector<std::int32_t>& ids) {
  return ids.empty() ? 0 : index(*std::max_element(ids.begin(), ids.end())) + 1;
}

bool has_one_data_input(const OpRule& rule) { return rule.role == OpRole::weighted || rule.role == OpRole::moves_data; }

}  // namespace

Planner::Planner(const Graph& graph, const BackendSpec& backend, const QConfig& config)
    : graph_(graph), backend_(backend), config_(config), order_(graph.nodes()) {
  const std::size_t nodes = bound(order_);
  const std::size_t values = bound(graph.values());
  rules_.resize(nodes);
  integer_.resize(nodes);
  fused_into_.resize(nodes, kNoNode);
  reasons_.resize(nodes);
  reaches_integer_.resize(values);
  quantized_.resize(values);
  shares_with_.resize(values);
  std::iota(shares_with_.begin(), shares_with_.end(), 0);

  for (const NodeId id : order_) rules_[index(id)] = backend.rule_for(graph.node(id).op_type);
  // Backwards, so that the readers of a result are decided before the node that computes it.
  for (auto it = order_.rbegin(); it != order_.rend(); ++it) {
    reasons_[index(*it)] = reason_against_node(*it);
    if (reasons_[index(*it)].empty()) mark_integer(*it);
  }
  drop_unfed_movers();
  mark_reaching();
  for (const NodeId id : order_) {
    if (is_integer(id)) quantize_around(id);
  }
}

std::string Planner::reason_against_node(NodeId id) const {
  const Node& node = graph_.node(id);
  const OpRule* rule = rules_[index(id)];
  if (rule == nullptr) return fmt::format("{} has no integer kernel in {}", node.op_type, backend_.name);
  if (rule->role == OpRole::activation) return "no integer operator before it to fuse into";
  std::string reason = reason_against(graph_, node, *rule);
  if (!reason.empty() || rule->role == OpRole::weighted) return reason;
  for (const ValueId output : node.outputs) {
    if (output == kNoValue) continue;
    reason = reason_against_readers(output == node.output(0) ? result_of(id) : output);
    if (!reason.empty()) return reason;
  }
  return {};
}

std::string Planner::reason_against_readers(ValueId result) const {
  if (graph_.is_output(result)) return "its result leaves the graph, where float keeps accuracy";
  for (const NodeId reader : graph_.consumers(result)) {
    if (!reads_integers(reader, result)) return "a float operator reads its result";
  }
  return {};
}

/// Scales, fill values and the like stay what they are, whatever the operator does with its data.
bool Planner::reads_integers(NodeId reader, ValueId value) const {
  if (!is_integer(reader)) return false;
  if (!has_one_data_input(*rules_[index(reader)])) return true;
  const auto& inputs = graph_.node(reader).inputs;
  return std::find(inputs.begin() + 1, inputs.end(), value) == inputs.end();
}

/// What a node computes, the activation that alone reads it included: no pair comes between the two.
ValueId Planner::result_of(NodeId id) const {
  const ValueId output = graph_.node(id).output(0);
  if (rules_[index(id)]->role != OpRole::weighted && rules_[index(id)]->role != OpRole::computes) return output;
  if (graph_.use_count(output) != 1 || graph_.is_output(output) || graph_.is_captured(output)) return output;
  const NodeId reader = graph_.consumers(output).front();
  const OpRule* rule = rules_[index(reader)];
  if (rule == nullptr || rule->role != OpRole::activation || graph_.node(reader).input(0) != output) return output;
  return reason_against(graph_, graph_.node(reader), *rule).empty() ? graph_.node(reader).output(0) : output;
}

/// Moving integers makes sense only where integers come in.
void Planner::drop_unfed_movers() {
  for (const NodeId id : order_) {
    if (!is_integer(id)) continue;
    const ValueId result = result_of(id);
    if (result != graph_.node(id).output(0)) {
      fused_into_[index(graph_.producer(result))] = id;
      mark_integer(graph_.producer(result));
    }
    const OpRule* rule = rules_[index(id)];
    if (rule == nullptr || rule->role != OpRole::moves_data) continue;
    const NodeId producer = graph_.producer(graph_.node(id).input(0));
    if (producer == kNoNode ? graph_.is_input(graph_.node(id).input(0)) : is_integer(producer)) continue;
    integer_[index(id)] = false;
    reasons_[index(id)] = "its input comes from a float operator";
  }
}

void Planner::mark_reaching() {
  for (auto it = order_.rbegin(); it != order_.rend(); ++it) {
    const Node& node = graph_.node(*it);
    const bool reaches = (is_integer(*it) && fused_into_[index(*it)] == kNoNode) ||
                         std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId output) {
                           return output != kNoValue && reaches_integer_[index(output)];
                         });
    if (!reaches) continue;
    for (const ValueId input : node.inputs) {
      if (input != kNoValue) reaches_integer_[index(input)] = true;
    }
  }
}

void Planner::quantize_around(NodeId id) {
  const Node& node = graph_.node(id);
  const OpRule* rule = rules_[index(id)];
  if (rule->role == OpRole::activation) return;  // its host answers for it
  for (std::size_t i = 0; i < (has_one_data_input(*rule) ? 1 : node.inputs.size()); ++i) quantize(node.input(i));
  if (rule->role == OpRole::weighted || rule->role == OpRole::computes) {
    // A float result is quantized by whichever integer operator reads it.
    if (!rule->float_output) quantize(result_of(id));
    return;
  }
  for (const ValueId output : node.outputs) {
    if (output == kNoValue) continue;
    quantize(output);
    share(node.input(0), output);
  }
  if (rule->role != OpRole::joins) return;
  for (const ValueId input : node.inputs) share(node.input(0), input);
}

void Planner::quantize(ValueId id) {
  if (id != kNoValue && !graph_.value(id).is_constant()) quantized_[index(id)] = true;
}

void Planner::share(ValueId a, ValueId b) {
  const ValueId first = group_of(a);
  const ValueId second = group_of(b);
  shares_with_[index(std::max(first, second))] = std::min(first, second);
}

ValueId Planner::group_of(ValueId id) const {
  while (shares_with_[index(id)] != id) id = shares_with_[index(id)];
  return id;
}

bool Planner::integer_producer(ValueId id) const {
  const NodeId producer = graph_.producer(id);
  return producer != kNoNode && is_integer(producer);
}

bool Planner::wants_exact_range(ValueId id) const { return graph_.is_input(id) || !reaches_integer_[index(id)]; }

Plan Planner::plan() const {
  Plan plan;
  std::map<ValueId, bool> exact;  // by group
  for (const ValueId id : graph_.values()) {
    if (!quantized_[index(id)]) continue;
    const auto [entry, first] = exact.try_emplace(group_of(id), true);
    entry->second = entry->second && wants_exact_range(id);
  }
  for (const ValueId id : graph_.values()) {
    if (!quantized_[index(id)]) continue;
    const std::string_view observer = exact.at(group_of(id)) ? kExactObserver : kObserver;
    ActivationPlan& activation = plan.activations.emplace_back();
    activation.value = id;
    activation.scheme = backend_.activation;
    activation.observer = *find_observer(observer);
    activation.group = group_of(id);
    activation.integer_producer = integer_producer(id);
  }
  for (const NodeId id : order_) {
    if (!is_integer(id)) continue;
    plan.integer_nodes.insert(id);
    if (rules_[index(id)]->role != OpRole::weighted) continue;
    QScheme scheme = backend_.weight;
    const auto axis = weight_channel_axis(graph_, graph_.node(id));
    if (backend_.per_channel_weights && axis) scheme.axis = *axis;
    WeightPlan& weight = plan.weights.emplace_back();
    weight.node = id;
    weight.scheme = scheme;
    if (scheme.per_channel()) weight.observer = *find_observer("PerChannelMinMaxObserver");
    weight.observer_options.axis = std::max(scheme.axis, 0);
    if (backend_.int32_bias && graph_.node(id).input(2) != kNoValue) plan.biases.push_back({id, 2, 1});
  }
  return plan;
}

std::vector<NodeSupport> Planner::support() const {
  std::vector<NodeSupport> support;
  for (const NodeId id : order_) support.push_back({id, is_integer(id), is_integer(id) ? "" : reasons_[index(id)]});
  return support;
}

}  // namespace octavo::planning
