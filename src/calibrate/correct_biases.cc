#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "octavo/calibrate.h"
#include "octavo/core/quantize.h"
#include "octavo/kernels.h"
#include "tap_sums.h"
#include "watch.h"

namespace octavo {
namespace {

using calibration::TapSums;

/// What an operator's weights meet, in float and after the input's rounding.
struct InputSums {
  TapSums exact;
  TapSums rounded;
};

/// Means settle quickly.
constexpr std::size_t kMostSamples = 32;

bool has_place_for_bias(const Node& node) { return node.op_type == "Conv" || node.op_type == "Gemm"; }

std::int64_t output_channels(const Node& node, const Tensor& weight) {
  return weight.dim(node.op_type == "Gemm" && node.int_or("transB", 0) == 0 ? 1 : 0);
}

/// Gives `node` a bias of zeros where it has none.
void ensure_bias(Graph& graph, Plan& plan, const WeightPlan& planned) {
  const Node& node = graph.node(planned.node);
  if (node.input(2) != kNoValue) return;
  const std::string name = graph.value(node.input(planned.input)).name + "_bias";
  const std::int64_t channels = output_channels(node, *graph.constant(node.input(planned.input)));
  const ValueId bias = graph.add_constant(graph.unique_value_name(name), Tensor(DType::f32, {channels}));
  graph.set_inputs_of(planned.node, {node.input(0), node.input(1), bias});
  plan.biases.push_back({planned.node, 2, planned.input});
}

/// Σ w·E[x] - rounded w·E[rounded x] for each output channel.
std::vector<double> mean_errors(const Node& node, const Tensor& weight, const QuantizedTensor& rounded,
                                const InputSums& inputs) {
  const Tensor restored = dequantize(rounded.integers, rounded.params, fast_kernels());
  const auto exact = weight.data<float>();
  const auto near = restored.data<float>();
  const auto channels = static_cast<std::size_t>(output_channels(node, weight));
  std::vector<double> errors(channels, 0.0);
  const bool columns = node.op_type == "Gemm" && node.int_or("transB", 0) == 0;
  const std::size_t row = exact.size() / channels;  // weights of one output channel
  const std::size_t per_group = channels / static_cast<std::size_t>(node.int_or("group", 1));
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const std::size_t output = columns ? i % channels : i / row;
    const std::size_t input = columns ? i / channels : output / per_group * row + i % row;
    errors[output] += double{exact[i]} * inputs.exact.sums[input] - double{near[i]} * inputs.rounded.sums[input];
  }
  for (double& error : errors) error /= inputs.exact.count;
  return errors;
}

/// The operators of `plan` to correct, by the value that they read.
std::map<ValueId, std::vector<const WeightPlan*>> readers_of_values(const Graph& graph, const Plan& plan) {
  std::map<ValueId, std::vector<const WeightPlan*>> readers;
  for (const WeightPlan& weight : plan.weights) {
    const Node& node = graph.node(weight.node);
    if (has_place_for_bias(node)) readers[node.input(0)].push_back(&weight);
  }
  return readers;
}

void add(TapSums& total, const TapSums& sample) {
  total.sums.resize(std::max(total.sums.size(), sample.sums.size()));
  for (std::size_t k = 0; k < sample.sums.size(); ++k) total.sums[k] += sample.sums[k];
  total.count += sample.count;
}

/// Adds to the bias what rounding took from the mean. What a float cannot hold is left out: the model itself
/// overflows there.
void correct(Graph& graph, Plan& plan, const WeightPlan& weight, const QuantizedTensor& rounded,
             const InputSums& inputs) {
  ensure_bias(graph, plan, weight);
  const Node& node = graph.node(weight.node);
  const auto errors = mean_errors(node, *graph.constant(node.input(weight.input)), rounded, inputs);
  const ValueId old = node.input(2);
  Tensor bias = *graph.constant(old);
  const auto biases = bias.mutable_data<float>();
  for (std::size_t c = 0; c < biases.size(); ++c) {
    const auto corrected = static_cast<float>(biases[c] + errors[c]);
    if (std::isfinite(corrected)) biases[c] = corrected;
  }
  const std::string name = graph.unique_value_name(graph.value(old).name + "_corrected");
  graph.set_input(weight.node, 2, graph.add_constant(name, std::move(bias)));
}

}  // namespace

void correct_biases(Graph& graph, Plan& plan, const QParamsByName& activations, const QuantizedWeights& weights,
                    const DataSource& data, const CalibrateOptions& options) {
  std::vector<ValueId> values;
  std::vector<std::vector<const WeightPlan*>> readers;  // of each of the values
  std::vector<const QParams*> params;                   // of each of the values
  for (auto& [value, planned] : readers_of_values(graph, plan)) {
    values.push_back(value);
    readers.push_back(planned);
    params.push_back(&activations.at(graph.value(value).name));
  }
  std::vector<std::vector<InputSums>> totals;
  for (const auto& planned : readers) totals.emplace_back(planned.size());
  calibration::watch<std::vector<InputSums>>(
      graph, values, data, spread_indices(data.size(), kMostSamples), options, "correct biases",
      [&](std::size_t i, const TensorView& tensor, std::size_t) {
        const Tensor rounded = fake_quantize(tensor, *params[i], fast_kernels());
        std::vector<InputSums> sums;
        for (const WeightPlan* weight : readers[i]) {
          const Node& node = graph.node(weight->node);
          const Shape& shape = graph.constant(node.input(weight->input))->shape();
          sums.push_back({calibration::tap_sums(node, shape, tensor), calibration::tap_sums(node, shape, rounded)});
        }
        return sums;
      },
      [&](std::size_t i, const std::vector<InputSums>& sample) {
        for (std::size_t r = 0; r < sample.size(); ++r) {
          add(totals[i][r].exact, sample[r].exact);
          add(totals[i][r].rounded, sample[r].rounded);
        }
      });

  for (std::size_t i = 0; i < readers.size(); ++i) {
    for (std::size_t r = 0; r < readers[i].size(); ++r) {
      const WeightPlan& weight = *readers[i][r];
      if (totals[i][r].exact.count > 0.0) correct(graph, plan, weight, weights.at(weight.node), totals[i][r]);
    }
  }
  graph.remove_dead();
}

}  // namespace octavo
