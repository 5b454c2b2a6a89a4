#include <fmt/format.h>

#include <map>
#include <span>
#include <string>

#include "octavo/calibrate.h"
#include "octavo/core/observers/channel_ranges.h"
#include "octavo/core/weights/bias_scale.h"
#include "octavo/error.h"
#include "octavo/kernels.h"

namespace octavo {
namespace {

/// Input of a node's int32 bias, by node.
std::map<NodeId, std::size_t> bias_inputs(const Plan& plan) {
  std::map<NodeId, std::size_t> inputs;
  for (const BiasPlan& bias : plan.biases) inputs[bias.node] = bias.input;
  return inputs;
}

float input_scale(const Graph& graph, NodeId node, const QParamsByName& activations) {
  const std::string& name = graph.value(graph.node(node).input(0)).name;
  const auto found = activations.find(name);
  if (found != activations.end()) return found->second.scale[0];
  throw Error(ErrorCode::internal,
              fmt::format("{}: its input '{}' has no parameters to round the weight by", describe(graph, node), name));
}

}  // namespace

QuantizedWeights round_weights(const Graph& graph, const Plan& plan, const QParamsByName& activations) {
  QuantizedWeights weights;
  const auto biases = bias_inputs(plan);
  for (const WeightPlan& planned : plan.weights) {
    const Node& node = graph.node(planned.node);
    const Tensor& weight = *graph.constant(node.input(planned.input));
    QuantizedTensor& rounded = weights[planned.node];
    rounded.params = qparams_from_ranges(channel_ranges(weight, planned.scheme.axis, fast_kernels()), planned.scheme);
    const auto bias_input = biases.find(planned.node);
    const Tensor* bias = bias_input == biases.end() ? nullptr : graph.constant(node.input(bias_input->second));
    rounded.params.scale = scales_that_hold_bias(rounded.params.scale, input_scale(graph, planned.node, activations),
                                                 bias == nullptr ? std::span<const float>{} : bias->data<float>());
    rounded.integers = quantize(weight, rounded.params, fast_kernels());
  }
  return weights;
}

}  // namespace octavo
