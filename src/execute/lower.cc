#include "lower.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "chains.h"
#include "octavo/core/rounding.h"
#include "op_table.h"

namespace octavo::execute {
namespace {

/// Integers with their constant parameters.
struct Quantized {
  ValueId integers = kNoValue;
  ValueId scale = kNoValue;
  ValueId zero_point = kNoValue;
};

/// The constant that no caller can replace, as one that is an input of the graph too could be.
const Tensor* fixed(const Graph& graph, ValueId id) {
  return id == kNoValue || graph.is_input(id) ? nullptr : graph.constant(id);
}

bool is_8_bit(DType dtype) { return dtype == DType::u8 || dtype == DType::i8; }

/// Scale and zero point of a QuantizeLinear or DequantizeLinear where they are constants of as many elements.
std::optional<Quantized> parameters(const Graph& graph, const Node& node, std::int64_t count) {
  const Tensor* scale = fixed(graph, node.input(1));
  const Tensor* zero_point = fixed(graph, node.input(2));
  if (scale == nullptr || scale->dtype() != DType::f32 || scale->size() != count) return std::nullopt;
  if (zero_point == nullptr || zero_point->size() != count || node.int_or("block_size", 0) != 0) return std::nullopt;
  return Quantized{node.input(0), node.input(1), node.input(2)};
}

/// The DequantizeLinear that computes the value, or null.
const Node* dequantizer(const Graph& graph, ValueId id) {
  if (id == kNoValue || graph.producer(id) == kNoNode) return nullptr;
  const Node& node = graph.node(graph.producer(id));
  return is_standard(node) && node.op_type == "DequantizeLinear" ? &node : nullptr;
}

/// What the value was before DequantizeLinear, where it has one scale and 8 bits.
std::optional<Quantized> operand(const Graph& graph, ValueId id) {
  const Node* node = dequantizer(graph, id);
  if (node == nullptr) return std::nullopt;
  const auto result = parameters(graph, *node, 1);
  return result && is_8_bit(fixed(graph, result->zero_point)->dtype()) ? result : std::nullopt;
}

/// The same for constant weights, which may have a scale for each index of their first axis.
std::optional<Quantized> weights(const Graph& graph, ValueId id) {
  const Node* node = dequantizer(graph, id);
  const Tensor* values = node == nullptr ? nullptr : fixed(graph, node->input(0));
  if (values == nullptr || !is_8_bit(values->dtype()) || values->rank() == 0) return std::nullopt;
  if (const auto result = parameters(graph, *node, 1)) return result;
  return node->int_or("axis", 1) == 0 ? parameters(graph, *node, values->dim(0)) : std::nullopt;
}

/// The int32 constant behind a bias whose scale is that of the accumulator: input scale * weight scale.
std::optional<ValueId> bias(const Graph& graph, ValueId id, const Quantized& x, const Quantized& w) {
  if (id == kNoValue) return kNoValue;
  const Node* node = dequantizer(graph, id);
  const Tensor* values = node == nullptr ? nullptr : fixed(graph, node->input(0));
  const Tensor* scale = node == nullptr ? nullptr : fixed(graph, node->input(1));
  if (values == nullptr || values->dtype() != DType::i32 || values->rank() != 1) return std::nullopt;
  if (scale == nullptr || scale->dtype() != DType::f32 || node->int_or("block_size", 0) != 0) return std::nullopt;
  const Tensor* zero_point = fixed(graph, node->input(2));
  const auto w_scale = fixed(graph, w.scale)->data<float>();
  const float x_scale = fixed(graph, x.scale)->data<float>()[0];
  if (node->input(2) != kNoValue && (zero_point == nullptr || zero_point->dtype() != DType::i32)) return std::nullopt;
  const auto zeros = zero_point == nullptr ? std::span<const std::int32_t>() : zero_point->data<std::int32_t>();
  if (std::any_of(zeros.begin(), zeros.end(), [](std::int32_t zero) { return zero != 0; })) return std::nullopt;
  const auto scales = scale->data<float>();
  if (scales.size() != 1 && (scales.size() != w_scale.size() || values->size() != scale->size())) return std::nullopt;
  for (std::size_t i = 0; i < w_scale.size(); ++i) {
    const float wanted = x_scale * w_scale[i];
    if (!(std::fabs(scales[scales.size() == 1 ? 0 : i] - wanted) <= 1e-5F * wanted)) return std::nullopt;
  }
  return node->input(0);
}

/// How a node goes on to its QuantizeLinear.
struct Tail {
  Activation activation;
  ValueId real = kNoValue;  ///< what QuantizeLinear reads
  NodeId quantize = kNoNode;
  Quantized output;
  DType dtype = DType::undefined;
};

/// Whether saturation does what the activation does: its bounds become the smallest and the largest integer.
bool saturates(const Activation& activation, float scale, std::int32_t zero_point, DType dtype) {
  using Kind = Activation::Kind;
  if (activation.kind == Kind::none) return true;
  if (activation.kind == Kind::leaky_relu) return false;
  const AffineMap map{scale, zero_point, dtype == DType::u8 ? 0 : -128, dtype == DType::u8 ? 255 : 127};
  const bool relu = activation.kind == Kind::relu;
  const float low = relu ? 0.0F : activation.alpha;
  const float high = relu ? std::numeric_limits<float>::infinity() : activation.beta;
  return quantize_value(low, map) == map.quant_min && quantize_value(high, map) == map.quant_max;
}

std::optional<Tail> tail(const Graph& graph, const std::vector<bool>& watched, NodeId id) {
  Tail result;
  result.real = graph.node(id).output(0);
  if (const NodeId next = unseen_reader(graph, watched, graph.node(id)); next != kNoNode) {
    if (const auto activation = activation_node(graph, graph.node(next))) {
      result.activation = *activation;
      result.real = graph.node(next).output(0);
    }
  }
  result.quantize = only_reader(graph, result.real);
  if (result.quantize == kNoNode || graph.node(result.quantize).op_type != "QuantizeLinear") return std::nullopt;
  const auto output = parameters(graph, graph.node(result.quantize), 1);
  if (!output) return std::nullopt;
  result.output = *output;
  const Tensor& zero_point = *fixed(graph, output->zero_point);
  result.dtype = zero_point.dtype();
  if (!is_8_bit(result.dtype)) return std::nullopt;
  const float scale = fixed(graph, output->scale)->data<float>()[0];
  const std::int32_t zero =
      result.dtype == DType::u8 ? zero_point.data<std::uint8_t>()[0] : zero_point.data<std::int8_t>()[0];
  return saturates(result.activation, scale, zero, result.dtype) ? std::optional(result) : std::nullopt;
}

/// Puts `lowered` in the place of the tail's QuantizeLinear and removes the nodes before it.
void replace(Graph& graph, const std::vector<bool>& watched, NodeId id, const Tail& tail, Node lowered) {
  lowered.domain = kInternalDomain;
  set_activation(lowered, tail.activation);
  lowered.outputs = {graph.node(tail.quantize).output(0)};
  if (watched[static_cast<std::size_t>(tail.real)]) lowered.outputs.push_back(tail.real);
  const NodeId last = graph.producer(tail.real);
  graph.set_outputs_of(tail.quantize, {kNoValue});
  graph.set_outputs_of(last, {kNoValue});
  graph.remove_node(last);
  if (last != id) graph.remove_node(id);  // before the lowered node, which has its name, is added
  graph.add_node(std::move(lowered), tail.quantize);
  graph.remove_node(tail.quantize);
}

void lower_conv(Graph& graph, const std::vector<bool>& watched, NodeId id) {
  const Node& conv = graph.node(id);
  const auto x = operand(graph, conv.input(0));
  const auto w = weights(graph, conv.input(1));
  if (!x || !w) return;
  const auto b = bias(graph, conv.input(2), *x, *w);
  const auto end = b ? tail(graph, watched, id) : std::nullopt;
  if (!end) return;
  Node lowered = conv;
  lowered.op_type = "QLinearConv";
  lowered.inputs = {x->integers, x->scale,      x->zero_point,     w->integers,
                    w->scale,    w->zero_point, end->output.scale, end->output.zero_point};
  if (*b != kNoValue) lowered.inputs.push_back(*b);
  replace(graph, watched, id, *end, std::move(lowered));
}

void lower_add(Graph& graph, const std::vector<bool>& watched, NodeId id) {
  const Node& add = graph.node(id);
  const auto a = operand(graph, add.input(0));
  const auto b = operand(graph, add.input(1));
  const auto end = a && b ? tail(graph, watched, id) : std::nullopt;
  if (!end) return;
  for (const Quantized& input : {*a, *b}) {
    if (fixed(graph, input.zero_point)->dtype() != end->dtype) return;
  }
  Node lowered = add;
  lowered.op_type = "QuantizedAdd";
  lowered.inputs = {a->integers, b->integers,   a->scale,          a->zero_point,
                    b->scale,    b->zero_point, end->output.scale, end->output.zero_point};
  replace(graph, watched, id, *end, std::move(lowered));
}

}  // namespace

void lower_to_integers(Graph& graph, const std::vector<bool>& watched) {
  for (const NodeId id : graph.nodes()) {
    if (!graph.contains_node(id) || !is_standard(graph.node(id))) continue;
    const std::string& op_type = graph.node(id).op_type;
    if (op_type == "Conv")
      lower_conv(graph, watched, id);
    else if (op_type == "Add")
      lower_add(graph, watched, id);
  }
}

}  // namespace octavo::execute
