#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "octavo/graph.h"
#include "octavo/passes.h"
#include "octavo/verify.h"

namespace octavo {
namespace {

bool named(const Node& node, std::string_view op_type) { return node.op_type == op_type; }

bool is_one_of(const Node& node, std::initializer_list<std::string_view> op_types) {
  return std::any_of(op_types.begin(), op_types.end(), [&](std::string_view op_type) { return named(node, op_type); });
}

bool is_activation(const Node& node) { return is_one_of(node, {"Relu", "Clip", "LeakyRelu"}); }
bool multiplies(const Node& node) { return is_one_of(node, {"Conv", "ConvTranspose", "Gemm", "MatMul"}); }
bool is_recurrent(const Node& node) { return is_one_of(node, {"LSTM", "GRU", "RNN"}); }

/// Where an operator on integers alone has its weights; 0 for any other operator.
std::size_t integer_weight_input(const Node& node) {
  if (is_one_of(node, {"ConvInteger", "MatMulInteger"})) return 1;
  return is_one_of(node, {"QLinearConv", "QLinearMatMul", "QGemm"}) ? 3 : 0;
}

class Work {
 public:
  explicit Work(const Graph& graph) : graph_(graph) {}

  WorkShare run() {
    find_integer_nodes();
    for (const NodeId id : graph_.nodes()) {
      count_multiplies(id);
      share_.boundaries += changes_here(id) ? 1 : 0;
    }
    return share_;
  }

 private:
  const Node* producer(ValueId id) const {
    const NodeId node = id == kNoValue ? kNoNode : graph_.producer(id);
    return node == kNoNode ? nullptr : &graph_.node(node);
  }
  bool is_dequantized(ValueId id) const {
    const Node* node = producer(id);
    return node != nullptr && named(*node, "DequantizeLinear");
  }
  /// A weight that took in its input's scales has a Mul by their inverse behind it.
  bool is_integer_weight(ValueId id) const {
    const Node* node = producer(id);
    if (node == nullptr || !named(*node, "Mul")) return is_dequantized(id);
    return is_dequantized(node->input(0)) && graph_.value(node->input(1)).is_constant();
  }
  bool only_quantized(ValueId id) const {
    if (id == kNoValue || graph_.is_output(id)) return false;
    const auto readers = graph_.consumers(id);
    return !readers.empty() && std::all_of(readers.begin(), readers.end(),
                                           [&](NodeId reader) { return named(graph_.node(reader), "QuantizeLinear"); });
  }
  bool is_integer(NodeId id) const { return integer_.contains(id); }

  bool between_pairs(const Node& node) const {
    bool any = false;
    for (const ValueId input : node.inputs) {
      if (input == kNoValue || graph_.value(input).is_constant()) continue;
      if (!is_dequantized(input)) return false;
      any = true;
    }
    return any && std::all_of(node.outputs.begin(), node.outputs.end(),
                              [&](ValueId id) { return id == kNoValue || only_quantized(id); });
  }

  /// An activation behind integer sums, which takes them on to a QuantizeLinear.
  bool ends_sums(const Node& node) const {
    const ValueId input = node.input(0);
    if (!is_activation(node) || input == kNoValue || graph_.use_count(input) != 1) return false;
    return is_integer(graph_.producer(input)) && !is_dequantized(input) && only_quantized(node.output(0));
  }

