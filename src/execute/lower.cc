#include "lower.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "chains.h"
#include "linear_operands.h"
#include "octavo/core/rounding.h"
#include "op_table.h"
#include "operands.h"

namespace octavo::execute {
namespace {

/// How a node goes on to its QuantizeLinear.
struct Tail {
  Activation activation;
  ValueId real = kNoValue;  ///< what QuantizeLinear reads
  NodeId quantize = kNoNode;
  QuantizedValue output;
};

std::int32_t first_integer(const Tensor& tensor) {
  return tensor.dtype() == DType::u8 ? tensor.data<std::uint8_t>()[0] : tensor.data<std::int8_t>()[0];
}

/// Whether saturation does what the activation does: its bounds become the smallest and the largest integer.
bool saturates(const Activation& activation, const QuantizedValue& output) {
  using Kind = Activation::Kind;
  if (activation.kind == Kind::none) return true;
  if (activation.kind == Kind::leaky_relu) return false;
  const bool is_unsigned = output.zero_point.dtype() == DType::u8;
  const AffineMap map{output.scale_at(0), first_integer(output.zero_point), is_unsigned ? 0 : -128,
                      is_unsigned ? 255 : 127};
  const bool relu = activation.kind == Kind::relu;
  const float low = relu ? 0.0F : activation.alpha;
  const float high = relu ? std::numeric_limits<float>::infinity() : activation.beta;
  return quantize_value(low, map) == map.quant_min && quantize_value(high, map) == map.quant_max;
}

/// Type of a zero point that is left out: that of the integers. Undefined where it is not of 8 bits.
DType implied_type(const Graph& graph, const Node& node) {
  if (node.op_type == "QuantizeLinear") return node.has("output_dtype") ? DType::undefined : DType::u8;
  const DType integers = graph.value(node.input(0)).dtype;
  return integers == DType::i8 || integers == DType::u8 ? integers : DType::undefined;
}

/// Adds zero points that are left out, so that lowering finds all in one form.
void state_zero_points(Graph& graph) {
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    const bool linear = node.op_type == "QuantizeLinear" || node.op_type == "DequantizeLinear";
    const Tensor* const scale = linear && is_standard(node) ? fixed_constant(graph, node.input(1)) : nullptr;
    if (scale == nullptr || node.input(2) != kNoValue) continue;
    const DType type = implied_type(graph, node);
    if (type == DType::undefined) continue;
    const Shape shape = scale->shape();
    const ValueId zero = graph.add_constant(graph.unique_value_name("zero_point"), Tensor(type, shape));
    graph.set_inputs_of(id, {node.input(0), node.input(1), zero});
  }
}

class Lowering {
 public:
  Lowering(Graph& graph, const std::vector<bool>& watched, const Arithmetic& arithmetic)
      : graph_(graph), watched_(watched), arithmetic_(arithmetic) {}

  void run() {
    for (const NodeId id : graph_.nodes()) {
      if (!graph_.contains_node(id) || !is_standard(graph_.node(id))) continue;
      const std::string& op_type = graph_.node(id).op_type;
      if (op_type == "Conv" || (op_type == "Gemm" && arithmetic_.integer_gemm)) {
        if (arithmetic_.sums == SumsBecome::integers) {
          requantize(id);
        } else {
          scale(id);
        }
      } else if (op_type == "Add" && arithmetic_.integer_add) {
        add(id);
      } else if (op_type == "Add" && arithmetic_.unrounded_sums) {
        add_unrounded(id);
      }
    }
  }

 private:
  std::optional<Tail> tail(NodeId id) const {
    Tail result;
    result.real = graph_.node(id).output(0);
    if (const NodeId next = unseen_reader(graph_, watched_, graph_.node(id)); next != kNoNode) {
      if (const auto activation = activation_node(graph_, graph_.node(next))) {
        result.activation = *activation;
        result.real = graph_.node(next).output(0);
      }
    }
    result.quantize = only_reader(graph_, result.real);
    if (result.quantize == kNoNode || graph_.node(result.quantize).op_type != "QuantizeLinear") return std::nullopt;
    const auto output = activation_parameters(graph_, graph_.node(result.quantize), arithmetic_.channel_scales);
    if (!output) return std::nullopt;
    result.output = *output;
    const bool bounds = arithmetic_.bounds_integers && result.activation.kind != Activation::Kind::leaky_relu;
    return bounds || saturates(result.activation, result.output) ? std::optional(result) : std::nullopt;
  }

