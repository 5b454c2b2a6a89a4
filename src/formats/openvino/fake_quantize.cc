#include "openvino/fake_quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "octavo/core/rounding.h"
#include "qdq.h"

namespace octavo::formats::openvino {
namespace {

constexpr std::string_view kDomain = "org.openvinotoolkit";

/// The QuantizeLinear before a DequantizeLinear with the same parameters, or kNoNode.
NodeId quantizer_before(const Graph& graph, const Dequantized& found) {
  const NodeId id = graph.producer(found.integers);
  if (id == kNoNode || !is_standard(graph.node(id), "QuantizeLinear")) return kNoNode;
  return linear_params(graph, graph.node(id)) == found.params ? id : kNoNode;
}

std::string reason_against(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (is_standard(node, "QuantizeLinear")) {
    if (node.output(0) == kNoValue) return {};
    for (const NodeId reader : graph.consumers(node.output(0))) {
      if (!is_standard(graph.node(reader), "DequantizeLinear")) return "its integers are read by other operators";
    }
    return graph.is_output(node.output(0)) ? "its integers leave the graph" : "";
  }
  if (node.domain.empty() && (node.op_type.starts_with("QLinear") || node.op_type.ends_with("Integer"))) {
    return "it computes with integers that FakeQuantize has not";
  }
  if (!is_standard(node, "DequantizeLinear")) return {};
  const auto found = dequantized(graph, node.output(0));
  if (!found) return "its scales are no constants above 0 that fit its input";
  if (graph.constant(found->integers) != nullptr) {
    return found->params.per_group() ? "FakeQuantize has no scales per group" : "";
  }
  return quantizer_before(graph, *found) == kNoNode ? "there is no QuantizeLinear of the same parameters before it"
                                                    : "";
}

bool is_symmetric(const QParams& params) {
  return std::all_of(params.zero_point.begin(), params.zero_point.end(), [](auto z) { return z == 0; });
}

/// FakeQuantize over activations. Weights of 8 bits stay integers behind DequantizeLinear, which OpenVINO makes the
/// same of as of its own models' integer weights; FakeQuantize would want them as floats, four times as large.
class Writer {
 public:
  explicit Writer(Graph graph) : graph_(std::move(graph)) {}

  Graph write() {
    for (const NodeId id : graph_.nodes()) {
      if (is_standard(graph_.node(id), "DequantizeLinear")) replace(id);
    }
    graph_.opsets.emplace(kDomain, 1);
    graph_.sort();
    graph_.remove_dead();
    return std::move(graph_);
  }

 private:
  ValueId constant(const std::string& base, std::string_view what, Tensor tensor) {
    return graph_.add_constant(graph_.unique_value_name(fmt::format("{}_{}", base, what)), std::move(tensor));
  }

  void replace(NodeId id) {
    const ValueId output = graph_.node(id).output(0);
    const Dequantized found = *dequantized(graph_, output);
    const Tensor* integers = graph_.constant(found.integers);
    if (integers != nullptr && (integers->dtype() == DType::i8 || integers->dtype() == DType::u8)) {
      if (is_symmetric(found.params)) graph_.set_inputs_of(id, {found.integers, graph_.node(id).input(1)});
      return;
    }
    const NodeId quantizer = integers == nullptr ? quantizer_before(graph_, found) : kNoNode;
    QParams params = found.params;
    ValueId input = kNoValue;
    if (integers == nullptr) {
      input = graph_.node(quantizer).input(0);
    } else {
      Tensor floats = dequantized_constant(*integers, params);
      widen(params);
      input = constant(graph_.value(found.integers).name, "float", std::move(floats));
    }
    const auto dims = graph_.value(input).dims;
    Node node = graph_.node(id);
    graph_.remove_node(id);
    if (params.storage == DType::i32) {  // a bias
      Value& value = graph_.value(output);
      value.constant = *graph_.constant(input);
      return;
    }
    node.op_type = "FakeQuantize";
    node.domain = kDomain;
    node.attributes.clear();
    node.attributes["levels"] = std::int64_t{params.quant_max} - params.quant_min + 1;
    const std::string name = graph_.value(found.integers).name;  // a copy: new constants move what the graph holds
    add_limits(node, input, name, params, dims ? dims->size() : 0);
    graph_.add_node(std::move(node));
  }

  /// OpenVINO runs weights of 255 or 256 levels in integers and, without a word, all others in float. Four bits are
  /// some of the same levels.
  static void widen(QParams& params) {
    if (params.storage == DType::u4) params.quant_max = 255;
    if (params.storage != DType::i4) return;
    params.quant_min = is_symmetric(params) ? -127 : -128;
    params.quant_max = 127;
  }

  /// Lowest and highest real, for input and output alike; one for each channel broadcasts over the input.
  void add_limits(Node& node, ValueId input, const std::string& name, const QParams& params, std::size_t rank) {
    Tensor low(DType::f32, shape_of_limits(params, rank), true);
    Tensor high = low;
    for (std::size_t i = 0; i < params.scale.size(); ++i) {
      const AffineMap map = affine_map(params, i);
      low.mutable_data<float>()[i] = dequantize_value(params.quant_min, map);
      high.mutable_data<float>()[i] = dequantize_value(params.quant_max, map);
    }
    const ValueId lowest = constant(name, "low", std::move(low));
    const ValueId highest = constant(name, "high", std::move(high));
    node.inputs = {input, lowest, highest, lowest, highest};
  }

  static Shape shape_of_limits(const QParams& params, std::size_t rank) {
    if (!params.per_channel()) return {};
    Shape shape(rank, 1);
    shape[static_cast<std::size_t>(params.axis)] = static_cast<std::int64_t>(params.scale.size());
    return shape;
  }

  Graph graph_;
};

}  // namespace

std::vector<UnsupportedNode> unsupported(const Graph& graph) {
  Graph stored = graph;
  store_integers(stored);
  std::vector<UnsupportedNode> nodes;
  for (const NodeId id : stored.nodes()) {
    std::string reason = reason_against(stored, id);
    if (!reason.empty()) nodes.push_back({id, std::move(reason)});
  }
  return nodes;
}

Graph to_fake_quantize(const Graph& graph) {
  Graph stored = graph;
  store_integers(stored);
  return Writer(std::move(stored)).write();
}

}  // namespace octavo::formats::openvino
