#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "octavo/calibrate.h"
#include "octavo/core/quantize.h"
#include "octavo/kernels.h"
#include "tap_sums.h"
#include "watch.h"

namespace octavo {
namespace {

using calibration::TapSums;

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

/// Σ (w - rounded w)·E[x] for each output channel.
std::vector<double> mean_errors(const Node& node, const Tensor& weight, const QuantizedTensor& rounded,
                                const TapSums& inputs) {
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
    errors[output] += (double{exact[i]} - double{near[i]}) * inputs.sums[input] / inputs.count;
  }
  return errors;
}

}  // namespace

void correct_biases(Graph& graph, Plan& plan, const QuantizedWeights& weights, const DataSource& data,
                    const CalibrateOptions& options) {
  std::vector<const WeightPlan*> planned;
  std::vector<ValueId> values;  // what each of these nodes reads; watched once where nodes share it
  for (const WeightPlan& weight : plan.weights) {
    if (!has_place_for_bias(graph.node(weight.node))) continue;
    planned.push_back(&weight);
    values.push_back(graph.node(weight.node).input(0));
  }
  std::vector<ValueId> watched = values;
  std::sort(watched.begin(), watched.end());
  watched.erase(std::unique(watched.begin(), watched.end()), watched.end());

  std::vector<TapSums> totals(planned.size());
  calibration::watch<std::vector<TapSums>>(
      graph, watched, data, spread_indices(data.size(), kMostSamples), options, "correct biases",
      [&](std::size_t i, const TensorView& tensor) {
        std::vector<TapSums> sums(planned.size());
        for (std::size_t p = 0; p < planned.size(); ++p) {
          const Node& node = graph.node(planned[p]->node);
          if (values[p] == watched[i]) sums[p] = calibration::tap_sums(node, graph.constant(node.input(1))->shape(), tensor);
        }
        return sums;
      },
      [&](std::size_t, const std::vector<TapSums>& sample) {
        for (std::size_t p = 0; p < planned.size(); ++p) {
          totals[p].sums.resize(std::max(totals[p].sums.size(), sample[p].sums.size()));
          for (std::size_t k = 0; k < sample[p].sums.size(); ++k) totals[p].sums[k] += sample[p].sums[k];
          totals[p].count += sample[p].count;
        }
      });

  for (std::size_t p = 0; p < planned.size(); ++p) {
    if (!(totals[p].count > 0.0)) continue;
    const WeightPlan weight = *planned[p];
    ensure_bias(graph, plan, weight);
    const Node& node = graph.node(weight.node);
    const auto errors = mean_errors(node, *graph.constant(node.input(1)), weights.at(weight.node), totals[p]);
    const ValueId old = node.input(2);
    Tensor bias = *graph.constant(old);
    const auto biases = bias.mutable_data<float>();
    for (std::size_t c = 0; c < biases.size(); ++c) biases[c] = static_cast<float>(biases[c] + errors[c]);
    const std::string name = graph.unique_value_name(graph.value(old).name + "_corrected");
    graph.set_input(weight.node, 2, graph.add_constant(name, std::move(bias)));
  }
  graph.remove_dead();
}

}  // namespace octavo