  /// Puts `lowered` in the place of the tail's QuantizeLinear and removes the nodes before it.
  void replace(NodeId id, const Tail& tail, Node lowered) {
    lowered.domain = kInternalDomain;
    set_activation(lowered, tail.activation);
    lowered.outputs = {graph_.node(tail.quantize).output(0)};
    if (watched_[static_cast<std::size_t>(tail.real)]) lowered.outputs.push_back(tail.real);
    const NodeId last = graph_.producer(tail.real);
    graph_.set_outputs_of(tail.quantize, {kNoValue});
    graph_.set_outputs_of(last, {kNoValue});
    graph_.remove_node(last);
    if (last != id) graph_.remove_node(id);  // before the lowered node, which has its name, is added
    graph_.add_node(std::move(lowered), tail.quantize);
    graph_.remove_node(tail.quantize);
  }

  ValueId constant(std::string_view name, Tensor tensor) {
    return graph_.add_constant(graph_.unique_value_name(name), std::move(tensor));
  }
  ValueId floats(std::string_view name, const std::vector<float>& numbers) {
    return constant(name, Tensor::from<float>({static_cast<std::int64_t>(numbers.size())}, std::span(numbers)));
  }
  /// The one zero point of all channels.
  ValueId zero(const QuantizedValue& value) {
    if (!value.per_channel()) return value.zero_id;
    const std::int32_t number = first_integer(value.zero_point);
    if (value.zero_point.dtype() == DType::u8) {
      const std::vector<std::uint8_t> one{static_cast<std::uint8_t>(number)};
      return constant("zero", Tensor::from<std::uint8_t>({}, std::span(one)));
    }
    const std::vector<std::int8_t> one{static_cast<std::int8_t>(number)};
    return constant("zero", Tensor::from<std::int8_t>({}, std::span(one)));
  }

  /// Inputs that both kinds of convolution begin with.
  Node convolution(NodeId id, std::string_view op_type, const LinearOperands& operands) {
    Node lowered = graph_.node(id);
    lowered.op_type = op_type;
    const ValueId weights = operands.transposed ? constant("weights", *operands.transposed) : operands.weights.integers;
    lowered.inputs = {operands.input.integers, zero(operands.input), weights, operands.weights.zero_id,
                      floats("unit", operands.units)};
    return lowered;
  }

  void requantize(NodeId id) {
    const auto operands = linear_operands(graph_, graph_.node(id), arithmetic_);
    if (!operands) return;
    const ValueId source = graph_.node(id).input(2);
    std::optional<ValueId> bias = kNoValue;
    std::optional<Tensor> truncated;
    if (source != kNoValue) bias = bias_operand(graph_, source, operands->units);
    if (!bias && arithmetic_.truncates_bias) truncated = truncated_bias(graph_, source, *operands);
    if (!bias && !truncated) return;
    const auto end = tail(id);
    if (!end) return;
    Node lowered = convolution(id, "RequantizedConv", *operands);
    lowered.inputs.insert(lowered.inputs.end(), {end->output.scale_id, zero(end->output)});
    if (truncated) bias = constant("bias", *truncated);
    if (*bias != kNoValue) lowered.inputs.push_back(*bias);
    replace(id, *end, std::move(lowered));
  }

  void scale(NodeId id) {
    const auto operands = linear_operands(graph_, graph_.node(id), arithmetic_);
    if (!operands) return;
    const ValueId bias = graph_.node(id).input(2);
    const auto& dims = bias == kNoValue ? std::nullopt : graph_.value(bias).dims;
    const bool one_a_channel = dims && dims->size() == 1 && dims->front().known() &&
                               dims->front().size == static_cast<std::int64_t>(operands->channels);
    if (bias != kNoValue && !one_a_channel) return;
    Node lowered = convolution(id, "ScaledConv", *operands);
    lowered.domain = kInternalDomain;
    const bool fused = arithmetic_.fused_bias && graph_.node(id).op_type == "Conv";
    lowered.attributes["fused_bias"] = std::int64_t{fused ? 1 : 0};
    if (bias != kNoValue) lowered.inputs.push_back(bias);
    const ValueId real = lowered.outputs[0];
    graph_.set_outputs_of(id, {kNoValue});
    graph_.mutable_node(id).name.clear();  // the lowered node takes it over
    graph_.add_node(std::move(lowered), id);
    graph_.remove_node(id);
    mark_end(real);
  }

