#include "octavo/calibrate.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "octavo/core/observers/table.h"
#include "octavo/error.h"
#include "octavo/execute.h"
#include "octavo/kernels.h"
#include "octavo/samples.h"

namespace octavo {
namespace {

using Summaries = std::vector<std::unique_ptr<Summary>>;  // by planned activation

std::vector<std::unique_ptr<Observer>> make_observers(const Plan& plan) {
  std::vector<std::unique_ptr<Observer>> observers;
  for (const ActivationPlan& activation : plan.activations) {
    ObserverOptions options;
    options.kernels = &fast_kernels();
    observers.push_back(observer_named(activation.observer, options));
    if (observers.back() == nullptr) {
      throw Error(ErrorCode::invalid_argument, fmt::format("observer '{}' is not known", activation.observer));
    }
  }
  return observers;
}

/// Joins the statistics of each group in the first member's observer and gives its parameters to all members.
QParamsByName compute_parameters(const Graph& graph, const Plan& plan,
                                 std::vector<std::unique_ptr<Observer>>& observers) {
  std::map<int, std::size_t> first;  // by group
  for (std::size_t i = 0; i < plan.activations.size(); ++i) {
    const auto [entry, is_first] = first.try_emplace(plan.activations[i].group, i);
    if (!is_first) observers[entry->second]->merge(*observers[i]);
  }
  QParamsByName parameters;
  for (const ActivationPlan& activation : plan.activations) {
    const std::size_t owner = first.at(activation.group);
    parameters[graph.value(activation.value).name] = observers[owner]->compute_qparams(activation.scheme);
  }
  return parameters;
}

}  // namespace

Calibration calibrate(const Graph& graph, const Plan& plan, const DataSource& data, const CalibrateOptions& options) {
  ExecutorOptions watch;
  std::map<ValueId, std::size_t> position;  // in the plan
  for (std::size_t i = 0; i < plan.activations.size(); ++i) {
    watch.watched.push_back(plan.activations[i].value);
    position[plan.activations[i].value] = i;
  }
  const Executor executor(graph, watch);
  auto observers = make_observers(plan);

  SampleRunner runner(data, spread_indices(data.size(), 0),
                      {options.threads, options.skip_bad_files, "calibrate", options.progress});
  std::vector<Executor::Session> sessions;
  for (int worker = 0; worker < runner.workers(); ++worker) sessions.emplace_back(executor, runner.inner_pool());
  std::vector<Summaries> slots(runner.slots());

  Calibration calibration;
  calibration.bad_files = runner.run(
      [&](std::span<const Tensor> inputs, int worker, std::size_t slot) {
        Summaries summaries(observers.size());
        sessions[static_cast<std::size_t>(worker)].run(inputs, [&](ValueId value, const TensorView& tensor) {
          const std::size_t i = position.at(value);
          summaries[i] = observers[i]->summarize(tensor);
        });
        slots[slot] = std::move(summaries);
      },
      [&](std::size_t, std::size_t slot) {
        for (std::size_t i = 0; i < observers.size(); ++i) {
          if (slots[slot][i] != nullptr) observers[i]->fold(*slots[slot][i]);
        }
        slots[slot].clear();
        ++calibration.samples;
      });
  calibration.activations = compute_parameters(graph, plan, observers);
  return calibration;
}

}  // namespace octavo
