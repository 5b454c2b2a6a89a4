#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "layer_writer.h"

namespace octavo::formats::ncnn {
namespace {

constexpr float kSixth = 1.0F / 6.0F;

/// A limit of Clip: input `i`, or the attribute of older opsets; nothing where it is no constant.
std::optional<float> limit(const Graph& graph, const Node& node, std::size_t i, std::string_view name, float fallback) {
  if (node.input(i) == kNoValue) return node.float_or(name, fallback);
  const Tensor* tensor = graph.constant(node.input(i));
  if (tensor == nullptr || tensor->dtype() != DType::f32 || tensor->size() != 1) return std::nullopt;
  return tensor->data<float>().front();
}

std::optional<std::vector<float>> limits(const Graph& graph, const Node& node) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  const auto low = limit(graph, node, 1, "min", -kLargest);
  const auto high = limit(graph, node, 2, "max", kLargest);
  if (!low || !high) return std::nullopt;
  return std::vector<float>{std::clamp(*low, -kLargest, kLargest), std::clamp(*high, -kLargest, kLargest)};
}

struct UnaryRule {
  std::string_view op_type;
  std::string_view layer;
  std::int32_t operation = -1;  // parameter 0, of UnaryOp
};
constexpr std::array kUnary{
    UnaryRule{"Abs", "UnaryOp", 0},  UnaryRule{"Ceil", "UnaryOp", 3},   UnaryRule{"Erf", "Erf"},
    UnaryRule{"Exp", "UnaryOp", 7},  UnaryRule{"Floor", "UnaryOp", 2},  UnaryRule{"Log", "UnaryOp", 8},
    UnaryRule{"Mish", "Mish"},       UnaryRule{"Neg", "UnaryOp", 1},    UnaryRule{"Reciprocal", "UnaryOp", 15},
    UnaryRule{"Sigmoid", "Sigmoid"}, UnaryRule{"Softplus", "Softplus"}, UnaryRule{"Sqrt", "UnaryOp", 5},
    UnaryRule{"Tanh", "TanH"},
};

void write_unary(LayerWriter& writer, NodeId id) {
  const auto* const rule = std::find_if(kUnary.begin(), kUnary.end(), [&](const UnaryRule& candidate) {
    return candidate.op_type == writer.node(id).op_type;
  });
  Layer& layer = writer.add(rule->layer, id);
  if (rule->operation >= 0) layer.params.set(0, rule->operation);
}

void write_relu(LayerWriter& writer, NodeId id) { writer.add("ReLU", id); }

void write_leaky_relu(LayerWriter& writer, NodeId id) {
  writer.add("ReLU", id).params.set(0, writer.node(id).float_or("alpha", 0.01F));
}

void write_clip(LayerWriter& writer, NodeId id) {
  const auto found = limits(writer.graph(), writer.node(id));
  if (!found) throw NoLayer{"its limits are no constants"};
  Layer& layer = writer.add("Clip", id);
  layer.params.set(0, (*found)[0]);
  layer.params.set(1, (*found)[1]);
}

void write_prelu(LayerWriter& writer, NodeId id) {
  const Tensor& slope = writer.constant(id, 1);
  const Shape shape = writer.blob_shape(writer.node(id).input(0));
  Shape expected(shape.size(), 1);
  expected.front() = shape.front();
  Shape found = slope.shape();
  while (found.size() > expected.size() && found.front() == 1) found.erase(found.begin());
  if (slope.size() != 1 && found != expected) throw NoLayer{"its slopes are neither one nor one a channel"};
  Layer& layer = writer.add("PReLU", id);
  layer.params.set(0, static_cast<std::int32_t>(slope.size()));
  layer.weights.push_back({Blob::Kind::plain, slope});
}

void write_elu(LayerWriter& writer, NodeId id) {
  writer.add("ELU", id).params.set(0, writer.node(id).float_or("alpha", 1.0F));
}

void write_hard_sigmoid(LayerWriter& writer, NodeId id) {
  Layer& layer = writer.add("HardSigmoid", id);
  layer.params.set(0, writer.node(id).float_or("alpha", 0.2F));
  layer.params.set(1, writer.node(id).float_or("beta", 0.5F));
}

void write_hard_swish(LayerWriter& writer, NodeId id) {
  Layer& layer = writer.add("HardSwish", id);
  layer.params.set(0, kSixth);
  layer.params.set(1, 0.5F);
}

void write_gelu(LayerWriter& writer, NodeId id) {
  writer.add("GELU", id).params.set(0, writer.node(id).string_or("approximate", "none") == "tanh" ? 1 : 0, 0);
}

void write_noop(LayerWriter& writer, NodeId id) { writer.add("Noop", id); }

void write_batch_norm(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  if (node.int_or("training_mode", 0) != 0 || node.output(1) != kNoValue) throw NoLayer{"it is in training mode"};
  Layer& layer = writer.add("BatchNorm", id);
  layer.params.set(0, static_cast<std::int32_t>(writer.constant(id, 1).size()));
  layer.params.set(1, node.float_or("epsilon", 1e-5F));
  for (const std::size_t input : {1, 3, 4, 2}) layer.weights.push_back({Blob::Kind::plain, writer.constant(id, input)});
}

/// Over neighbouring channels.
void write_lrn(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  const std::int64_t size = node.int_or("size", 0);
  if (size < 1 || size % 2 == 0) throw NoLayer{"its channels are not as many on both sides"};
  Layer& layer = writer.add("LRN", id);
  layer.params.set(0, std::int32_t{0});
  layer.params.set(1, static_cast<std::int32_t>(size));
  layer.params.set(2, node.float_or("alpha", 1e-4F));
  layer.params.set(3, node.float_or("beta", 0.75F));
  layer.params.set(4, node.float_or("bias", 1.0F));
}

void write_instance_norm(LayerWriter& writer, NodeId id) {
  if (writer.blob_rank(writer.node(id).input(0)) != 3) throw NoLayer{"it runs over other than height and width"};
  Layer& layer = writer.add("InstanceNorm", id);
  layer.params.set(0, static_cast<std::int32_t>(writer.constant(id, 1).size()));
  layer.params.set(1, writer.node(id).float_or("epsilon", 1e-5F));
  layer.params.set(2, std::int32_t{1});
  for (const std::size_t input : {1, 2}) layer.weights.push_back({Blob::Kind::plain, writer.constant(id, input)});
}

struct BinaryRule {
  std::string_view op_type;
  std::int32_t operation;
  std::int32_t reversed;  ///< with the constant first
};
constexpr std::array kBinary{
    BinaryRule{"Add", 0, 0}, BinaryRule{"Sub", 1, 7}, BinaryRule{"Mul", 2, 2}, BinaryRule{"Div", 3, 8},
    BinaryRule{"Max", 4, 4}, BinaryRule{"Min", 5, 5}, BinaryRule{"Pow", 6, 9}, BinaryRule{"Sum", 0, 0},
};

const BinaryRule& binary_rule(const Node& node) {
  return *std::find_if(kBinary.begin(), kBinary.end(),
                       [&](const BinaryRule& rule) { return rule.op_type == node.op_type; });
}

bool write_with_scalar(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  for (std::size_t i = 0; i < 2; ++i) {
    const Tensor* tensor = writer.graph().constant(node.inputs[i]);
    if (tensor == nullptr || tensor->dtype() != DType::f32 || tensor->size() != 1) continue;
    if (tensor->rank() > writer.blob_rank(node.inputs[1 - i]) + 1) continue;
    const BinaryRule& rule = binary_rule(node);
    Layer& layer = writer.add("BinaryOp", id, std::array{node.inputs[1 - i]}, node.outputs);
    layer.params.set(0, i == 1 ? rule.operation : rule.reversed);
    layer.params.set(1, std::int32_t{1});
    layer.params.set(2, tensor->data<float>().front());
    return true;
  }
  return false;
}

/// The blob of an operand with as many dimensions as the result: constants are stored so. Others are refused, because
/// ONNX aligns fewer dimensions with the inner ones and would meet the batch, ncnn with the outer ones.
std::string operand(LayerWriter& writer, NodeId id, ValueId value, std::size_t rank) {
  const ValueId result = writer.node(id).output(0);
  if (writer.graph().value(value).is_constant()) return writer.constant_blob(value, rank, writer.batch_of(result));
  const std::size_t own = writer.blob_rank(value);
  if (own == rank && writer.batch_of(value) == writer.batch_of(result)) return writer.blob(value);
  const Value& info = writer.graph().value(value);
  throw NoLayer{fmt::format("'{}' has fewer dimensions than what it meets, and the first would be the batch of {}",
                            info.name, describe(writer.graph(), id))};
}

/// Squares and cubes as products: ncnn's vector code for powers takes logarithms, which numbers below 0 have not.
bool write_as_products(LayerWriter& writer, NodeId id) {
  constexpr std::int32_t kProduct = 2;
  const Node& node = writer.node(id);
  const Tensor* exponent = node.op_type == "Pow" ? writer.graph().constant(node.input(1)) : nullptr;
  if (exponent == nullptr || exponent->dtype() != DType::f32 || exponent->size() != 1) return false;
  const float power = exponent->data<float>().front();
  if (power != 2.0F && power != 3.0F) return false;
  const std::string base = writer.blob(node.input(0));
  std::string factor = base;
  if (power == 3.0F) {
    Layer square;
    square.type = "BinaryOp";
    square.params.set(0, kProduct);
    factor = writer.add_before(std::move(square), id, {base, base});
  }
  Layer& layer = writer.add("BinaryOp", id, {}, std::array{node.output(0)});
  layer.bottoms = {factor, base};
  layer.params.set(0, kProduct);
  return true;
}

void write_binary(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  if (write_as_products(writer, id)) return;
  if (node.inputs.size() == 1) return write_noop(writer, id);
  if (node.inputs.size() == 2 && write_with_scalar(writer, id)) return;
  const std::size_t rank = writer.blob_rank(node.output(0));
  std::vector<std::string> operands;
  for (const ValueId input : node.inputs) operands.push_back(operand(writer, id, input, rank));
  const std::int32_t operation = binary_rule(node).operation;
  // More than two are joined one after the other.
  for (std::size_t i = 2; i < operands.size(); ++i) {
    Layer step;
    step.type = "BinaryOp";
    step.params.set(0, operation);
    const std::string result = writer.add_before(std::move(step), id, {operands[0], operands[1]});
    operands[0] = result;
    operands[1] = operands[i];
  }
  Layer& layer = writer.add("BinaryOp", id, {}, std::array{node.output(0)});
  layer.bottoms = {operands[0], operands[1]};
  layer.params.set(0, operation);
}

}  // namespace

