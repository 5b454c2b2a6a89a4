#include "octavo/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "input_statistics.h"
#include "octavo/error.h"
#include "value_statistics.h"
#include "watch.h"

namespace octavo {

std::pair<std::size_t, std::size_t> Share::of(std::size_t samples) const {
  // Not samples * index / count, which may overflow.
  const std::size_t each = samples / count;
  const std::size_t rest = samples % count;
  const auto begin = [&](std::size_t share) { return share * each + share * rest / count; };
  return {begin(index - 1), begin(index)};
}

namespace {

using calibration::OperatorInputs;
using calibration::ValueCollector;
using calibration::ValueLook;

constexpr std::size_t kInputSamples = 32;
/// Of operators' inputs, in all: fewer samples are looked at more closely.
constexpr std::size_t kInputRows = 2048;

/// Checkpoints: not sooner than this, nor so often that they take more than a twentieth of the time.
constexpr std::chrono::duration<double> kBetweenCheckpoints{3.0};
constexpr double kCheckpointShare = 20.0;

/// A value that is looked at: as an activation, for the operators that read it, or both.
struct Watched {
  ValueId value = kNoValue;
  std::optional<ValueCollector> collector;
  std::vector<const WeightPlan*> readers;
};

struct Look {
  std::optional<ValueLook> value;
  std::vector<OperatorInputs> inputs;  ///< by reader
};

/// The samples a share goes through: its own, then, for the first share, those of others whose operators' inputs it
/// looks at. Sums of floats depend on their order, so one share does them all.
struct Positions {
  std::vector<std::size_t> samples;
  std::size_t own = 0;
  std::vector<std::size_t> for_inputs;  ///< ascending

  Positions(std::size_t all, const Share& share, bool inputs) {
    const auto [first, last] = share.of(all);
    for (std::size_t i = first; i < last; ++i) samples.push_back(i);
    own = samples.size();
    if (!inputs || share.index != 1) return;
    for_inputs = spread_indices(all, kInputSamples);
    std::copy_if(for_inputs.begin(), for_inputs.end(), std::back_inserter(samples),
                 [last = last](std::size_t i) { return i >= last; });
  }
  /// Place among the samples whose operators' inputs are looked at, if it is one of them.
  std::optional<std::size_t> input_place(std::size_t sample) const {
    const auto found = std::lower_bound(for_inputs.begin(), for_inputs.end(), sample);
    if (found == for_inputs.end() || *found != sample) return std::nullopt;
    return static_cast<std::size_t>(found - for_inputs.begin());
  }
};

/// Places of all values in the order in which the graph computes them.
std::map<ValueId, std::size_t> graph_order(const Graph& graph) {
  std::map<ValueId, std::size_t> order;
  for (const ValueId id : graph.inputs()) order.emplace(id, order.size());
  for (const NodeId id : graph.nodes()) {
    for (const ValueId output : graph.node(id).outputs) order.emplace(output, order.size());
  }
  return order;
}

/// In the order of the graph, in which a group's observer is then shown its values.
std::vector<Watched> watched_values(const Graph& graph, const Plan& plan, const CalibrateOptions& options,
                                    bool with_inputs) {
  std::map<ValueId, Watched> by_value;
  std::map<int, calibration::GroupObserver> groups;
  const auto shown = calibration::shown_values(graph, plan);
  for (const ActivationPlan& activation : plan.activations) {
    const auto [group, first] = groups.try_emplace(activation.group);
    if (first && !calibration::follows_from_statistics(activation)) {
      for (const ValueId id : shown.at(activation.group)) group->second.shown.push_back(graph.value(id).name);
      group->second.observer = calibration::make_observer(activation, group->second.shown.size());
    }
    by_value[activation.value].collector.emplace(activation, options.for_any_observer, group->second, first);
  }
  for (const WeightPlan& weight : plan.weights) {
    if (with_inputs) by_value[graph.node(weight.node).input(0)].readers.push_back(&weight);
  }
  std::vector<Watched> watched;
  for (auto& [value, entry] : by_value) {
    entry.value = value;
    watched.push_back(std::move(entry));
  }
  const auto order = graph_order(graph);
  std::sort(watched.begin(), watched.end(),
            [&](const Watched& a, const Watched& b) { return order.at(a.value) < order.at(b.value); });
  return watched;
}

/// One run over a share's samples.
class Run {
 public:
  Run(const Graph& graph, const Plan& plan, const DataSource& data, const CalibrateOptions& options, Calibration begun)
      : graph_(graph),
        data_(data),
        options_(options),
        positions_(data.size(), options.share, options.input_statistics),
        watched_(watched_values(graph, plan, options, !positions_.for_inputs.empty())),
        found_(std::move(begun)) {
    found_.all_samples = data.size();
    found_.share = options.share;
    found_.positions = positions_.samples.size();
    found_.with_inputs = options.input_statistics;
    if (!found_.inputs && options.input_statistics) {
      found_.inputs = InputStatistics(std::make_shared<InputStatistics::State>());
    }
    resume();
    refuse_shares_of_states();
  }

