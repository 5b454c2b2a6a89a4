#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "linear_nodes.h"
#include "octavo/core/rounding.h"
#include "octavo/error.h"
#include "octavo/passes.h"
#include "stored_weight.h"

namespace octavo {
namespace {

using passes::LinearNodes;

/// Adds the nodes and constants of one plan to one graph.
class Inserter {
 public:
  Inserter(Graph& graph, const Plan& plan, const QParamsByName& activations, const QuantizedWeights& weights)
      : graph_(graph), plan_(plan), activations_(activations), weights_(weights), linear_(graph) {}

  void run() {
    // Weights and biases first: they look at input 0 of their node before a pair comes between.
    for (const WeightPlan& weight : plan_.weights) insert_weight(weight);
    for (const BiasPlan& bias : plan_.biases) insert_bias(bias);
    for (const ActivationPlan& activation : plan_.activations) insert_pair(activation);
    graph_.sort();
    graph_.remove_dead();
  }

 private:
  const QParams* find_activation(ValueId id) const {
    const auto found = activations_.find(graph_.value(id).name);
    return found == activations_.end() ? nullptr : &found->second;
  }
  const QParams& activation(ValueId id) const {
    if (const QParams* params = find_activation(id)) return *params;
    throw Error(ErrorCode::internal, fmt::format("value '{}' is planned but has no parameters", graph_.value(id).name));
  }

  /// Integers of a weight that was multiplied by the steps of its input stand for it divided by them again.
  void insert_weight(const WeightPlan& plan) {
    const QParams* input =
        plan_.integer_nodes.contains(plan.node) ? find_activation(graph_.node(plan.node).input(0)) : nullptr;
    const auto steps = input == nullptr ? std::nullopt : input_steps(graph_, plan.node, *input);
    const Value source = graph_.value(graph_.node(plan.node).input(plan.input));
    ValueId weight = passes::stored_weight(graph_, plan, weights_);
    if (steps) {
      Tensor inverse = *steps;
      for (float& step : inverse.mutable_data<float>()) step = 1.0F / step;
      Node node;
      node.name = graph_.unique_node_name(source.name + "_Mul");
      node.op_type = "Mul";
      node.inputs = {weight, linear_.constant(source.name, "inverse_input_scale", std::move(inverse))};
      weight = graph_.add_value(graph_.unique_value_name(source.name + "_divided"), DType::f32, source.dims);
      node.outputs = {weight};
      graph_.add_node(std::move(node));
    }
    graph_.set_input(plan.node, plan.input, weight);
  }

  /// round(bias / (scale of the input · scale of the weight)): the unit of the integer sums it is added to. Where these
  /// have no one scale for each output the bias stays in float.
  void insert_bias(const BiasPlan& plan) {
    const Node& node = graph_.node(plan.node);
    const QParams& input = activation(node.input(0));
    const QParams& rounded = passes::weight_of(graph_, plan.node, weights_).params;
    if (input.per_channel() || rounded.per_group()) return;
    const ValueId source = node.input(plan.input);
    const auto bias = graph_.constant(source)->data<float>();
    QuantizedTensor stored;
    QParams& params = stored.params;
    params.axis = rounded.per_channel() ? 0 : QScheme::kPerTensor;
    params.quant_min = std::numeric_limits<std::int32_t>::min();
    params.quant_max = std::numeric_limits<std::int32_t>::max();
    params.storage = DType::i32;
    constexpr float kLargest = std::numeric_limits<float>::max();
    for (const float scale : rounded.scale) params.scale.push_back(std::min(input.scale[0] * scale, kLargest));
    params.zero_point.assign(params.scale.size(), 0);
    std::vector<std::int32_t> values;
    for (std::size_t i = 0; i < bias.size(); ++i) {
      values.push_back(quantize_bias_value(bias[i], params.scale[params.per_channel() ? i : 0]));
    }
    stored.integers = passes::integer_tensor(DType::i32, {static_cast<std::int64_t>(values.size())},
                                             std::span<const std::int32_t>(values));
    graph_.set_input(plan.node, plan.input, linear_.dequantized(source, stored));
  }

  /// A subgraph that captures the value by name goes on reading the float.
  void insert_pair(const ActivationPlan& plan) {
    const ValueId id = plan.value;
    const auto readers = graph_.consumers(id);
    // Half the range is asked for by sums that must not overflow, not as a meaning: a Clip would only cost time.
    const bool keeps_limits = plan.scheme.bits % 8 != 0;
    const ValueId restored = linear_.pair(id, activation(id), keeps_limits);
    for (const NodeId reader : readers) {
      if (!plan.integer_producer && !plan_.integer_nodes.contains(reader)) continue;
      for (std::size_t i = 0; i < graph_.node(reader).inputs.size(); ++i) {
        if (graph_.node(reader).input(i) == id) graph_.set_input(reader, i, restored);
      }
    }
    if (plan.integer_producer && graph_.is_output(id) && !graph_.is_captured(id)) replace_output(id, restored);
  }

  /// The pair's result takes over the name under which callers know the output.
  void replace_output(ValueId id, ValueId restored) {
    const std::string name = graph_.value(id).name;
    graph_.rename_value(id, graph_.unique_value_name(name + "_float"));
    graph_.rename_value(restored, name);
    std::vector<ValueId> outputs = graph_.outputs();
    std::replace(outputs.begin(), outputs.end(), id, restored);
    graph_.set_outputs(std::move(outputs));
  }

  Graph& graph_;
  const Plan& plan_;
  const QParamsByName& activations_;
  const QuantizedWeights& weights_;
  LinearNodes linear_;
};

}  // namespace

void insert_qdq(Graph& graph, const Plan& plan, const QParamsByName& activations, const QuantizedWeights& weights) {
  Inserter(graph, plan, activations, weights).run();
}

}  // namespace octavo
