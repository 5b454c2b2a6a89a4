#include "octavo/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "octavo/core/observers/table.h"
#include "octavo/error.h"
#include "octavo/kernels.h"
#include "watch.h"

namespace octavo {
namespace {

std::vector<std::unique_ptr<ObserverBase>> make_observers(const Plan& plan) {
  std::vector<std::unique_ptr<ObserverBase>> observers;
  for (const ActivationPlan& activation : plan.activations) {
    ObserverOptions options = activation.observer_options;
    options.kernels = &fast_kernels();
    observers.push_back(activation.observer.make(options));
  }
  return observers;
}

/// A float model that overflows on the samples cannot be told from one fed wrongly.
void require_sane_range(const std::string& name, const std::vector<float>& scales) {
  constexpr float kLargest = 1e30F;
  if (std::all_of(scales.begin(), scales.end(), [](float scale) { return scale < kLargest; })) return;
  throw Error(ErrorCode::bad_data, fmt::format("value '{}' reaches infinity in the float model on these samples: check "
                                               "the preprocessing, or the model itself",
                                               name));
}

/// Joins the statistics of each group in the first member's observer and gives its parameters to all members.
QParamsByName compute_parameters(const Graph& graph, const Plan& plan,
                                 const std::vector<std::unique_ptr<ObserverBase>>& observers) {
  std::map<int, std::size_t> first;  // by group
  for (std::size_t i = 0; i < plan.activations.size(); ++i) {
    const auto [entry, is_first] = first.try_emplace(plan.activations[i].group, i);
    if (!is_first) observers[entry->second]->merge(*observers[i]);
  }
  QParamsByName parameters;
  for (const ActivationPlan& activation : plan.activations) {
    const std::size_t owner = first.at(activation.group);
    const std::string& name = graph.value(activation.value).name;
    parameters[name] = activation.fake_quant.compute_qparams(*observers[owner], activation.scheme);
    require_sane_range(name, parameters[name].scale);
  }
  return parameters;
}

}  // namespace

Calibration calibrate(const Graph& graph, const Plan& plan, const DataSource& data, const CalibrateOptions& options) {
  std::vector<ValueId> values;
  for (const ActivationPlan& activation : plan.activations) values.push_back(activation.value);
  const auto observers = make_observers(plan);
  Calibration calibration;
  calibration.bad_files = calibration::watch<std::unique_ptr<Summary>>(
      graph, values, data, spread_indices(data.size(), 0), options, "calibrate",
      [&](std::size_t i, const TensorView& tensor, std::size_t) { return observers[i]->summarize(tensor); },
      [&](std::size_t i, std::unique_ptr<Summary> summary) { observers[i]->fold(*summary); });
  calibration.samples = data.size() - calibration.bad_files.size();
  calibration.activations = compute_parameters(graph, plan, observers);
  return calibration;
}

}  // namespace octavo
