#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "eligibility.h"
#include "planner.h"

namespace octavo::planning {
namespace {

bool all_are(const std::vector<std::int64_t>& values, std::int64_t wanted) {
  return std::all_of(values.begin(), values.end(), [&](std::int64_t value) { return value == wanted; });
}

bool is_narrow(const Node& node, const Tensor& weight, const NarrowWeights& narrow) {
  if (node.op_type != narrow.op_type || node.int_or("group", 1) != narrow.group) return false;
  const Shape& shape = weight.shape();
  return std::all_of(shape.begin() + 2, shape.end(), [&](std::int64_t size) { return size == narrow.kernel; }) &&
         all_are(node.ints_or("strides", {1}), narrow.stride) &&
         all_are(node.ints_or("dilations", {1}), narrow.dilation);
}

/// The dimension of output channels, or nothing where the backend has one scale for the whole weight.
std::optional<int> channel_axis(const Graph& graph, const Node& node, const OpRule& rule) {
  const Tensor& weight = *graph.constant(node.input(1));
  const std::int64_t groups = node.int_or("group", 1);
  const bool depthwise = weight.dim(0) == groups && weight.dim(1) == 1;
  if (rule.merges_groups && groups > 1 && !depthwise) return std::nullopt;
  return weight_channel_axis(graph, node);
}

}  // namespace

/// Nothing but a float input can keep a weighted operator without a reason of its own from running in integers.
bool Planner::has_integer_weight(NodeId id) const {
  const OpRule* rule = rule_of(id);
  if (rule == nullptr || rule->role != OpRole::weighted) return false;
  return is_integer(id) || reason_against_operator(id).empty();
}

QScheme Planner::weight_scheme(NodeId id, const TensorChoice& choice, Notes& notes) const {
  const Node& node = graph_.node(id);
  QScheme scheme = choice.scheme;
  Granularity granularity = choice.granularity;
  if (granularity == Granularity::per_group) {
    if (const auto axis = weight_input_axis(graph_, node)) {
      scheme.axis = *axis;
      scheme.group_size = choice.group_size;
    } else {
      granularity = Granularity::per_channel;
      notes.add(
          "a scale for each channel, though one for each group was asked for, which takes a matrix or a 1x1 "
          "kernel",
          describe(graph_, id));
    }
  }
  if (granularity == Granularity::per_channel) {
    const auto axis = channel_axis(graph_, node, *rule_of(id));
    if (axis) scheme.axis = *axis;
    if (!axis && choice.granularity_asked) {
      notes.add("one scale, though one for each channel was asked for, which the weight's form does not allow",
                describe(graph_, id));
    }
  }
  for (const NarrowWeights& narrow : backend_.narrow_weights) {
    if (!is_integer(id) || scheme.bits <= narrow.bits || !is_narrow(node, *graph_.constant(node.input(1)), narrow))
      continue;
    if (config_.full_range_weights()) {
      notes.add(fmt::format("weights of {} bits, as full_range_weights asks, though {}: switch that kernel off",
                            scheme.bits, narrow.reason),
                describe(graph_, id));
      continue;
    }
    scheme.bits = narrow.bits;
    notes.add(fmt::format("weights within {}, as {}", scheme.quant_max(), narrow.reason), describe(graph_, id));
  }
  return scheme;
}

/// `with_one_scale`: the planned activations that are not per channel.
void Planner::plan_weight(NodeId id, const std::set<ValueId>& with_one_scale, Plan& plan, Notes& notes) const {
  const TensorChoice choice = config_.weight_of(id);
  WeightPlan& weight = plan.weights.emplace_back();
  weight.node = id;
  weight.scheme = weight_scheme(id, choice, notes);
  weight.method = config_.weight_method_of(id);
  // Each override fits the global configuration; several may hold for one node.
  require_fitting_method(weight.method, weight.scheme, fmt::format("{}: ", describe(graph_, id)));
  weight.observer =
      observer_for(choice.observer ? choice.observer->name : "MinMaxObserver", weight.scheme, config_.extensions());
  weight.observer_options = choice.options;
  weight.observer_options.axis = std::max(weight.scheme.axis, 0);
  weight.fake_quant = choice.fake_quant;
  weight.storage = backend_.weight_storage;

  // Its unit is the product of one scale of the input and one of the output channel.
  weight.int32_bias =
      backend_.int32_bias && !weight.scheme.per_group() && with_one_scale.contains(graph_.node(id).input(0));
  if (weight.int32_bias && graph_.node(id).input(2) != kNoValue) plan.biases.push_back({id, 2, 1});
}

}  // namespace octavo::planning