  void find_integer_nodes() {
    for (const NodeId id : graph_.nodes()) {
      const Node& node = graph_.node(id);
      if (is_one_of(node, {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"})) continue;
      const bool integer = multiplies(node) ? is_dequantized(node.input(0)) && is_integer_weight(node.input(1))
                                            : between_pairs(node) || ends_sums(node);
      if (integer || integer_weight_input(node) > 0) integer_.insert(id);
    }
  }

  /// Elements of the output times what is summed for each; negative where that is not known.
  double multiplications(const Node& node, std::size_t weight_input) const {
    if (is_recurrent(node)) return recurrent_multiplications(node);
    const double outputs = elements(node.output(0));
    const auto weight = graph_.value(node.input(weight_input)).static_shape();
    if (named(node, "ConvTranspose")) {
      // Each input element meets a kernel for each output channel of its group.
      return weight && weight->size() > 2 ? elements(node.input(0)) * kernel(*weight) * double_of((*weight)[1]) : -1.0;
    }
    if (!weight || weight->size() < 2) return -1.0;
    if (is_one_of(node, {"Conv", "ConvInteger", "QLinearConv"}))
      return outputs * kernel(*weight) * double_of((*weight)[1]);
    const bool by_rows = is_one_of(node, {"Gemm", "QGemm"}) && node.int_or("transB", 0) != 0;
    return outputs * double_of(by_rows ? weight->back() : (*weight)[weight->size() - 2]);
  }
  /// Each step of each sample meets all weights, of the input and of the state before.
  double recurrent_multiplications(const Node& node) const {
    const auto& dims = graph_.value(node.input(0)).dims;
    const auto weight = graph_.value(node.input(1)).static_shape();
    const auto recurrence = graph_.value(node.input(2)).static_shape();
    if (!dims || dims->size() != 3 || !weight || !recurrence) return -1.0;
    const bool batch_first = node.int_or("layout", 0) == 1;
    const Dim& steps = (*dims)[batch_first ? 1 : 0];
    const Dim& batch = (*dims)[batch_first ? 0 : 1];
    if (!steps.known()) return -1.0;
    const double weights = double_of(element_count(*weight)) + double_of(element_count(*recurrence));
    return double_of(steps.size) * (batch.known() ? double_of(batch.size) : 1.0) * weights;
  }
  static double double_of(std::int64_t size) { return static_cast<double>(size); }
  static double kernel(const Shape& weight) {
    double size = 1.0;
    for (std::size_t d = 2; d < weight.size(); ++d) size *= double_of(weight[d]);
    return size;
  }
  double elements(ValueId id) const {
    const Value& value = graph_.value(id);
    if (!value.dims) return -1.0;
    double count = 1.0;
    for (std::size_t d = 0; d < value.dims->size(); ++d) {
      const Dim& dim = (*value.dims)[d];
      if (!dim.known() && d > 0) return -1.0;
      count *= dim.known() ? double_of(dim.size) : 1.0;
    }
    return count;
  }

  void count_multiplies(NodeId id) {
    const Node& node = graph_.node(id);
    const std::size_t weight_input = multiplies(node) || is_recurrent(node) ? 1 : integer_weight_input(node);
    const ValueId shaped = is_recurrent(node) ? node.input(2) : node.output(0);
    const auto absent = [](ValueId value) { return value == kNoValue; };
    if (weight_input == 0 || absent(node.input(0)) || absent(node.input(weight_input)) || absent(shaped)) return;
    const double count = multiplications(node, weight_input);
    if (count < 0.0)
      ++share_.unknown;
    else
      (is_integer(id) ? share_.integer_multiplies : share_.float_multiplies) += count;
  }

  /// Whether the node turns floats that exist into integers, or integers into floats that somebody reads.
  bool changes_here(NodeId id) const {
    const Node& node = graph_.node(id);
    if (named(node, "DynamicQuantizeLinear")) return true;
    if (named(node, "QuantizeLinear")) {
      const ValueId source = node.input(0);
      if (source == kNoValue || graph_.value(source).is_constant()) return false;
      return graph_.producer(source) == kNoNode || !is_integer(graph_.producer(source));
    }
    if (named(node, "DequantizeLinear")) {
      if (graph_.value(node.input(0)).is_constant()) return false;
      const auto readers = graph_.consumers(node.output(0));
      return graph_.is_output(node.output(0)) ||
             std::any_of(readers.begin(), readers.end(), [&](NodeId reader) { return !is_integer(reader); });
    }
    // Sums that go on as floats.
    const ValueId result = node.output(0);
    if (!is_integer(id) || !multiplies(node) || only_quantized(result)) return false;
    const auto readers = graph_.consumers(result);
    return graph_.is_output(result) || readers.size() != 1 || !ends_sums(graph_.node(readers.front()));
  }

  const Graph& graph_;
  std::set<NodeId> integer_;
  WorkShare share_;
};

}  // namespace

WorkShare work_share(const Graph& graph) {
  Graph known = graph;
  known.remove_dead();  // what nobody reads is no work
  const auto nodes = known.nodes();
  const auto is_fake = [&](NodeId id) { return named(known.node(id), "FakeQuantize"); };
  if (std::any_of(nodes.begin(), nodes.end(), is_fake)) restore_qdq(known);
  infer_shapes(known);
  return Work(known).run();
}

}  // namespace octavo
