#include <fmt/format.h>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "octavo/calibrate.h"
#include "octavo/core/weights/bias_scale.h"
#include "octavo/core/weights/groups.h"
#include "octavo/error.h"
#include "octavo/kernels.h"
#include "octavo/passes.h"

namespace octavo {
namespace {

/// Input of a node's int32 bias, by node.
std::map<NodeId, std::size_t> bias_inputs(const Plan& plan) {
  std::map<NodeId, std::size_t> inputs;
  for (const BiasPlan& bias : plan.biases) inputs[bias.node] = bias.input;
  return inputs;
}

/// Parameters of what the weight meets; null for inputs that stay in float.
const QParams* input_parameters(const Graph& graph, NodeId node, const QParamsByName& activations) {
  const auto found = activations.find(graph.value(graph.node(node).input(0)).name);
  return found == activations.end() ? nullptr : &found->second;
}

/// What the method starts from. Groups are looked at as the rows that group_rows makes of them.
QParams observed_parameters(const Tensor& weight, const WeightPlan& planned) {
  ObserverOptions options = planned.observer_options;
  options.kernels = &fast_kernels();
  const bool in_groups = planned.scheme.per_group();
  if (in_groups) options.axis = 0;
  const auto observer = planned.observer.make(options);
  observer->fold(
      *observer->summarize(in_groups ? group_rows(weight, planned.scheme.axis, planned.scheme.group_size) : weight));
  if (!in_groups) return planned.fake_quant.compute_qparams(*observer, planned.scheme);
  return params_of_groups(planned.fake_quant.compute_qparams(*observer, scheme_of_rows(planned.scheme)),
                          planned.scheme);
}

QuantizedTensor rounded_weight(const Tensor& weight, const WeightPlan& planned) {
  return planned.method.quantize(weight, planned.scheme, observed_parameters(weight, planned), fast_kernels());
}

/// Enlarges scales with which the int32 bias would overflow.
void hold_bias(const Tensor& weight, const Tensor& bias, const QParams& input, bool power_of_two,
               QuantizedTensor& rounded) {
  auto scales = scales_that_hold_bias(rounded.params.scale, input.scale[0], bias.data<float>(), power_of_two);
  if (scales == rounded.params.scale) return;
  rounded.params.scale = std::move(scales);
  rounded.integers = quantize(weight, rounded.params, fast_kernels());
}

}  // namespace

QuantizedWeights round_weights(const Graph& graph, const Plan& plan, const QParamsByName& activations) {
  QuantizedWeights weights;
  const auto biases = bias_inputs(plan);
  for (const WeightPlan& planned : plan.weights) {
    const Node& node = graph.node(planned.node);
    const Tensor& weight = *graph.constant(node.input(planned.input));
    const QParams* input = input_parameters(graph, planned.node, activations);
    const auto steps = input == nullptr ? std::nullopt : input_steps(graph, planned.node, *input);
    QuantizedTensor& rounded = weights[planned.node];
    rounded = rounded_weight(steps ? multiplied_by_steps(weight, *steps) : weight, planned);
    const auto bias = biases.find(planned.node);
    if (bias == biases.end()) continue;
    if (input == nullptr) {
      throw Error(ErrorCode::internal, fmt::format("{}: its input '{}' has no parameters to round the bias by",
                                                   describe(graph, planned.node), graph.value(node.input(0)).name));
    }
    // Beside scales of channels or groups, biases stay in float.
    if (input->per_channel() || rounded.params.per_group()) continue;
    hold_bias(weight, *graph.constant(node.input(bias->second)), *input, planned.scheme.power_of_two, rounded);
  }
  return weights;
}

}  // namespace octavo
