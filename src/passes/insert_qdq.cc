#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "octavo/error.h"
#include "octavo/passes.h"

namespace octavo {
namespace {

Tensor integers(DType dtype, Shape shape, const std::vector<std::int32_t>& values) {
  const auto as = [&]<typename T>(T) {
    const std::vector<T> narrow(values.begin(), values.end());
    return Tensor::from<T>(std::move(shape), std::span<const T>(narrow));
  };
  switch (dtype) {
    case DType::i8:
      return as(std::int8_t{});
    case DType::u8:
      return as(std::uint8_t{});
    case DType::i16:
      return as(std::int16_t{});
    case DType::u16:
      return as(std::uint16_t{});
    default:
      return as(std::int32_t{});
  }
}

/// Adds the nodes and constants of one plan to one graph.
class Inserter {
 public:
  Inserter(Graph& graph, const Plan& plan, const QParamsByName& activations, const QuantizedWeights& weights)
      : graph_(graph), plan_(plan), activations_(activations), weights_(weights) {}

  void run() {
    // Weights and biases first: they look at input 0 of their node before a pair comes between.
    for (const WeightPlan& weight : plan_.weights) insert_weight(weight);
    for (const BiasPlan& bias : plan_.biases) insert_bias(bias);
    for (const auto& [node, input, value] : replacements_) graph_.set_input(node, input, value);
    for (const ActivationPlan& activation : plan_.activations) insert_pair(activation);
    graph_.sort();
    graph_.remove_dead();
  }

 private:
  const QParams& activation(ValueId id) const {
    const auto found = activations_.find(graph_.value(id).name);
    if (found == activations_.end()) {
      throw Error(ErrorCode::internal,
                  fmt::format("value '{}' is planned but has no parameters", graph_.value(id).name));
    }
    return found->second;
  }
  const QuantizedTensor& weight(NodeId id) const {
    const auto found = weights_.find(id);
    if (found == weights_.end()) {
      throw Error(ErrorCode::internal, fmt::format("{} is planned but has no rounded weight", describe(graph_, id)));
    }
    return found->second;
  }

  ValueId constant(const std::string& base, std::string_view suffix, Tensor tensor) {
    return graph_.add_constant(graph_.unique_value_name(fmt::format("{}_{}", base, suffix)), std::move(tensor));
  }

  /// Scale and zero point, without dimensions where there is one for the whole tensor.
  std::pair<ValueId, ValueId> parameters(const std::string& base, const QParams& params) {
    const Shape shape = params.per_channel() ? Shape{static_cast<std::int64_t>(params.scale.size())} : Shape{};
    return {constant(base, "scale", Tensor::from<float>(shape, std::span<const float>(params.scale))),
            constant(base, "zero_point", integers(params.storage, shape, params.zero_point))};
  }

  ValueId add_linear(std::string_view op_type, const std::string& name, ValueId input,
                     std::pair<ValueId, ValueId> parameters, int axis, ValueId output) {
    Node node;
    node.name = graph_.unique_node_name(name);
    node.op_type = op_type;
    node.inputs = {input, parameters.first, parameters.second};
    node.outputs = {output};
    if (axis != QScheme::kPerTensor) node.attributes["axis"] = static_cast<std::int64_t>(axis);
    graph_.add_node(std::move(node));
    return output;
  }

  ValueId add_float_value(const std::string& base, std::optional<Dims> dims) {
    return graph_.add_value(graph_.unique_value_name(fmt::format("{}_dequantized", base)), DType::f32, std::move(dims));
  }

  /// A constant in integers with its DequantizeLinear; its result replaces `input` of `node` later on.
  void insert_constant(NodeId node, std::size_t input, const QParams& params, Tensor values) {
    const Value source = graph_.value(graph_.node(node).input(input));
    const ValueId stored = constant(source.name, "quantized", std::move(values));
    const auto linear = parameters(source.name, params);
    const ValueId output = add_float_value(source.name, source.dims);
    add_linear("DequantizeLinear", source.name + "_DequantizeLinear", stored, linear, params.axis, output);
    replacements_.push_back({node, input, output});
  }

  void insert_weight(const WeightPlan& plan) {
    const QuantizedTensor& rounded = weight(plan.node);
    insert_constant(plan.node, plan.input, rounded.params, rounded.integers);
  }

  /// round(bias / (scale of the input · scale of the weight)): the unit of the integer sums it is added to.
  void insert_bias(const BiasPlan& plan) {
    const Node& node = graph_.node(plan.node);
    const auto bias = graph_.constant(node.input(plan.input))->data<float>();
    const QParams& input = activation(node.input(0));
    const QParams& rounded = weight(plan.node).params;
    QParams params{.scale = {},
                   .zero_point = {},
                   .axis = rounded.per_channel() ? 0 : QScheme::kPerTensor,
                   .quant_min = std::numeric_limits<std::int32_t>::min(),
                   .quant_max = std::numeric_limits<std::int32_t>::max(),
                   .storage = DType::i32};
    constexpr float kLargest = std::numeric_limits<float>::max();
    for (const float scale : rounded.scale) params.scale.push_back(std::min(input.scale[0] * scale, kLargest));
    params.zero_point.assign(params.scale.size(), 0);
    std::vector<std::int32_t> values;
    for (std::size_t i = 0; i < bias.size(); ++i) {
      const double unit = params.scale[params.per_channel() ? i : 0];
      const double whole = std::nearbyint(bias[i] / unit);
      values.push_back(static_cast<std::int32_t>(
          std::clamp(whole, static_cast<double>(params.quant_min), static_cast<double>(params.quant_max))));
    }
    insert_constant(plan.node, plan.input, params,
                    integers(DType::i32, {static_cast<std::int64_t>(values.size())}, values));
  }

  /// A subgraph that captures the value by name goes on reading the float.
  void insert_pair(const ActivationPlan& plan) {
    const ValueId id = plan.value;
    const QParams& params = activation(id);
    const std::string name = graph_.value(id).name;
    const std::optional<Dims> dims = graph_.value(id).dims;
    const auto readers = graph_.consumers(id);
    const auto linear = parameters(name, params);
    const ValueId stored = graph_.add_value(graph_.unique_value_name(name + "_quantized"), params.storage, dims);
    const ValueId restored = add_float_value(name, dims);
    for (const NodeId reader : readers) {
      if (!plan.integer_producer && !plan_.integer_nodes.contains(reader)) continue;
      for (std::size_t i = 0; i < graph_.node(reader).inputs.size(); ++i) {
        if (graph_.node(reader).input(i) == id) graph_.set_input(reader, i, restored);
      }
    }
    add_linear("QuantizeLinear", name + "_QuantizeLinear", id, linear, params.axis, stored);
    add_linear("DequantizeLinear", name + "_DequantizeLinear", stored, linear, params.axis, restored);
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

  struct Replacement {
    NodeId node;
    std::size_t input;
    ValueId value;
  };
  Graph& graph_;
  const Plan& plan_;
  const QParamsByName& activations_;
  const QuantizedWeights& weights_;
  std::vector<Replacement> replacements_;
};

}  // namespace

void insert_qdq(Graph& graph, const Plan& plan, const QParamsByName& activations, const QuantizedWeights& weights) {
  Inserter(graph, plan, activations, weights).run();
}

}  // namespace octavo
