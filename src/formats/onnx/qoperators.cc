#include "onnx/qoperators.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "octavo/core/rounding.h"
#include "qdq.h"

namespace octavo::formats::onnx_file {
namespace {

constexpr std::string_view kMicrosoft = "com.microsoft";

/// How an operator between pairs is written.
struct Form {
  std::string_view op_type;
  std::string_view domain;  ///< of the operator on integers; empty: ai.onnx
  std::string_view integer_type;
  std::size_t operands = 1;       ///< first inputs, all quantized; 0: every one
  bool bias = false;              ///< input 2 becomes int32
  bool float_result = false;      ///< the result may be float
  bool parameters_first = false;  ///< of the result: before the operands
  bool unsigned_only = false;     ///< kernels for uint8 results, and uint8 first operands, alone
  std::string_view unknown = {};  ///< attribute that the integer operator has not
};

constexpr std::array kForms{
    Form{.op_type = "Conv", .domain = "", .integer_type = "QLinearConv", .operands = 2, .bias = true},
    Form{.op_type = "MatMul", .domain = "", .integer_type = "QLinearMatMul", .operands = 2},
    Form{.op_type = "Gemm",
         .domain = kMicrosoft,
         .integer_type = "QGemm",
         .operands = 2,
         .bias = true,
         .float_result = true,
         .unsigned_only = true,
         .unknown = "beta"},
    Form{.op_type = "Add", .domain = kMicrosoft, .integer_type = "QLinearAdd", .operands = 2},
    Form{.op_type = "Mul", .domain = kMicrosoft, .integer_type = "QLinearMul", .operands = 2},
    Form{.op_type = "Concat",
         .domain = kMicrosoft,
         .integer_type = "QLinearConcat",
         .operands = 0,
         .parameters_first = true},
    Form{.op_type = "Sigmoid", .domain = kMicrosoft, .integer_type = "QLinearSigmoid"},
    Form{.op_type = "LeakyRelu", .domain = kMicrosoft, .integer_type = "QLinearLeakyRelu"},
    Form{.op_type = "GlobalAveragePool", .domain = kMicrosoft, .integer_type = "QLinearGlobalAveragePool"},
    Form{.op_type = "AveragePool", .domain = kMicrosoft, .integer_type = "QLinearAveragePool", .unknown = "dilations"},
};

/// What gives each integer it gets on as it is, from the opset on in which it takes 8 bits.
struct Mover {
  std::string_view op_type;
  std::int64_t opset = 0;
};
constexpr std::array kMovers{Mover{"MaxPool", 12}, Mover{"Reshape"}, Mover{"Flatten"},
                             Mover{"Transpose"},   Mover{"Squeeze"}, Mover{"Unsqueeze"},
                             Mover{"Slice"},       Mover{"Split"},   Mover{"Gather"}};

/// The first opset whose Clip takes 8 bits.
constexpr std::int64_t kOpsetOfIntegerClip = 12;

template <typename Table>
auto row_of(const Table& table, const Node& node) -> decltype(table.data()) {
  if (!node.domain.empty()) return nullptr;
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.op_type == node.op_type; });
  return found == table.end() ? nullptr : &*found;
}

bool is_8_bit(DType dtype) { return dtype == DType::u8 || dtype == DType::i8; }

/// A result with the QuantizeLinear that alone reads it, and the limits of a Relu or Clip between.
struct Result {
  ValueId value = kNoValue;  ///< what the operator computes
  NodeId quantizer = kNoNode;
  QParams params;
  std::int32_t low = 0;  ///< as integers
  std::int32_t high = 0;
  NodeId activation = kNoNode;
};

class Converter {
 public:
  explicit Converter(Graph graph) : graph_(std::move(graph)) {}

  Graph convert() {
    store_integers(graph_);
    graph_.sort();
    for (const NodeId id : graph_.nodes()) {
      if (!graph_.contains_node(id)) continue;
      if (const Form* form = row_of(kForms, graph_.node(id))) {
        compute(id, *form);
      } else if (const Mover* mover = row_of(kMovers, graph_.node(id)); mover && graph_.opset() >= mover->opset) {
        move(id);
      }
    }
    graph_.sort();
    graph_.remove_dead();
    return std::move(graph_);
  }

