#include "planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "eligibility.h"

namespace octavo::planning {
namespace {

std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }

/// One past the largest id, so that ids can index vectors.
std::size_t bound(const std::vector<std::int32_t>& ids) {
  return ids.empty() ? 0 : index(*std::max_element(ids.begin(), ids.end())) + 1;
}

bool has_one_data_input(const OpRule& rule) { return rule.role == OpRole::weighted || rule.role == OpRole::moves_data; }

}  // namespace

Planner::Planner(const Graph& graph, const BackendSpec& backend, const QConfig& config)
    : graph_(graph), backend_(backend), config_(graph, backend, config), order_(graph.nodes()) {
  const std::size_t nodes = bound(order_);
  const std::size_t values = bound(graph.values());
  rules_.resize(nodes);
  integer_.resize(nodes);
  fused_into_.resize(nodes, kNoNode);
  reasons_.resize(nodes);
  reaches_integer_.resize(values);
  kept_float_.resize(values);
  rectified_.resize(values);
  quantized_.resize(values);
  shares_with_.resize(values);
  std::iota(shares_with_.begin(), shares_with_.end(), 0);

  for (const NodeId id : order_) rules_[index(id)] = backend.rule_for(graph.node(id).op_type);
  find_kept_floats();
  // Backwards, so that the readers of a result are decided before the node that computes it.
  for (auto it = order_.rbegin(); it != order_.rend(); ++it) {
    reasons_[index(*it)] = reason_against_node(*it);
    if (reasons_[index(*it)].empty()) mark_integer(*it);
  }
  drop_unfed_movers();
  mark_reaching();
  find_rectified();
  for (const NodeId id : order_) {
    if (is_integer(id)) quantize_around(id);
  }
  flatten_groups();
}

/// The operator that computes the value and, before it, the activation that is fused into that.
std::vector<NodeId> Planner::writers_of(ValueId id) const {
  const NodeId producer = graph_.producer(id);
  if (producer == kNoNode) return {};
  const OpRule* rule = rule_of(producer);
  if (rule == nullptr || rule->role != OpRole::activation) return {producer};
  const NodeId host = graph_.producer(graph_.node(producer).input(0));
  if (host == kNoNode || rule_of(host) == nullptr || result_of(host) != id) return {producer};
  return {producer, host};
}

void Planner::find_kept_floats() {
  for (const ValueId id : graph_.values()) {
    if (!graph_.value(id).is_constant()) kept_float_[index(id)] = config_.keeps_float(id, writers_of(id));
  }
}

std::string Planner::reason_against_operator(NodeId id) const {
  if (std::string reason = config_.reason_to_skip(id); !reason.empty()) return reason;
  const Node& node = graph_.node(id);
  const OpRule* rule = rule_of(id);
  if (rule == nullptr) return fmt::format("{} has no integer kernel in {}", node.op_type, backend_.name);
  if (rule->role == OpRole::activation) return "no integer operator before it to fuse into";
  return reason_against(graph_, node, *rule);
}

std::string Planner::reason_against_kept_floats(NodeId id) const {
  const Node& node = graph_.node(id);
  const bool weighted = rule_of(id)->role == OpRole::weighted;
  if (weighted && is_kept_float(node.input(0))) {
    return fmt::format("its input '{}' stays in float, as the configuration has it; its weight becomes integers",
                       graph_.value(node.input(0)).name);
  }
  if (weighted) return {};
  std::vector<ValueId> values = node.inputs;
  values.insert(values.end(), node.outputs.begin(), node.outputs.end());
  values.push_back(result_of(id));
  for (const ValueId value : values) {
    if (!is_kept_float(value)) continue;
    return fmt::format("'{}' stays in float, as the configuration has it", graph_.value(value).name);
  }
  return {};
}