  Calibration run() {
    const std::size_t begun = found_.done;
    std::vector<std::size_t> left(positions_.samples.begin() + static_cast<std::ptrdiff_t>(begun),
                                  positions_.samples.end());
    SampleOptions sample_options{options_.threads, options_.skip_bad_files, "calibrate", options_.progress, {}, false};
    sample_options.may_skip_all = options_.share.count > 1 || begun > 0;
    sample_options.skipped = [&](std::size_t position, const std::string& reason) {
      if (begun + position < positions_.own) found_.bad_files.push_back(reason);
      finish(begun + position);
    };
    std::vector<ValueId> values;
    for (const Watched& watched : watched_) values.push_back(watched.value);
    saved_ = std::chrono::steady_clock::now();
    if (left.empty()) return finished();
    try {
      calibration::watch<Look>(
          graph_, values, data_, std::move(left), std::move(sample_options),
          [&](std::size_t i, const TensorView& tensor, std::size_t position) {
            return look(i, tensor, begun + position);
          },
          [&](std::size_t i, Look look) { fold(i, std::move(look)); },
          [&](std::size_t position) {
            if (begun + position < positions_.own) ++found_.samples;
            finish(begun + position);
          });
    } catch (const Error& error) {
      // Between two samples: what is done is whole.
      if (error.code() == ErrorCode::cancelled && options_.checkpoint && found_.done > begun) save();
      throw;
    }
    return finished();
  }

 private:
  Calibration finished() {
    gather();
    return std::move(found_);
  }

  /// Collectors go on from what a checkpoint holds.
  void resume() {
    if (found_.values.empty()) return;
    for (Watched& watched : watched_) {
      if (!watched.collector) continue;
      const auto value = found_.values.find(graph_.value(watched.value).name);
      if (value != found_.values.end() && watched.collector->resume(std::move(value->second))) continue;
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("the checkpoint was begun for another recipe: it has no such statistics of '{}'",
                              graph_.value(watched.value).name));
    }
    found_.values.clear();
  }

  void refuse_shares_of_states() const {
    if (options_.share.count == 1) return;
    for (const Watched& watched : watched_) {
      if (!watched.collector || !watched.collector->has_own_state()) continue;
      throw Error(ErrorCode::unsupported,
                  fmt::format("the observer of '{}' keeps a state that cannot be joined with that of other shares: "
                              "calibrate in one run, or choose another observer",
                              graph_.value(watched.value).name));
    }
  }

  Look look(std::size_t i, const TensorView& tensor, std::size_t position) const {
    const Watched& watched = watched_[i];
    Look look;
    if (watched.collector && position < positions_.own) look.value = watched.collector->look(tensor);
    const auto place = positions_.input_place(positions_.samples[position]);
    if (!place) return look;
    const std::size_t among = positions_.for_inputs.size();
    for (const WeightPlan* reader : watched.readers) {
      look.inputs.push_back(
          calibration::look_at_input(graph_, *reader, tensor, (kInputRows + among - 1) / among, *place));
    }
    return look;
  }

  void fold(std::size_t i, Look look) {
    Watched& watched = watched_[i];
    if (look.value) watched.collector->fold(*std::move(look.value));
    for (std::size_t r = 0; r < look.inputs.size(); ++r) {
      calibration::add(found_.inputs.state().operators[calibration::key_of(graph_, watched.readers[r]->node)],
                       look.inputs[r]);
    }
  }

  void finish(std::size_t position) {
    found_.done = position + 1;
    const auto now = std::chrono::steady_clock::now();
    if (!options_.checkpoint || now - saved_ < std::max(kBetweenCheckpoints, kCheckpointShare * saving_)) return;
    save();
    saved_ = std::chrono::steady_clock::now();
    saving_ = saved_ - now;
  }

  void save() {
    gather();
    options_.checkpoint(found_);
  }

  void gather() {
    for (const Watched& watched : watched_) {
      if (watched.collector) found_.values[graph_.value(watched.value).name] = watched.collector->statistics();
    }
  }

  const Graph& graph_;
  const DataSource& data_;
  const CalibrateOptions& options_;
  const Positions positions_;
  std::vector<Watched> watched_;
  Calibration found_;
  std::chrono::steady_clock::time_point saved_;
  std::chrono::duration<double> saving_{0.0};
};

}  // namespace

Calibration calibrate(const Graph& graph, const Plan& plan, const DataSource& data, const CalibrateOptions& options,
                      Calibration begun) {
  return Run(graph, plan, data, options, std::move(begun)).run();
}

}  // namespace octavo