 private:
  // --- reading -----------------------------------------------------------------------------------
  /// 8 bits, or nothing.
  std::optional<Dequantized> operand(ValueId id) const {
    auto found = dequantized(graph_, id);
    return found && is_8_bit(found->params.storage) && !found->params.per_group() ? found : std::nullopt;
  }

  bool read_once(ValueId id) const {
    return id != kNoValue && graph_.use_count(id) == 1 && !graph_.is_output(id) && !graph_.is_captured(id);
  }

  std::optional<float> limit(const Node& node, std::size_t input, std::string_view attribute, float fallback) const {
    if (node.op_type == "Relu") return input == 1 ? 0.0F : fallback;
    if (node.input(input) == kNoValue) return node.float_or(attribute, fallback);
    const Tensor* constant = graph_.constant(node.input(input));
    if (constant == nullptr || constant->dtype() != DType::f32 || constant->size() != 1) return std::nullopt;
    return constant->data<float>()[0];
  }

  std::optional<Result> result_of(ValueId id) const {
    Result result;
    result.value = id;
    ValueId last = id;
    if (!read_once(id)) return std::nullopt;
    const NodeId next = graph_.consumers(id).front();
    const bool limited = is_standard(graph_.node(next), "Relu") || is_standard(graph_.node(next), "Clip");
    if (limited) {
      if (graph_.node(next).input(0) != id) return std::nullopt;
      result.activation = next;
      last = graph_.node(next).output(0);
      if (!read_once(last)) return std::nullopt;
    }
    result.quantizer = graph_.consumers(last).front();
    const Node& quantizer = graph_.node(result.quantizer);
    if (!is_standard(quantizer, "QuantizeLinear") || quantizer.input(0) != last) return std::nullopt;
    if (quantizer.output(0) == kNoValue) return std::nullopt;
    const auto params = linear_params(graph_, quantizer);
    if (!params || !is_8_bit(params->storage) || params->axis != QScheme::kPerTensor) return std::nullopt;
    result.params = *params;
    result.low = params->quant_min;
    result.high = params->quant_max;
    return !limited || set_limits(graph_.node(next), result) ? std::optional(result) : std::nullopt;
  }

  /// Rounding keeps the order, so limits can be rounded beforehand.
  bool set_limits(const Node& activation, Result& result) const {
    const auto low = limit(activation, 1, "min", -std::numeric_limits<float>::infinity());
    const auto high = limit(activation, 2, "max", std::numeric_limits<float>::infinity());
    if (!low || !high || std::isnan(*low) || std::isnan(*high)) return false;
    const AffineMap map = affine_map(result.params, 0);
    result.low = quantize_value(*low, map);
    result.high = quantize_value(*high, map);
    return saturates(result) || graph_.opset() >= kOpsetOfIntegerClip;
  }

  static bool saturates(const Result& result) {
    return result.low == result.params.quant_min && result.high == result.params.quant_max;
  }

  /// Weights may have a scale for each output channel, but one zero point; all else has one scale.
  bool fits(const Node& node, std::size_t input, const QParams& params) const {
    if (!params.per_channel()) return true;
    if (input != 1) return false;
    const auto& zeros = params.zero_point;
    if (std::any_of(zeros.begin(), zeros.end(), [&](std::int32_t zero) { return zero != zeros.front(); })) return false;
    if (node.op_type == "Conv") return params.axis == 0;
    if (node.op_type == "Gemm") return params.axis == (node.int_or("transB", 0) != 0 ? 0 : 1);
    const auto& dims = graph_.value(node.input(1)).dims;
    return node.op_type == "MatMul" && dims && dims->size() == 2 && params.axis == 1;
  }

