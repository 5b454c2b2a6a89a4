#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "octavo/calibrate.h"
#include "octavo/error.h"
#include "octavo/parallel.h"
#include "value_statistics.h"

namespace octavo {
namespace {

using Members = std::vector<const ActivationPlan*>;

/// A float model that overflows on the samples cannot be told from one fed wrongly.
void require_sane_range(const std::string& name, const std::vector<float>& scales) {
  constexpr float kLargest = 1e30F;
  if (std::all_of(scales.begin(), scales.end(), [](float scale) { return scale < kLargest; })) return;
  throw Error(ErrorCode::bad_data, fmt::format("value '{}' reaches infinity in the float model on these samples: check "
                                               "the preprocessing, or the model itself",
                                               name));
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::invalid_argument, fmt::format("the calibration {}; calibrate anew with this recipe", what));
}

[[noreturn]] void refuse_state(const Graph& graph, const ActivationPlan& activation) {
  refuse(fmt::format("does not hold what {} needs to know of '{}'", activation.observer.name,
                     graph.value(activation.value).name));
}

const ValueStatistics& statistics_of(const Graph& graph, const ActivationPlan& activation,
                                     const Calibration& calibration) {
  const std::string& name = graph.value(activation.value).name;
  const auto found = calibration.values.find(name);
  if (found == calibration.values.end()) refuse(fmt::format("has no statistics of '{}'", name));
  if (found->second.axis != activation.scheme.axis) {
    refuse(fmt::format("looked at '{}' {}, and the recipe wants it {}", name,
                       found->second.axis == QScheme::kPerTensor ? "as a whole" : "channel by channel",
                       activation.scheme.axis == QScheme::kPerTensor ? "as a whole" : "channel by channel"));
  }
  return found->second;
}

/// Statistics of a group's members as if they were one tensor; none where nothing of it was ever computed.
std::vector<TensorStatistics> joined(const Graph& graph, const Members& members, const Calibration& calibration) {
  std::vector<TensorStatistics> all;
  for (const ActivationPlan* member : members) {
    const ValueStatistics& value = statistics_of(graph, *member, calibration);
    if (value.tensors.empty() && !value.observer.empty()) refuse_state(graph, *member);
    if (all.empty()) {
      all = value.tensors;
      continue;
    }
    if (value.tensors.size() != all.size()) {
      throw Error(
          ErrorCode::unsupported,
          fmt::format("'{}' has {} channels and must share their scales with '{}', which has {}: quantize them per "
                      "tensor",
                      graph.value(member->value).name, value.tensors.size(), graph.value(members.front()->value).name,
                      all.size()));
    }
    for (std::size_t i = 0; i < all.size(); ++i) all[i].join(value.tensors[i]);
  }
  return all;
}

/// The state that the group's observer kept, of the values that it would be shown by this plan.
std::unique_ptr<ObserverBase> loaded(const Graph& graph, const ActivationPlan& first, const std::vector<ValueId>& shown,
                                     const Calibration& calibration) {
  const ValueStatistics& value = statistics_of(graph, first, calibration);
  const bool same_values =
      std::equal(shown.begin(), shown.end(), value.shown.begin(), value.shown.end(),
                 [&](ValueId id, const std::string& name) { return graph.value(id).name == name; });
  auto observer = calibration::make_observer(first, shown.size());
  if (value.observer != first.observer.name || !same_values || !observer->load(value.state)) refuse_state(graph, first);
  return observer;
}

/// The observer of a group, in the state it has after the samples.
std::unique_ptr<ObserverBase> observer_of(const Graph& graph, const Members& members, const std::vector<ValueId>& shown,
                                          const Calibration& calibration) {
  const ActivationPlan& first = *members.front();
  if (!calibration::follows_from_statistics(first)) return loaded(graph, first, shown, calibration);
  auto observer = calibration::make_observer(first);
  const auto statistics = joined(graph, members, calibration);
  if (!statistics.empty() && !observer->restore(statistics)) refuse_state(graph, first);
  return observer;
}

bool alike(const ActivationPlan& a, const ActivationPlan& b) {
  return a.scheme == b.scheme && a.fake_quant.name == b.fake_quant.name;
}

/// Parameters of each member of a group; a search is done once for all that are alike.
std::vector<QParams> parameters_of(const Graph& graph, const Members& members, const std::vector<ValueId>& shown,
                                   const Calibration& calibration) {
  const auto observer = observer_of(graph, members, shown, calibration);
  std::vector<QParams> parameters;
  for (const ActivationPlan* member : members) {
    parameters.push_back(!parameters.empty() && alike(*member, *members.front())
                             ? parameters.front()
                             : member->fake_quant.compute_qparams(*observer, member->scheme));
    require_sane_range(graph.value(member->value).name, parameters.back().scale);
  }
  return parameters;
}

}  // namespace

QParamsByName compute_parameters(const Graph& graph, const Plan& plan, const Calibration& calibration, int threads) {
  std::map<int, Members> by_group;
  for (const ActivationPlan& activation : plan.activations) by_group[activation.group].push_back(&activation);
  const auto shown = calibration::shown_values(graph, plan);
  std::vector<const Members*> groups;
  for (const auto& [group, members] : by_group) groups.push_back(&members);
  std::vector<std::vector<QParams>> found(groups.size());
  ThreadPool pool(threads);
  pool.for_each(groups.size(), [&](std::size_t i, int) {
    found[i] = parameters_of(graph, *groups[i], shown.at(groups[i]->front()->group), calibration);
  });
  QParamsByName parameters;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (std::size_t m = 0; m < groups[i]->size(); ++m) {
      parameters[graph.value((*groups[i])[m]->value).name] = std::move(found[i][m]);
    }
  }
  return parameters;
}

}  // namespace octavo
