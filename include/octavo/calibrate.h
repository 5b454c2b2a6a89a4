#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "octavo/data.h"
#include "octavo/graph.h"
#include "octavo/passes.h"
#include "octavo/plan.h"
#include "octavo/progress.h"

namespace octavo {

struct CalibrateOptions {
  int threads = 0;  ///< below 1: all cores
  /// Leaves out samples that cannot be loaded and lists them, instead of throwing.
  bool skip_bad_files = false;
  Progress progress;
};

/// Largest |x| of each channel of each planned activation, over a few of the samples: for equalize_channels.
ChannelMaxima survey_channels(const Graph& graph, const Plan& plan, const DataSource& data,
                              const CalibrateOptions& options);

/// What calibration learned about a prepared graph.
struct Calibration {
  QParamsByName activations;
  std::size_t samples = 0;
  std::vector<std::string> bad_files;  ///< "path: reason"
};

/// Runs the prepared `graph` in float on every sample and computes the parameters of each planned
/// activation; values of one group get the same ones. Memory does not grow with the number of samples. The
/// result is the same to the bit for any number of threads. Throws Error(bad_data) listing every sample that
/// cannot be loaded, unless skip_bad_files; also where none is left.
Calibration calibrate(const Graph& graph, const Plan& plan, const DataSource& data, const CalibrateOptions& options);

/// Rounds every planned weight to the nearest integers under the scales that its largest values ask for. A scale
/// with which the int32 bias would overflow is enlarged.
QuantizedWeights round_weights(const Graph& graph, const Plan& plan, const QParamsByName& activations);

/// What the inputs of a plan's weighted operators look like over a few of the samples, for those who refine weights
/// and biases by it: second moments and means. Its size does not depend on the number of samples.
class InputStatistics {
 public:
  struct State;
  explicit InputStatistics(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;
};
InputStatistics survey_inputs(const Graph& graph, const Plan& plan, const QParamsByName& activations,
                              const DataSource& data, const CalibrateOptions& options);

/// Rounds the same weights anew, with the same parameters, so that the errors of one output's weights make up for
/// each other on what their inputs were: error-compensated rounding (GPTQ, Frantar et al. 2022, arXiv 2210.17323).
/// Weights of more than 8 bits and MatMul's of more than two dimensions stay at the nearest integers.
void compensate_rounding(const Graph& graph, const Plan& plan, const InputStatistics& inputs, int threads,
                         QuantizedWeights& weights);

/// Takes out of each output channel's mean what rounding its weights and its input has put in:
/// bias += Σ w·E[x] - rounded w·E[rounded x] (Nagel et al. 2019, arXiv 1906.04721, section 4.2). Operators without a
/// bias get one, in `graph` and in `plan`; MatMul has no place for it.
void correct_biases(Graph& graph, Plan& plan, const QuantizedWeights& weights, const InputStatistics& inputs);

}  // namespace octavo