Activation activation_of(const Graph& graph, const Node& node) {
  if (!node.domain.empty()) return {};
  if (node.op_type == "Relu") return {1, {}};
  if (node.op_type == "LeakyRelu") return {2, {node.float_or("alpha", 0.01F)}};
  if (node.op_type == "Clip") {
    auto found = limits(graph, node);
    return found ? Activation{3, *std::move(found)} : Activation{};
  }
  if (node.op_type == "Sigmoid") return {4, {}};
  if (node.op_type == "Mish") return {5, {}};
  if (node.op_type == "HardSwish") return {6, {kSixth, 0.5F}};
  return {};
}

std::span<const WriteRule> elementwise_rules() {
  static constexpr std::array kRules{
      WriteRule{"Abs", &write_unary},
      WriteRule{"Add", &write_binary},
      WriteRule{"BatchNormalization", &write_batch_norm},
      WriteRule{"Ceil", &write_unary},
      WriteRule{"Clip", &write_clip},
      WriteRule{"Div", &write_binary},
      WriteRule{"Dropout", &write_noop},
      WriteRule{"Elu", &write_elu},
      WriteRule{"Erf", &write_unary},
      WriteRule{"Exp", &write_unary},
      WriteRule{"Floor", &write_unary},
      WriteRule{"Gelu", &write_gelu},
      WriteRule{"HardSigmoid", &write_hard_sigmoid},
      WriteRule{"HardSwish", &write_hard_swish},
      WriteRule{"Identity", &write_noop},
      WriteRule{"InstanceNormalization", &write_instance_norm},
      WriteRule{"LRN", &write_lrn},
      WriteRule{"LeakyRelu", &write_leaky_relu},
      WriteRule{"Log", &write_unary},
      WriteRule{"Max", &write_binary},
      WriteRule{"Min", &write_binary},
      WriteRule{"Mish", &write_unary},
      WriteRule{"Mul", &write_binary},
      WriteRule{"Neg", &write_unary},
      WriteRule{"PRelu", &write_prelu},
      WriteRule{"Pow", &write_binary},
      WriteRule{"Reciprocal", &write_unary},
      WriteRule{"Relu", &write_relu},
      WriteRule{"Sigmoid", &write_unary},
      WriteRule{"Softplus", &write_unary},
      WriteRule{"Sqrt", &write_unary},
      WriteRule{"Sub", &write_binary},
      WriteRule{"Sum", &write_binary},
      WriteRule{"Tanh", &write_unary},
  };
  return kRules;
}

}  // namespace octavo::formats::ncnn
