#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "octavo/error.h"
#include "planner.h"

namespace octavo::planning {
namespace {

// Tails are rare values that carry little; cutting 0.001 % of them buys resolution for the rest. Where every
// value reaches the user or comes from him, nothing is cut.
constexpr std::string_view kObserver = "PercentileObserver";
constexpr std::string_view kExactObserver = "MinMaxObserver";

constexpr int kChannelAxis = 1;
/// Batch, channels and at least one dimension behind them.
constexpr std::size_t kLeastRank = 3;

/// Elements behind the channels; nothing where they are not known.
std::optional<std::int64_t> plane_size(const Value& value) {
  if (!value.dims) return std::nullopt;
  std::int64_t size = 1;
  for (std::size_t i = 2; i < value.dims->size(); ++i) {
    const Dim& dim = (*value.dims)[i];
    if (!dim.known() || dim.size > (std::int64_t{1} << 31)) return std::nullopt;
    size = std::min(size * std::max<std::int64_t>(dim.size, 1), std::int64_t{1} << 31);
  }
  return size;
}

bool same_options(const ObserverOptions& a, const ObserverOptions& b) {
  return a.averaging_constant == b.averaging_constant && a.percentile == b.percentile && a.bins == b.bins &&
         a.batch_size == b.batch_size && a.extra == b.extra;
}

bool same_parameters(const TensorChoice& a, const TensorChoice& b) {
  const auto name = [](const TensorChoice& choice) { return choice.observer ? choice.observer->name : ""; };
  return name(a) == name(b) && same_options(a.options, b.options) && a.fake_quant.name == b.fake_quant.name &&
         a.scheme == b.scheme && a.granularity == b.granularity;
}

}  // namespace

/// What holds for values that share their parameters.
struct Planner::Group {
  std::optional<TensorChoice> choice;
  ValueId chosen_by = kNoValue;  // whose override decided; kNoValue: none spoke
  bool exact = true;
  bool by_rule = false;
  bool per_channel = true;
  std::optional<std::int64_t> channels;  // of every value so far, where per_channel
};

/// What of a choice could not be done.
struct Planner::ActivationNotes {
  bool one_scale = false;
  std::string_view instead_of;
};

bool Planner::wants_exact_range(ValueId id) const {
  return graph_.is_input(id) || !reaches_integer_[static_cast<std::size_t>(id)];
}

bool Planner::meets_observer_rule(ValueId id) const {
  const ObserverRule& rule = backend_.observer_rule;
  if (rule.observer.empty()) return false;
  if (rule.inputs && graph_.is_input(id)) return true;
  const auto plane = plane_size(graph_.value(id));
  return plane && *plane < rule.plane_below;
}

/// Where the channels are known and every integer operator around takes scales of their own.
bool Planner::may_be_per_channel(ValueId id) const {
  const Value& value = graph_.value(id);
  if (!value.dims || value.dims->size() < kLeastRank || !(*value.dims)[kChannelAxis].known()) return false;
  std::vector<NodeId> neighbours = writers_of(id);
  const auto readers = graph_.consumers(id);
  neighbours.insert(neighbours.end(), readers.begin(), readers.end());
  return std::none_of(neighbours.begin(), neighbours.end(), [&](NodeId node) {
    return is_integer(node) && rule_of(node) != nullptr && rule_of(node)->per_tensor_only;
  });
}

void Planner::add_to_group(ValueId id, Group& group) const {
  group.exact = group.exact && wants_exact_range(id);
  group.by_rule = group.by_rule || meets_observer_rule(id);
  group.per_channel = group.per_channel && may_be_per_channel(id);
  if (group.per_channel) {
    const std::int64_t channels = (*graph_.value(id).dims)[kChannelAxis].size;
    group.per_channel = group.channels.value_or(channels) == channels;
    group.channels = channels;
  }
  const auto writers = writers_of(id);
  TensorChoice choice = config_.activation_of(id, writers);
  if (choice.reuses_input) {
    const OpRule* rule = writers.empty() ? nullptr : rule_of(writers.front());
    if (rule != nullptr && (rule->role == OpRole::moves_data || rule->role == OpRole::joins)) return;
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("a_observer: {} is for operators that move data alone; '{}' comes from {}", choice.observer->name,
                    graph_.value(id).name, writers.empty() ? "outside" : describe(graph_, writers.front())));
  }
  if (!config_.overrides_activation(id, writers)) {
    if (!group.choice) group.choice = std::move(choice);
    return;
  }
  if (group.chosen_by != kNoValue && !same_parameters(*group.choice, choice)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("overrides disagree about '{}' and '{}', which share their parameters with {}: give both "
                            "the same",
                            graph_.value(group.chosen_by).name, graph_.value(id).name, backend_.name));
  }
  group.choice = std::move(choice);
  group.chosen_by = id;
}

/// The choice of a group as a scheme and an observer.
ActivationPlan Planner::activation_plan(const Group& group, ActivationNotes& told) const {
  const TensorChoice choice = group.choice ? *group.choice : config_.activation_of(kNoValue, {});
  ActivationPlan activation;
  activation.scheme = choice.scheme;
  const bool wants_channels = choice.granularity == Granularity::per_channel;
  if (wants_channels && group.per_channel) activation.scheme.axis = kChannelAxis;
  told.one_scale = wants_channels && !group.per_channel;
  const std::string_view unnamed = !backend_.observer.empty() ? backend_.observer
                                   : group.exact              ? kExactObserver
                                                              : kObserver;
  const std::string_view usual = choice.observer ? choice.observer->name : unnamed;
  activation.observer =
      observer_for(group.by_rule ? backend_.observer_rule.observer : usual, activation.scheme, config_.extensions());
  if (choice.observer && per_tensor_name(usual) != per_tensor_name(activation.observer.name)) told.instead_of = usual;
  activation.observer_options = choice.options;
  activation.observer_options.axis = std::max(activation.scheme.axis, 0);
  activation.fake_quant = choice.fake_quant;
  return activation;
}

void Planner::plan_activations(Plan& plan, Notes& notes) const {
  std::map<ValueId, Group> groups;
  std::vector<ValueId> quantized;
  for (const ValueId id : graph_.values()) {
    if (!quantized_[static_cast<std::size_t>(id)]) continue;
    quantized.push_back(id);
    add_to_group(id, groups[group_of(id)]);
  }
  for (const ValueId id : quantized) {
    ActivationNotes told;
    ActivationPlan& activation = plan.activations.emplace_back(activation_plan(groups.at(group_of(id)), told));
    activation.value = id;
    activation.group = group_of(id);
    activation.integer_producer = integer_producer(id);
    activation.adds_values = adds_values(id);
    const std::string name = fmt::format("'{}'", graph_.value(id).name);
    if (told.one_scale)
      notes.add("one scale, though one for each channel was asked for, which what is beside it cannot take", name);
    if (!told.instead_of.empty()) {
      notes.add(fmt::format("{} instead of {}, as {} has it for inputs and small planes", activation.observer.name,
                            told.instead_of, backend_.name),
                name);
    }
  }
}

}  // namespace octavo::planning
