#include "planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "eligibility.h"

namespace octavo::planning {
namespace {

std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }

/// One past the largest id, so that ids can index vectors.
template <typename Ids>
std::size_t bound(const Ids& ids) {
  return ids.empty() ? 0 : index(*std::max_element(ids.begin(), ids.end())) + 1;
}

}  // namespace

Planner::Planner(const Graph& graph, const BackendSpec& backend)
    : graph_(graph), backend_(backend), order_(graph.nodes()) {
  before_weight_.resize(bound(order_));
  integer_.resize(bound(order_));
  fused_into_.resize(bound(order_), kNoNode);
  quantized_.resize(bound(graph.values()));
  shares_with_.resize(quantized_.size());
  std::iota(shares_with_.begin(), shares_with_.end(), 0);

  for (const NodeId id : order_) {
    const OpRule* rule = backend.rule_for(graph.node(id).op_type);
    if (rule != nullptr && rule->role == OpRole::weighted) visit_weighted(id, *rule);
  }
  mark_nodes_before_weights();
  for (const NodeId id : order_) {
    const OpRule* rule = backend.rule_for(graph.node(id).op_type);
    if (rule == nullptr) {
      support_.push_back(
          {id, false, fmt::format("{} has no integer kernel in {}", graph.node(id).op_type, backend.name)});
    } else if (rule->role == OpRole::weighted) {
      const std::string reason = reason_against(graph, graph.node(id), *rule);
      support_.push_back({id, reason.empty(), reason});
    } else {
      visit_follower(id, *rule);
    }
  }
}

void Planner::visit_weighted(NodeId id, const OpRule& rule) {
  if (!reason_against(graph_, graph_.node(id), rule).empty()) return;
  integer_[index(id)] = true;
  quantize(graph_.node(id).input(0));
  fuse_activation(id);
  if (!rule.float_output) quantize(result_of(id));
}

/// Everything behind the last weighted operator, the head, stays in float: there 8 bits would round what
/// nothing averages any more, and there is next to nothing to compute.
void Planner::mark_nodes_before_weights() {
  for (auto it = order_.rbegin(); it != order_.rend(); ++it) {
    for (const ValueId output : graph_.node(*it).outputs) {
      if (output == kNoValue) continue;
      for (const NodeId reader : graph_.consumers(output)) {
        const OpRule* rule = backend_.rule_for(graph_.node(reader).op_type);
        const bool weighted = rule != nullptr && rule->role == OpRole::weighted && integer_[index(reader)];
        if (weighted || before_weight_[index(reader)]) before_weight_[index(*it)] = true;
      }
    }
  }
}

std::string Planner::reason_against_follower(NodeId id, const OpRule& rule) const {
  const Node& node = graph_.node(id);
  std::string reason = reason_against(graph_, node, rule);
  if (!reason.empty()) return reason;
  if (!before_weight_[index(id)]) return "it comes after the last weighted operator, where float keeps accuracy";
  const std::size_t data_inputs = rule.role == OpRole::moves_data ? 1 : node.inputs.size();
  for (std::size_t i = 0; i < data_inputs; ++i) {
    if (!is_quantized(node.input(i))) return "not all of its inputs come from integer operators";
  }
  return {};
}

void Planner::visit_follower(NodeId id, const OpRule& rule) {
  if (rule.role == OpRole::activation) {
    const NodeId host = fused_into_[index(id)];
    support_.push_back({id, host != kNoNode, host != kNoNode ? "" : "no integer operator before it to fuse into"});
    return;
  }
  const std::string reason = reason_against_follower(id, rule);
  support_.push_back({id, reason.empty(), reason});
  if (!reason.empty()) return;
  integer_[index(id)] = true;
  const Node& node = graph_.node(id);
  if (rule.role == OpRole::computes) {
    fuse_activation(id);
    quantize(result_of(id));
    return;
  }
  for (const ValueId output : node.outputs) {
    if (output == kNoValue) continue;
    quantize(output);
    share(node.input(0), output);
  }
  if (rule.role != OpRole::joins) return;
  for (const ValueId input : node.inputs) share(node.input(0), input);
}

/// An activation that alone reads a node's output is computed with it: the pair goes behind both.
void Planner::fuse_activation(NodeId id) {
  const ValueId output = graph_.node(id).output(0);
  if (graph_.use_count(output) != 1 || graph_.is_output(output)) return;
  const NodeId reader = graph_.consumers(output).front();
  const OpRule* rule = backend_.rule_for(graph_.node(reader).op_type);
  if (rule == nullptr || rule->role != OpRole::activation || graph_.node(reader).input(0) != output) return;
  if (reason_against(graph_, graph_.node(reader), *rule).empty()) fused_into_[index(reader)] = id;
}

/// What a node computes, its fused activation included.
ValueId Planner::result_of(NodeId id) const {
  const ValueId output = graph_.node(id).output(0);
  for (const NodeId reader : graph_.consumers(output)) {
    if (fused_into_[index(reader)] == id) return graph_.node(reader).output(0);
  }
  return output;
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

Plan Planner::plan() const {
  Plan plan;
  for (const ValueId id : graph_.values()) {
    if (is_quantized(id)) plan.activations.push_back({id, backend_.activation, group_of(id)});
  }
  for (const NodeId id : order_) {
    const Node& node = graph_.node(id);
    const OpRule* rule = backend_.rule_for(node.op_type);
    if (!integer_[index(id)] || rule->role != OpRole::weighted) continue;
    QScheme scheme = backend_.weight;
    const auto axis = weight_channel_axis(graph_, node);
    if (backend_.per_channel_weights && axis) scheme.axis = *axis;
    plan.weights.push_back({id, 1, scheme});
    const Tensor* bias = graph_.constant(node.input(2));
    if (backend_.int32_bias && bias != nullptr && bias->rank() == 1) plan.biases.push_back({id, 2, 1});
  }
  return plan;
}

}  // namespace octavo::planning
