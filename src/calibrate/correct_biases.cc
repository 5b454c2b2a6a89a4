#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "input_statistics.h"
#include "octavo/calibrate.h"
#include "octavo/core/quantize.h"
#include "octavo/kernels.h"

namespace octavo {
namespace {

using calibration::TapSums;

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
  if (planned.int32_bias) plan.biases.push_back({planned.node, 2, planned.input});
}

/// Σ (w - rounded w)·E[x] for each output channel.
std::vector<double> mean_errors(const Node& node, const Tensor& weight, const QuantizedTensor& rounded,
                                const TapSums& inputs) {
  const Tensor restored = dequantize(rounded.integers, rounded.params, fast_kernels());
  const auto exact = weight.data<float>();
  const auto near = restored.data<float>();
  const calibration::WeightLayout layout = calibration::weight_layout(node, weight.shape());
  std::vector<double> errors(layout.groups * layout.outputs, 0.0);
  for (std::size_t group = 0; group < layout.groups; ++group) {
    const auto add = [&](std::size_t output, std::size_t input) {
      const std::size_t i = layout.index(group, output, input);
      errors[group * layout.outputs + output] +=
          (double{exact[i]} - double{near[i]}) * inputs.sums[group * layout.inputs + input];
    };
    // As they lie in memory.
    if (layout.inputs_first) {
      for (std::size_t input = 0; input < layout.inputs; ++input) {
        for (std::size_t output = 0; output < layout.outputs; ++output) add(output, input);
      }
    } else {
      for (std::size_t output = 0; output < layout.outputs; ++output) {
        for (std::size_t input = 0; input < layout.inputs; ++input) add(output, input);
      }
    }
  }
  for (double& error : errors) error /= inputs.count;
  return errors;
}

/// Adds to the bias what rounding took from the mean. What a float cannot hold is left out: the model itself
/// overflows there.
void correct(Graph& graph, Plan& plan, const WeightPlan& weight, const QuantizedTensor& rounded,
             const TapSums& inputs) {
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
  if (graph.use_count(old) == 1) {
    graph.value(old).constant = std::move(bias);
    return;
  }
  const std::string name = graph.unique_value_name(graph.value(old).name + "_corrected");
  graph.set_input(weight.node, 2, graph.add_constant(name, std::move(bias)));
}

}  // namespace

void correct_biases(Graph& graph, Plan& plan, const QuantizedWeights& weights, const InputStatistics& inputs) {
  for (const WeightPlan& weight : plan.weights) {
    const auto found = inputs.state().operators.find(calibration::key_of(graph, weight.node));
    if (found == inputs.state().operators.end() || !(found->second.sums.count > 0.0)) continue;
    if (calibration::reads_scaled_channels(graph, plan, weight)) continue;
    correct(graph, plan, weight, weights.at(weight.node), found->second.sums);
  }
  graph.remove_dead();
}

}  // namespace octavo
