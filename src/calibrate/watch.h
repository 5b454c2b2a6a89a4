#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "octavo/calibrate.h"
#include "octavo/error.h"
#include "octavo/execute.h"
#include "octavo/samples.h"

namespace octavo::calibration {

/// Runs `graph` in float on the samples `indices` and hands watched values on: summarize(i, tensor, position) is called
/// on any worker for values[i]; on the calling thread, in order of samples, fold(i, result) for each in order of
/// `values`, then finished(position). Returns the samples that could not be loaded.
template <typename Result, typename Summarize, typename Fold, typename Finished>
std::vector<std::string> watch(const Graph& graph, const std::vector<ValueId>& values, const DataSource& data,
                               std::vector<std::size_t> indices, SampleOptions options, const Summarize& summarize,
                               const Fold& fold, const Finished& finished) {
  const Executor executor(graph, {.watched = values});
  std::map<ValueId, std::size_t> place;
  for (std::size_t i = 0; i < values.size(); ++i) place[values[i]] = i;

  SampleRunner runner(data, std::move(indices), std::move(options));
  std::vector<Executor::Session> sessions;
  for (int worker = 0; worker < runner.workers(); ++worker) sessions.emplace_back(executor, runner.inner_pool());
  std::vector<std::vector<std::optional<Result>>> slots(runner.slots());
  return runner.run(
      [&](std::span<const Tensor> inputs, int worker, std::size_t position) {
        auto& results = slots[runner.slot(position)];
        results.clear();
        results.resize(values.size());
        sessions[static_cast<std::size_t>(worker)].run(inputs, [&](ValueId value, const TensorView& tensor) {
          const std::size_t i = place.at(value);
          if (tensor.dtype() != DType::f32) {
            throw Error(ErrorCode::unsupported, "value '" + graph.value(value).name +
                                                    "' is planned for integers but is " +
                                                    std::string(name_of(tensor.dtype())) + ", not f32");
          }
          results[i] = summarize(i, tensor, position);
        });
      },
      [&](std::size_t position) {
        auto& results = slots[runner.slot(position)];
        for (std::size_t i = 0; i < results.size(); ++i) {
          if (results[i]) fold(i, std::move(*results[i]));
        }
        results.clear();
        finished(position);
      });
}

}  // namespace octavo::calibration
