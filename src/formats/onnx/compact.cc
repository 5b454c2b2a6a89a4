#include "onnx/compact.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "octavo/error.h"
#include "onnx/bias_rows.h"
#include "onnx/bias_scales.h"
#include "qdq.h"

namespace octavo::formats::onnx_file {
namespace {

bool has_integers(const Graph& graph) {
  const auto nodes = graph.nodes();
  return std::any_of(nodes.begin(), nodes.end(), [&](NodeId id) {
    const std::string& type = graph.node(id).op_type;
    return type == "DequantizeLinear" || type == "QuantizeLinear" || type.starts_with("QLinear");
  });
}

// --- constants -----------------------------------------------------------------------------------

/// Whether a node reads the value as the zero point of a constant. ONNX Runtime 1.31 rewrites int8 weights together
/// with their zero points where `session.x64quantprecision` is set, and fails where two weights share one.
bool is_zero_of_constant(const Graph& graph, const Node& node, ValueId id) {
  for (std::size_t i = 2; i < node.inputs.size(); ++i) {
    if (node.inputs[i] != id) continue;
    ValueId operand = node.inputs[i - 2];
    const NodeId producer = operand == kNoValue ? kNoNode : graph.producer(operand);
    if (producer != kNoNode && is_standard(graph.node(producer), "QuantizeLinear")) {
      operand = graph.node(producer).input(0);
    }
    if (graph.constant(operand) != nullptr) return true;
  }
  return false;
}

/// Whether a constant is only read as scale, zero point, limit or other operand of what computes with integers.
bool is_parameter(const Graph& graph, ValueId id) {
  if (graph.constant(id) == nullptr || graph.is_output(id) || graph.is_captured(id)) return false;
  const auto readers = graph.consumers(id);
  return std::all_of(readers.begin(), readers.end(), [&](NodeId reader) {
    const Node& node = graph.node(reader);
    if (is_zero_of_constant(graph, node, id)) return false;
    return node.op_type.ends_with("QuantizeLinear") || node.op_type == "DequantizeLinear" ||
           node.op_type.starts_with("QLinear") || node.op_type == "QGemm" || node.op_type == "FakeQuantize";
  });
}

/// Constants beyond this size are weights, which are not worth comparing.
constexpr std::size_t kMostBytes = 8192;

/// Under the shortest of their names.
void share_parameters(Graph& graph) {
  std::map<std::tuple<DType, Shape, std::string>, std::vector<ValueId>> equal;
  for (const ValueId id : graph.values()) {
    if (!is_parameter(graph, id) || graph.constant(id)->byte_size() > kMostBytes) continue;
    const Tensor& tensor = *graph.constant(id);
    std::string bytes(reinterpret_cast<const char*>(tensor.bytes()), tensor.byte_size());
    equal[{tensor.dtype(), tensor.shape(), std::move(bytes)}].push_back(id);
  }
  for (const auto& [content, ids] : equal) {
    const ValueId kept = *std::min_element(ids.begin(), ids.end(), [&](ValueId a, ValueId b) {
      return graph.value(a).name.size() < graph.value(b).name.size();
    });
    for (const ValueId id : ids) {
      if (id != kept) graph.replace_uses(id, kept);
    }
  }
  graph.remove_dead();
}

/// Whether runtimes have convolutions that read and write such activations. ONNX Runtime 1.31 has them for signed ones
/// too, but not where the result is also added to something.
bool has_kernels(const QParams& activation) { return !activation.per_channel() && activation.storage == DType::u8; }

/// Whether a result, or what a Relu that saturation does anyway makes of it, goes to one QuantizeLinear of such
/// activations.
bool is_quantized_alone(const Graph& graph, ValueId result) {
  const auto reader = [&](ValueId id) {
    const bool one = id != kNoValue && graph.use_count(id) == 1 && !graph.is_output(id) && !graph.is_captured(id);
    return one ? graph.consumers(id).front() : kNoNode;
  };
  NodeId next = reader(result);
  const bool limited = next != kNoNode && is_standard(graph.node(next), "Relu");
  if (limited) next = reader(graph.node(next).output(0));
  if (next == kNoNode || !is_standard(graph.node(next), "QuantizeLinear")) return false;
  const auto params = linear_params(graph, graph.node(next));
  return params && has_kernels(*params) && (!limited || params->zero_point.front() == params->quant_min);
}

/// Those of int8 weights that are 0, which DequantizeLinear need not be told, where every runtime makes one operator on
/// integers of a convolution. Elsewhere ONNX Runtime 1.31 fails with `session.x64quantprecision` where there are scales
/// for channels without zero points.
void drop_zeros_of_weights(Graph& graph) {
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    const auto input = is_standard(node, "Conv") ? dequantized(graph, node.input(0)) : std::nullopt;
    if (!input || !has_kernels(input->params)) continue;
    const auto weight = dequantized(graph, node.input(1));
    if (!weight || weight->params.storage != DType::i8 || graph.constant(weight->integers) == nullptr) continue;
    const auto& zeros = weight->params.zero_point;
    const bool plain = std::all_of(zeros.begin(), zeros.end(), [](auto zero) { return zero == 0; });
    if (!plain || graph.use_count(node.input(1)) != 1 || !is_quantized_alone(graph, node.output(0))) continue;
    graph.set_inputs_of(weight->node, {weight->integers, graph.node(weight->node).input(1)});
  }
  graph.remove_dead();
}

// --- attributes ----------------------------------------------------------------------------------

/// An attribute of windows that may be left out where all its numbers are this.
struct Default {
  std::string_view name;
  std::int64_t number;
};
constexpr std::array kDefaults{Default{"group", 1}, Default{"dilations", 1}, Default{"strides", 1}, Default{"pads", 0}};

void drop_defaults(Graph& graph) {
  for (const NodeId id : graph.nodes()) {
    const std::string& type = graph.node(id).op_type;
    if (type != "Conv" && type != "QLinearConv" && type != "MaxPool" && type != "AveragePool") continue;
    auto& attributes = graph.mutable_node(id).attributes;
    for (const Default& one : kDefaults) {
      const auto found = attributes.find(one.name);
      if (found == attributes.end()) continue;
      const auto* number = std::get_if<std::int64_t>(&found->second);
      const auto* numbers = std::get_if<std::vector<std::int64_t>>(&found->second);
      const bool plain = number != nullptr ? *number == one.number
                                           : numbers != nullptr && std::all_of(numbers->begin(), numbers->end(),
                                                                               [&](auto n) { return n == one.number; });
      if (plain) attributes.erase(found);
    }
  }
}

// --- types ---------------------------------------------------------------------------------------

bool may_forget(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  return !value.is_constant() && !value.opaque_type && !graph.is_input(id) && !graph.is_output(id) &&
         !graph.is_captured(id);
}

void forget(Value& value) {
  value.dtype = DType::undefined;
  value.dims.reset();
}

/// OpenVINO knows that its operator gives what it reads; we infer shapes of ai.onnx alone.
bool is_fake_quantized(const Graph& graph, ValueId id) {
  const NodeId producer = graph.producer(id);
  return producer != kNoNode && graph.node(producer).op_type == "FakeQuantize";
}

void drop_inferred_types(Graph& graph) {
  Graph inferred = graph;
  for (const ValueId id : graph.values()) {
    if (may_forget(graph, id) && !is_fake_quantized(graph, id)) forget(inferred.value(id));
  }
  try {
    infer_shapes(inferred);
  } catch (const Error&) {
    return;  // a graph that contradicts itself is for its readers to judge, with all that it says
  }
  for (const ValueId id : graph.values()) {
    Value& value = graph.value(id);
    const Value& known = inferred.value(id);
    if (may_forget(graph, id) && known.dtype == value.dtype && known.dims == value.dims) forget(value);
  }
}

}  // namespace

Graph compacted(Graph graph) {
  if (!has_integers(graph)) return graph;
  drop_zeros_of_weights(graph);
  share_parameters(graph);
  write_scale_products(graph);
  write_biases_as_rows(graph);
  drop_defaults(graph);
  drop_inferred_types(graph);
  return graph;
}

}  // namespace octavo::formats::onnx_file