  /// Where the only reader of a convolution's result quantizes it, perhaps behind an activation.
  void mark_end(ValueId real) {
    NodeId next = only_reader(graph_, real);
    if (next != kNoNode && (activation_node(graph_, graph_.node(next)) || graph_.node(next).op_type == "PRelu")) {
      next = only_reader(graph_, graph_.node(next).output(0));
    }
    if (next == kNoNode || graph_.node(next).op_type != "QuantizeLinear") return;
    graph_.mutable_node(next).attributes["ends_convolution"] = std::int64_t{1};
  }

  void add(NodeId id) {
    const Node& node = graph_.node(id);
    const auto a = activation_operand(graph_, node.input(0), false);
    const auto b = activation_operand(graph_, node.input(1), false);
    const auto end = a && b ? tail(id) : std::nullopt;
    if (!end || end->output.per_channel()) return;
    for (const QuantizedValue& input : {*a, *b}) {
      if (input.zero_point.dtype() != end->output.zero_point.dtype()) return;
    }
    Node lowered = node;
    lowered.op_type = "QuantizedAdd";
    lowered.inputs = {a->integers, b->integers, a->scale_id,          a->zero_id,
                      b->scale_id, b->zero_id,  end->output.scale_id, end->output.zero_id};
    replace(id, *end, std::move(lowered));
  }

  /// What a convolution hands to `id` alone through a pair of its own, with the pair's parameters and the real in the
  /// place of the integers.
  std::optional<QuantizedValue> unrounded(ValueId id) const {
    auto pair = activation_operand(graph_, id, false);
    if (!pair || graph_.use_count(id) != 1 || graph_.is_output(id)) return std::nullopt;
    if (graph_.use_count(pair->integers) != 1 || graph_.is_output(pair->integers)) return std::nullopt;
    const NodeId quantize = graph_.producer(pair->integers);
    if (quantize == kNoNode || graph_.node(quantize).op_type != "QuantizeLinear") return std::nullopt;
    const ValueId real = graph_.node(quantize).input(0);
    if (only_reader(graph_, real) != quantize || graph_.producer(real) == kNoNode) return std::nullopt;
    const Node& source = graph_.node(graph_.producer(real));
    if (source.domain != kInternalDomain || source.op_type != "ScaledConv") return std::nullopt;
    const Tensor* weights = graph_.constant(source.input(2));
    if (weights == nullptr || weights->rank() < 3) return std::nullopt;
    pair->integers = real;
    return pair;
  }

  /// What led to the sum stays for those who watch it.
  void add_unrounded(NodeId id) {
    const auto end = tail(id);
    if (!end || end->output.zero_point.dtype() != DType::u8) return;
    for (const std::size_t i : {0, 1}) {
      const auto a = unrounded(graph_.node(id).input(i));
      const auto b = activation_operand(graph_, graph_.node(id).input(1 - i), false);
      if (!a || !b || a->zero_point.dtype() != DType::u8 || b->zero_point.dtype() != DType::u8) continue;
      Node lowered;
      lowered.domain = kInternalDomain;
      lowered.op_type = "UnroundedSum";
      lowered.inputs = {a->integers, b->integers, a->scale_id,          a->zero_id,
                        b->scale_id, b->zero_id,  end->output.scale_id, end->output.zero_id};
      lowered.outputs = {graph_.node(end->quantize).output(0)};
      graph_.set_outputs_of(end->quantize, {kNoValue});
      graph_.add_node(std::move(lowered), end->quantize);
      graph_.remove_node(end->quantize);
      return;
    }
  }

  Graph& graph_;
  const std::vector<bool>& watched_;
  const Arithmetic& arithmetic_;
};

}  // namespace

void lower_to_integers(Graph& graph, const std::vector<bool>& watched, const Arithmetic& arithmetic) {
  state_zero_points(graph);
  Lowering(graph, watched, arithmetic).run();
}

}  // namespace octavo::execute
