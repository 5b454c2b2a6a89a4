#include <cmath>

#include "passes/support.h"

using namespace octavo;
using namespace octavo::test;

namespace {

QParams channel_params(const std::vector<float>& scales) {
  QParams params;
  params.scale = scales;
  params.zero_point.assign(scales.size(), 0);
  params.axis = 1;
  params.quant_min = -128;  // where QuantizeLinear saturates
  params.quant_max = 127;
  params.storage = DType::i8;
  return params;
}

struct Operation {
  std::string text;
  bool multiplied = true;
};

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all = {
      {"input x: f32[1,4,5,5] const w: f32[6,4,3,3] = random(1) const b: f32[6] = random(2) y = Conv(x, w, b)"},
      {"input x: f32[1,4,5,5] const w: f32[6,2,1,1] = random(1) y = Conv(x, w) {group=2}"},
      {"input x: f32[1,4,5] const w: f32[8,1,3] = random(1) y = Conv(x, w) {group=4}", false},
      {"input x: f32[1,4,5,5] const w: f32[4,3,2,2] = random(1) y = ConvTranspose(x, w)"},
      {"input x: f32[3,4] const w: f32[4,5] = random(1) const b: f32[5] = random(2) y = Gemm(x, w, b)"},
      {"input x: f32[3,4] const w: f32[5,4] = random(1) y = Gemm(x, w) {transB=1}"},
      {"input x: f32[3,4] const w: f32[4,5] = random(1) y = MatMul(x, w)"}};
  return all;
}

}  // namespace

TEST_CASE("weights take in the scales of their input's channels, and the graph computes the same but for rounding") {
  const QParams input = channel_params({0.001F, 0.01F, 0.02F, 0.005F});
  for (const Operation& operation : operations()) {
    INFO(operation.text);
    Graph graph = parse_graph("graph opset 13 { " + operation.text + " output y }");
    infer_shapes(graph);
    const Graph before = graph;
    const NodeId node = graph.nodes()[0];
    Plan plan;
    plan.integer_nodes = {node};
    plan.activations = {planned(graph.find_value("x").value(), 0, false)};
    WeightPlan& weight = plan.weights.emplace_back();
    weight.node = node;
    if (graph.node(node).input(2) != kNoValue) plan.biases.push_back({node, 2, 1});  // stays in float
    const Tensor& original = *graph.constant(graph.node(node).input(1));
    const auto steps = input_steps(graph, node, input);
    REQUIRE(steps.has_value() == operation.multiplied);
    const Tensor multiplied = steps ? multiplied_by_steps(original, *steps) : original;
    QScheme scheme{.qtype = QType::qint8, .bits = 8, .symmetric = true, .symmetric_range = true};
    QuantizedTensor rounded;
    rounded.params = qparams_from_range(
        plain_kernels().min_max_f32(multiplied.data<float>().data(), multiplied.data<float>().size()), scheme);
    rounded.params.scale[0] /= 256.0F;  // and 16 bits, so that rounding is not what is looked at
    rounded.params.storage = DType::i16;
    rounded.params.quant_min = -32512;
    rounded.params.quant_max = 32512;
    rounded.integers = quantize(multiplied, rounded.params);
    graph.opsets[""] = 21;
    Graph quantized = graph;
    insert_qdq(quantized, plan, {{"x", input}}, {{node, rounded}});
    quantized.check();
    infer_shapes(quantized);
    CHECK((statements(quantized).find(" Mul ") != std::string::npos) == operation.multiplied);
    CHECK(statements(quantized).find("i32") == std::string::npos);

    auto inputs = random_inputs(before, 3);
    const auto outputs = run_graph(quantized, inputs);
    inputs[0] = dequantize(quantize(inputs[0], input), input);
    CHECK(relative_difference(run_graph(before, inputs), outputs) < 2e-3);
  }
}

TEST_CASE("the factors are those of the channels that each weight meets") {
  Graph graph = parse_graph(
      "graph opset 13 { input x: f32[1,4,2,2] const w: f32[2,2,1,1] = fill(1) y = Conv(x, w) {group=2} output y }");
  infer_shapes(graph);
  const auto steps = input_steps(graph, graph.nodes()[0], channel_params({1, 2, 3, 4}));
  REQUIRE(steps.has_value());
  CHECK(steps->shape() == Shape{2, 2, 1, 1});
  const Tensor product = multiplied_by_steps(*graph.constant(graph.find_value("w").value()), *steps);
  const auto values = product.data<float>();
  CHECK(std::vector<float>(values.begin(), values.end()) == std::vector<float>{1, 2, 3, 4});
  QParams one = channel_params({1});
  one.axis = QScheme::kPerTensor;
  CHECK(!input_steps(graph, graph.nodes()[0], one).has_value());
  CHECK(error_of([&] { input_steps(graph, graph.nodes()[0], channel_params({1, 2})); }) == ErrorCode::unsupported);
}