  std::vector<Dequantized> operands(const Node& node, std::size_t count) const {
    std::vector<Dequantized> found;
    for (std::size_t i = 0; i < (count == 0 ? node.inputs.size() : count); ++i) {
      auto one = operand(node.input(i));
      if (!one || !fits(node, i, one->params)) return {};
      // No kernel multiplies signed activations by unsigned weights.
      if (i == 1 && count == 2 && found[0].params.storage == DType::i8 && one->params.storage == DType::u8) return {};
      found.push_back(*std::move(one));
    }
    return found;
  }

  // --- biases ------------------------------------------------------------------------------------
  /// In units of the product of both operands' scales; nothing where that overflows.
  std::optional<Tensor> bias(const Node& node, const QParams& x, const QParams& w) const {
    const auto stored = dequantized(graph_, node.input(2));
    const Tensor* source = graph_.constant(stored ? stored->integers : node.input(2));
    if (source == nullptr || source->rank() != 1) return std::nullopt;
    const bool as_many = stored && stored->params.scale.size() == w.scale.size();
    if (as_many && source->dtype() == DType::i32) {
      bool same = true;
      for (std::size_t i = 0; i < w.scale.size(); ++i) {
        const float unit = x.scale[0] * w.scale[i];
        same = same && std::fabs(stored->params.scale[i] - unit) <= 1e-5F * unit;
      }
      if (same) return *source;
    }
    const Tensor floats = stored ? dequantized_constant(*source, stored->params) : *source;
    if (floats.dtype() != DType::f32) return std::nullopt;
    if (w.per_channel() && floats.size() != static_cast<std::int64_t>(w.scale.size())) return std::nullopt;
    Tensor integers(DType::i32, floats.shape(), true);
    const auto to = integers.mutable_data<std::int32_t>();
    for (std::size_t i = 0; i < to.size(); ++i) {
      const double units = double{floats.data<float>()[i]} / (double{x.scale[0]} * w.scale[w.per_channel() ? i : 0]);
      if (!(std::fabs(units) < 0x1p30)) return std::nullopt;  // sums must not wrap around either
      to[i] = static_cast<std::int32_t>(std::nearbyint(units));
    }
    return integers;
  }

  // --- writing -----------------------------------------------------------------------------------
  ValueId constant(const std::string& base, std::string_view what, Tensor tensor) {
    return graph_.add_constant(graph_.unique_value_name(base + std::string(what)), std::move(tensor));
  }

  /// As many as there are scales.
  ValueId zero_point(ValueId integers, const Node& linear, const QParams& params) {
    if (linear.input(2) != kNoValue) return linear.input(2);
    const Tensor zero(params.storage, graph_.constant(linear.input(1))->shape());
    return constant(graph_.value(integers).name, "_zero_point", zero);
  }

  void add_operand(std::vector<ValueId>& inputs, const Dequantized& operand) {
    const Node linear = graph_.node(operand.node);
    const ValueId zero = zero_point(operand.integers, linear, operand.params);
    inputs.insert(inputs.end(), {operand.integers, linear.input(1), zero});
  }

  std::vector<ValueId> result_parameters(const Result& result) {
    const Node linear = graph_.node(result.quantizer);
    const ValueId zero = zero_point(linear.output(0), linear, result.params);
    return {linear.input(1), zero};
  }

  void compute(NodeId id, const Form& form) {
    const Node node = graph_.node(id);
    if (!form.unknown.empty() && node.has(form.unknown) && !is_default(node, form.unknown)) return;
    if (form.bias && node.float_or("alpha", 1.0F) != 1.0F) return;  // the bias would be in other units
    const auto read = operands(node, form.operands);
    if (read.empty()) return;
    const auto result = result_of(node.output(0));
    if (!result && !form.float_result) return;
    const bool is_unsigned = read[0].params.storage == DType::u8 && (!result || result->params.storage == DType::u8);
    if (form.unsigned_only && !is_unsigned) return;
    const bool has_bias = form.bias && node.input(2) != kNoValue;
    std::optional<Tensor> rounded = has_bias ? bias(node, read[0].params, read[1].params) : std::nullopt;
    if (has_bias && !rounded) return;

    std::vector<ValueId> inputs;
    const auto parameters = result ? result_parameters(*result) : std::vector<ValueId>{};
    const auto add_parameters = [&] { inputs.insert(inputs.end(), parameters.begin(), parameters.end()); };
    if (form.parameters_first) add_parameters();
    for (const Dequantized& one : read) add_operand(inputs, one);
    ValueId sums = kNoValue;
    if (rounded) sums = constant(graph_.value(node.output(0)).name, "_bias", *std::move(rounded));
    if (form.integer_type == "QGemm" && (sums != kNoValue || result)) inputs.push_back(sums);
    if (!form.parameters_first) add_parameters();
    if (form.integer_type != "QGemm" && sums != kNoValue) inputs.push_back(sums);
    replace(id, form, std::move(inputs), result);
  }