std::string Planner::reason_against_node(NodeId id) const {
  std::string reason = reason_against_operator(id);
  if (reason.empty() && rule_of(id)->role == OpRole::residual) return reason_against_residual(id);
  if (reason.empty()) reason = reason_against_kept_floats(id);
  if (!reason.empty() || rule_of(id)->role == OpRole::weighted) return reason;
  const Node& node = graph_.node(id);
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
  const OpRole role = rules_[index(id)]->role;
  if (role != OpRole::weighted && role != OpRole::computes && role != OpRole::residual) return output;
  if (graph_.use_count(output) != 1 || graph_.is_output(output) || graph_.is_captured(output)) return output;
  const NodeId reader = graph_.consumers(output).front();
  const OpRule* rule = rules_[index(reader)];
  if (rule == nullptr || rule->role != OpRole::activation || graph_.node(reader).input(0) != output) return output;
  if (!config_.reason_to_skip(reader).empty()) return output;
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
  if (rule->role == OpRole::residual) return quantize(skip_branch(id));
  for (std::size_t i = 0; i < (has_one_data_input(*rule) ? 1 : node.inputs.size()); ++i) quantize(node.input(i));
  if (rule->role == OpRole::weighted || rule->role == OpRole::computes) {
    // A float result is quantized by whichever integer operator reads it.
    if (!rule->float_output) quantize(result_of(id));
    return;
  }
  for (const ValueId output : node.outputs) {
    if (output == kNoValue) continue;
    quantize(output);
    if (rule->role != OpRole::joins) share(node.input(0), output);
  }
  if (rule->role == OpRole::joins) join(node);
}

/// What a fused Relu computes keeps parameters of its own where other inputs may be negative: saturation does not do
/// what the Relu does in a range that reaches below 0, and the operator before it would run in float.
void Planner::join(const Node& node) {
  const bool all = std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return is_rectified(id); });
  for (const ValueId input : node.inputs) {
    if (all || !is_rectified(input)) share(node.output(0), input);
  }
}

/// Results of fused Relus, and what is moved, joined and averaged of them alone.
void Planner::find_rectified() {
  for (const NodeId id : order_) {
    const Node& node = graph_.node(id);
    const OpRule* rule = rule_of(id);
    bool rectified = fused_into_[index(id)] != kNoNode && node.op_type == "Relu";
    const bool keeps_sign = node.op_type.ends_with("AveragePool");
    if (keeps_sign || (rule != nullptr && rule->role == OpRole::moves_data)) rectified = is_rectified(node.input(0));
    if (rule != nullptr && rule->role == OpRole::joins) {
      rectified = std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId x) { return is_rectified(x); });
    }
    for (const ValueId output : node.outputs) {
      if (output != kNoValue) rectified_[index(output)] = rectified;
    }
  }
}

void Planner::quantize(ValueId id) {
  if (id != kNoValue && !graph_.value(id).is_constant() && !is_kept_float(id)) quantized_[index(id)] = true;
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

/// Long chains of joined values would otherwise be walked once for each of them.
void Planner::flatten_groups() {
  // Towards lower values alone: those before are settled.
  for (ValueId& first : shares_with_) first = shares_with_[index(first)];
}

bool Planner::integer_producer(ValueId id) const {
  const auto writers = writers_of(id);
  if (writers.empty() || !is_integer(writers.front())) return false;
  if (!backend_.splits_outputs || !rule_of(writers.back())->float_output) return true;
  if (graph_.is_output(id) || graph_.is_captured(id)) return false;
  const auto readers = graph_.consumers(id);
  return std::all_of(readers.begin(), readers.end(), [&](NodeId reader) { return reads_integers(reader, id); });
}

bool Planner::adds_values(ValueId id) const {
  const NodeId producer = graph_.producer(id);
  if (producer == kNoNode || !is_integer(producer) || rule_of(producer) == nullptr) return true;
  const OpRole role = rule_of(producer)->role;
  if (role != OpRole::joins) return role != OpRole::moves_data;
  const auto& inputs = graph_.node(producer).inputs;
  return std::any_of(inputs.begin(), inputs.end(), [&](ValueId input) { return group_of(input) != group_of(id); });
}

Plan Planner::plan() const {
  Plan plan;
  plan.notes = config_.notes();
  Notes notes;
  plan_activations(plan, notes);
  std::set<ValueId> with_one_scale;
  for (const ActivationPlan& activation : plan.activations) {
    if (!activation.scheme.per_channel()) with_one_scale.insert(activation.value);
  }
  for (const NodeId id : order_) {
    if (is_integer(id)) plan.integer_nodes.insert(id);
    if (has_integer_weight(id)) plan_weight(id, with_one_scale, plan, notes);
  }
  for (std::string& line : notes.lines()) plan.notes.push_back(std::move(line));
  return plan;
}

std::vector<NodeSupport> Planner::support() const {
  std::vector<NodeSupport> support;
  for (const NodeId id : order_) support.push_back({id, is_integer(id), is_integer(id) ? "" : reasons_[index(id)]});
  return support;
}

}  // namespace octavo::planning
