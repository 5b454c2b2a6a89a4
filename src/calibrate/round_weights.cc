#include <fmt/format.h>

#include "octavo/calibrate.h"
#include "octavo/core/observers/channel_ranges.h"
#include "octavo/core/weights/bias_scale.h"
#include "octavo/error.h"
#include "octavo/kernels.h"

namespace octavo {
namespace {

/// The bias that shares its scale with the weight, and the scale of the activation between them.
std::span<const float> bias_of(const Graph& graph, const Plan& plan, const WeightPlan& weight) {
  for (const BiasPlan& bias : plan.biases) {
    if (bias.node == weight.node) return graph.constant(graph.node(bias.node).input(bias.input))->data<float>();
  }
  return {};
}

}  // namespace

QuantizedWeights round_weights(const Graph& graph, const Plan& plan, const QParamsByName& activations) {
  QuantizedWeights weights;
  for (const WeightPlan& planned : plan.weights) {
    const Node& node = graph.node(planned.node);
    const Tensor& weight = *graph.constant(node.input(planned.input));
    QuantizedTensor& rounded = weights[planned.node];
    rounded.params = qparams_from_ranges(channel_ranges(weight, planned.scheme.axis, fast_kernels()), planned.scheme);
    const float input_scale = activations.at(graph.value(node.input(0)).name).scale[0];
    rounded.params.scale = scales_that_hold_bias(rounded.params.scale, input_scale, bias_of(graph, plan, planned));
    rounded.integers = quantize(weight, rounded.params, fast_kernels());
  }
  return weights;
}

}  // namespace octavo