  /// What the integer operator does without the attribute.
  static bool is_default(const Node& node, std::string_view attribute) {
    const auto all = node.ints_or(attribute, {});
    return node.float_or(attribute, 1.0F) == 1.0F && std::all_of(all.begin(), all.end(), [](auto x) { return x == 1; });
  }

  void replace(NodeId id, const Form& form, std::vector<ValueId> inputs, const std::optional<Result>& result) {
    Node node = graph_.node(id);
    node.op_type = form.integer_type;
    node.domain = form.domain;
    if (!form.domain.empty()) graph_.opsets.emplace(form.domain, 1);
    if (!form.unknown.empty()) node.attributes.erase(std::string(form.unknown));
    node.inputs = std::move(inputs);
    graph_.remove_node(id);
    if (result) finish(node, *result);
    graph_.add_node(std::move(node));
  }

  /// Takes QuantizeLinear and the activation out, and lets a Clip on integers do what saturation does not.
  void finish(Node& node, const Result& result) {
    const ValueId integers = graph_.node(result.quantizer).output(0);
    graph_.remove_node(result.quantizer);
    if (result.activation != kNoNode) graph_.remove_node(result.activation);
    node.outputs = {integers};
    if (saturates(result)) return;
    const std::string name = graph_.value(integers).name;
    const auto limit = [&](std::int32_t value) {
      return result.params.storage == DType::u8 ? Tensor::scalar(static_cast<std::uint8_t>(value))
                                                : Tensor::scalar(static_cast<std::int8_t>(value));
    };
    node.outputs = {graph_.add_value(graph_.unique_value_name(name + "_unlimited"), result.params.storage,
                                     graph_.value(integers).dims)};
    Node clip;
    clip.name = graph_.unique_node_name(name + "_Clip");
    clip.op_type = "Clip";
    clip.inputs = {node.outputs[0], constant(name, "_lowest", limit(result.low)),
                   constant(name, "_highest", limit(result.high))};
    clip.outputs = {integers};
    graph_.add_node(std::move(clip));
  }

  /// Every result goes to a QuantizeLinear with the parameters that came in.
  void move(NodeId id) {
    const Node node = graph_.node(id);
    const auto source = operand(node.input(0));
    if (!source || source->params.per_channel()) return;
    if (std::count(node.inputs.begin() + 1, node.inputs.end(), node.input(0)) > 0) return;
    if (node.op_type == "MaxPool" && node.output(1) != kNoValue) return;
    std::vector<Result> results;
    for (const ValueId output : node.outputs) {
      const auto result = output == kNoValue ? std::nullopt : result_of(output);
      if (!result || result->activation != kNoNode || result->params != source->params) return;
      results.push_back(*result);
    }
    if (results.empty()) return;
    std::vector<ValueId> outputs;
    for (const Result& result : results) {
      outputs.push_back(graph_.node(result.quantizer).output(0));
      graph_.remove_node(result.quantizer);
    }
    graph_.set_input(id, 0, source->integers);
    graph_.set_outputs_of(id, std::move(outputs));
  }

  Graph graph_;
};

}  // namespace

Graph to_qoperators(const Graph& graph) { return Converter(graph).convert(); }

}  // namespace octavo::formats::onnx_file
