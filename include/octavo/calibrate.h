#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "octavo/core/statistics.h"
#include "octavo/data.h"
#include "octavo/graph.h"
#include "octavo/passes.h"
#include "octavo/plan.h"
#include "octavo/progress.h"

namespace octavo {

/// A contiguous share of the samples: `index` of `count`, from 1.
struct Share {
  std::size_t index = 1;
  std::size_t count = 1;
  /// Its samples out of `samples`: first, and one past the last.
  std::pair<std::size_t, std::size_t> of(std::size_t samples) const;
  friend bool operator==(const Share&, const Share&) = default;
};

/// What the inputs of a plan's weighted operators look like over a few of the samples, for those who refine weights
/// and biases by it: second moments and means. Its size does not depend on the number of samples.
class InputStatistics {
 public:
  struct State;
  InputStatistics() = default;
  explicit InputStatistics(std::shared_ptr<State> state) : state_(std::move(state)) {}
  /// Whether there is anything.
  explicit operator bool() const { return state_ != nullptr; }
  const State& state() const { return *state_; }
  State& state() { return *state_; }

 private:
  std::shared_ptr<State> state_;
};

/// What calibration learned about one planned activation.
struct ValueStatistics {
  /// Dimension whose indices were looked at one by one; kPerTensor: all together.
  int axis = QScheme::kPerTensor;
  /// One, or one for each index of `axis`; empty where only an observer's own state was asked for.
  std::vector<TensorStatistics> tensors;
  /// An observer that keeps what statistics do not hold, by name, and its state as it saves it; else empty.
  std::string observer;
  std::vector<std::byte> state;
  /// The values of the group that the observer was shown in turn, in each sample; the state is that of the group's
  /// first planned value. Empty without a state.
  std::vector<std::string> shown;
  friend bool operator==(const ValueStatistics&, const ValueStatistics&) = default;
};

/// By which a calibration is told from one of other things.
struct CalibrationKeys {
  std::uint64_t model = 0;  ///< of the prepared float graph: graph_key
  std::uint64_t graph = 0;  ///< of the graph that ran: the same, its channels equalized
  std::uint64_t data = 0;   ///< of the samples: DataSource::key
  std::string model_name;   ///< for messages
  std::string data_name;    ///< for messages: how many samples, the first and the last
  std::string preprocess;   ///< what samples went through, for those who feed the model: of a recipe, as its text
  friend bool operator==(const CalibrationKeys&, const CalibrationKeys&) = default;
};

/// Everything that was learned about a graph from samples; parameters follow from it by compute_parameters. Joining the
/// shares of one run gives what one run gives, to the bit.
struct Calibration {
  CalibrationKeys keys;
  std::size_t all_samples = 0;  ///< of all shares
  Share share;
  /// Positions of the share that are done, and how many there are; fewer in a checkpoint.
  std::size_t done = 0;
  std::size_t positions = 0;
  std::size_t samples = 0;             ///< that statistics were taken of
  std::vector<std::string> bad_files;  ///< "path: reason"
  bool equalized = false;              ///< the graph that ran had its channels equalized by `channel_maxima`
  ChannelMaxima channel_maxima;
  bool with_inputs = false;  ///< the run gathers `inputs`; the first share holds those of all
  InputStatistics inputs;
  std::map<std::string, ValueStatistics, std::less<>> values;
};

struct CalibrateOptions {
  int threads = 0;  ///< below 1: all cores
  /// Leaves out samples that cannot be loaded and lists them, instead of throwing.
  bool skip_bad_files = false;
  Progress progress;
  Share share = {};
  /// Whether compensate_rounding or correct_biases will want to know of operators' inputs.
  bool input_statistics = true;
  /// Takes statistics of every planned activation, for other observers than the plan's as well.
  bool for_any_observer = false;
  /// Shown what is known so far, every few seconds.
  std::function<void(const Calibration&)> checkpoint = {};
};

/// Largest |x| of each channel of each planned activation, over a few of the samples: for equalize_channels.
ChannelMaxima survey_channels(const Graph& graph, const Plan& plan, const DataSource& data,
                              const CalibrateOptions& options);

/// A number that tells a graph from others, by all that decides what it computes and by its names.
std::uint64_t graph_key(const Graph& graph);
/// "100 samples, 'a.jpg' to 'z.jpg'"
std::string describe_samples(const DataSource& data);

/// Runs the prepared `graph` in float on every sample of the share and keeps statistics of each planned activation and
/// of operators' inputs. Memory does not grow with the number of samples, but for a few bytes each. The result is the
/// same to the bit for any number of threads. `begun` is a checkpoint to go on from, or has keys and channel maxima
/// alone. Throws Error(bad_data) listing every sample that cannot be loaded, unless skip_bad_files, also where none is
/// left; Error(unsupported) for a share where an observer's state cannot be joined with others'.
Calibration calibrate(const Graph& graph, const Plan& plan, const DataSource& data, const CalibrateOptions& options,
                      Calibration begun = {});

/// The parameters of each planned activation, by its observer's view of its statistics; values of one group get the
/// same ones. Throws Error(bad_data) where the float model overflowed on the samples, Error(invalid_argument) where
/// `calibration` does not have what an observer needs.
QParamsByName compute_parameters(const Graph& graph, const Plan& plan, const Calibration& calibration, int threads = 0);

/// Joins the shares of one run, in any order. Throws Error(invalid_argument) naming two where they are not of one
/// model, one data set and one recipe, and what is missing, unfinished or there twice; `names` are for these messages.
Calibration merge_calibrations(std::vector<Calibration> shares, const std::vector<std::string>& names);

/// The form of docs/calibration.md. Reading throws Error(bad_data) naming the file and what is wrong with it; sizes are
/// checked before memory is taken. Writing is whole or not at all.
std::vector<std::byte> calibration_bytes(const Calibration& calibration);
Calibration parse_calibration(std::span<const std::byte> bytes, const std::string& name);
void save_calibration(const Calibration& calibration, const std::filesystem::path& path);
Calibration load_calibration(const std::filesystem::path& path);
/// For people: a line a value.
std::string calibration_text(const Calibration& calibration);

/// Throws Error(invalid_argument) where compensate_rounding or correct_biases could not work with `inputs`.
void require_fitting_inputs(const Graph& graph, const Plan& plan, const InputStatistics& inputs);

/// Rounds every planned weight to the nearest integers under the scales that its largest values ask for. A scale
/// with which the int32 bias would overflow is enlarged.
QuantizedWeights round_weights(const Graph& graph, const Plan& plan, const QParamsByName& activations);

/// Rounds the same weights anew, with the same parameters, so that the errors of one output's weights make up for
/// each other on what their inputs were: error-compensated rounding (GPTQ, Frantar et al. 2022, arXiv 2210.17323).
/// Weights of more than 8 bits, of groups, behind activations with a scale for each channel, and MatMul's of more than
/// two dimensions stay at the nearest integers.
void compensate_rounding(const Graph& graph, const Plan& plan, const InputStatistics& inputs, int threads,
                         QuantizedWeights& weights);

/// Takes out of each output channel's mean what rounding its weights has put in: bias += Σ (w - rounded w)·E[x] (Nagel
/// et al. 2019, arXiv 1906.04721, section 4.2). Operators without a bias get one, in `graph` and in `plan`; MatMul has
/// no place for it.
void correct_biases(Graph& graph, Plan& plan, const QuantizedWeights& weights, const InputStatistics& inputs);

}  // namespace octavo
