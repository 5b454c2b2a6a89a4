#include <fmt/format.h>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "linear_nodes.h"
#include "octavo/core/channels.h"
#include "octavo/passes.h"
#include "stored_weight.h"

namespace octavo {
namespace {

bool is_8_bit(DType dtype) { return dtype == DType::i8 || dtype == DType::u8; }

/// The matrix with rows and columns exchanged.
template <typename T>
Tensor turned(const Tensor& matrix) {
  const auto rows = static_cast<std::size_t>(matrix.dim(0));
  const auto columns = static_cast<std::size_t>(matrix.dim(1));
  Tensor result(matrix.dtype(), {matrix.dim(1), matrix.dim(0)});
  const auto from = matrix.data<T>();
  const auto to = result.mutable_data<T>();
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
  }
  return result;
}

/// An activation in 8 bits by the range it has at run time.
struct Measured {
  ValueId integers = kNoValue;
  ValueId scale = kNoValue;
  ValueId zero_point = kNoValue;
};

class DynamicInserter {
 public:
  DynamicInserter(Graph& graph, const QuantizedWeights& weights) : graph_(graph), weights_(weights) {}

  /// Whether the node became a product of integers.
  bool insert(const WeightPlan& plan) {
    const QuantizedTensor& rounded = passes::weight_of(graph_, plan.node, weights_);
    const Node node = graph_.node(plan.node);
    if (plan.input != 1 || !is_8_bit(rounded.params.storage) || rounded.params.per_group()) return false;
    const bool gemm = node.op_type == "Gemm";
    if (!gemm && node.op_type != "MatMul") return false;
    const bool plain =
        node.int_or("transA", 0) == 0 && node.float_or("alpha", 1.0F) == 1.0F && node.float_or("beta", 1.0F) == 1.0F;
    const bool transposed = gemm && node.int_or("transB", 0) != 0;
    const int columns = transposed ? 0 : static_cast<int>(rounded.integers.rank()) - 1;
    if (!plain || (rounded.params.per_channel() && rounded.params.axis != columns)) return false;
    replace(node, plan, rounded, transposed);
    return true;
  }

 private:
  ValueId add(std::string_view op_type, const std::string& name, std::vector<ValueId> inputs, DType dtype,
              std::optional<Dims> dims) {
    const ValueId output = graph_.add_value(graph_.unique_value_name(name), dtype, std::move(dims));
    Node node;
    node.name = graph_.unique_node_name(name);
    node.op_type = op_type;
    node.inputs = std::move(inputs);
    node.outputs = {output};
    graph_.add_node(std::move(node));
    return output;
  }
  ValueId constant(const std::string& base, std::string_view suffix, Tensor tensor) {
    return graph_.add_constant(graph_.unique_value_name(fmt::format("{}_{}", base, suffix)), std::move(tensor));
  }

  /// Once for all who read the value.
  const Measured& measured(ValueId id) {
    const auto [entry, first] = measured_.try_emplace(id);
    if (!first) return entry->second;
    const Value value = graph_.value(id);
    Measured& result = entry->second;
    result.integers = graph_.add_value(graph_.unique_value_name(value.name + "_quantized"), DType::u8, value.dims);
    result.scale = graph_.add_value(graph_.unique_value_name(value.name + "_scale"), DType::f32, Dims{});
    result.zero_point = graph_.add_value(graph_.unique_value_name(value.name + "_zero_point"), DType::u8, Dims{});
    Node node;
    node.name = graph_.unique_node_name(value.name + "_DynamicQuantizeLinear");
    node.op_type = "DynamicQuantizeLinear";
    node.inputs = {id};
    node.outputs = {result.integers, result.scale, result.zero_point};
    graph_.add_node(std::move(node));
    return result;
  }

  /// y = (x_q · w_q) · (x_scale · w_scale) + bias; the scales of the columns multiply along the last dimension.
  void replace(const Node& node, const WeightPlan& plan, const QuantizedTensor& rounded, bool transposed) {
    const Measured x = measured(node.input(0));
    const std::string weight = graph_.value(node.input(1)).name;
    const ValueId output = node.output(0);
    const std::string name = graph_.value(output).name;
    const std::optional<Dims> dims = graph_.value(output).dims;
    Tensor integers = rounded.integers;
    if (transposed)
      integers = integers.dtype() == DType::i8 ? turned<std::int8_t>(integers) : turned<std::uint8_t>(integers);
    const Shape shape =
        rounded.params.per_channel() ? Shape{static_cast<std::int64_t>(rounded.params.scale.size())} : Shape{};
    const ValueId w = constant(weight, "quantized", std::move(integers));
    const ValueId w_zero = constant(weight, "zero_point",
                                    passes::integer_tensor(rounded.params.storage, shape, rounded.params.zero_point));
    const ValueId w_scale =
        constant(weight, "scale", Tensor::from<float>(shape, std::span<const float>(rounded.params.scale)));

    const ValueId sums = add("MatMulInteger", name + "_sums", {x.integers, w, x.zero_point, w_zero}, DType::i32, dims);
    const ValueId numbers = add("Cast", name + "_cast", {sums}, DType::f32, dims);
    graph_.mutable_node(graph_.producer(numbers)).attributes["to"] = std::int64_t{1};  // TensorProto.FLOAT
    const ValueId scale = add("Mul", name + "_scale", {x.scale, w_scale}, DType::f32, std::nullopt);
    const ValueId bias = node.op_type == "Gemm" ? node.input(2) : kNoValue;
    graph_.remove_node(plan.node);  // its result and its name go to the last of the new nodes
    Node last;
    last.name = node.name;
    last.op_type = bias == kNoValue ? "Mul" : "Add";
    last.inputs = {numbers, scale};
    if (bias != kNoValue) last.inputs = {add("Mul", name + "_scaled", {numbers, scale}, DType::f32, dims), bias};
    last.outputs = {output};
    graph_.add_node(std::move(last));
  }

  Graph& graph_;
  const QuantizedWeights& weights_;
  std::map<ValueId, Measured> measured_;
};

}  // namespace

std::vector<std::string> insert_dynamic(Graph& graph, const Plan& plan, const QuantizedWeights& weights) {
  DynamicInserter inserter(graph, weights);
  std::vector<std::string> others;
  for (const WeightPlan& weight : plan.weights) {
    if (inserter.insert(weight)) continue;
    others.push_back(describe(graph, weight.node));
    graph.set_input(weight.node, weight.input, passes::stored_weight(graph, weight, weights));
  }
  graph.sort();
  graph.remove_dead();
  return others;
}

}  // namespace octavo
