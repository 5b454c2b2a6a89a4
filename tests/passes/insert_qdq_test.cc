#include <cmath>

#include "passes/support.h"

using namespace octavo;
using namespace octavo::test;

namespace {

QParams byte_params(float scale, std::int32_t zero_point) { return {{scale}, {zero_point}, -1, 0, 255, DType::u8}; }

QuantizedTensor weight_of(Shape shape, const std::vector<std::int8_t>& values, std::vector<float> scales) {
  QuantizedTensor weight;
  weight.params = {scales, std::vector<std::int32_t>(scales.size(), 0), 0, -127, 127, DType::i8};
  weight.integers = Tensor::from<std::int8_t>(std::move(shape), std::span<const std::int8_t>(values));
  return weight;
}

/// Conv, Relu, Conv: planned as a backend does it.
struct Small {
  Graph graph = parse_graph(R"(graph opset 13 {
    input x: f32[1,1,2,2]
    const w: f32[2,1,1,1] = {1,-2}
    const b: f32[2] = {0.5,-1}
    const v: f32[1,2,1,1] = {1,1}
    c = Conv "first" (x, w, b)
    r = Relu(c)
    y = Conv "last" (r, v)
    output y
  })");
  Plan plan;
  QParamsByName activations{{"x", byte_params(0.5F, 0)}, {"r", byte_params(0.25F, 0)}, {"y", byte_params(1, 128)}};
  QuantizedWeights weights;

  Small() {
    infer_shapes(graph);
    const auto nodes = graph.nodes();
    const auto value = [&](const char* name) { return graph.find_value(name).value(); };
    plan.integer_nodes = {nodes.begin(), nodes.end()};
    plan.activations = {planned(value("x"), 0, false), planned(value("r"), 1, true), planned(value("y"), 2, true)};
    for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) plan.weights.emplace_back().node = nodes[i];
    plan.biases = {{nodes[0], 2, 1}};
    weights[nodes[0]] = weight_of({2, 1, 1, 1}, {64, -64}, {0.015625F, 0.03125F});
    weights[nodes[2]] = weight_of({1, 2, 1, 1}, {64, 64}, {0.015625F});
  }
};

}  // namespace

TEST_CASE("insert_qdq puts a pair around every planned value and stores constants as integers") {
  Small net;
  insert_qdq(net.graph, net.plan, net.activations, net.weights);
  net.graph.check();
  CHECK(statements(net.graph) == statements(parse_graph(R"(graph opset 13 {
    input x: f32[1,1,2,2]
    const w_q: i8[2,1,1,1] = {64,-64}
    const w_s: f32[2] = {0.015625,0.03125}
    const w_z: i8[2] = {0,0}
    w = DequantizeLinear(w_q, w_s, w_z) {axis=0}
    const b_q: i32[2] = {64,-64}
    const b_s: f32[2] = {0.0078125,0.015625}
    b = DequantizeLinear(b_q, b_s) {axis=0}
    const v_q: i8[1,2,1,1] = {64,64}
    const v_s: f32[1] = {0.015625}
    const v_z: i8[1] = {0}
    v = DequantizeLinear(v_q, v_s, v_z) {axis=0}
    const x_s: f32[] = {0.5}
    const x_z: u8[] = {0}
    x_q = QuantizeLinear(x, x_s, x_z)
    x_dq = DequantizeLinear(x_q, x_s, x_z)
    c = Conv "first" (x_dq, w, b)
    r = Relu(c)
    const r_s: f32[] = {0.25}
    const r_z: u8[] = {0}
    r_q = QuantizeLinear(r, r_s, r_z)
    r_dq = DequantizeLinear(r_q, r_s, r_z)
    y_float = Conv "last" (r_dq, v)
    const y_s: f32[] = {1}
    const y_z: u8[] = {128}
    y_q = QuantizeLinear(y_float, y_s, y_z)
    y = DequantizeLinear(y_q, y_s, y_z)
    output y
  })")));
  const auto outputs = run_graph(net.graph, {Tensor::from<float>({1, 1, 2, 2}, {1, 2, 3, 4})});
  CHECK(outputs[0].data<float>()[3] == 4.0F);  // relu(4 + 0.5) + relu(-8 - 1) = 4.5, to even
}

TEST_CASE("weights for parsers without integer constants: floats that are rounded to the same integers") {
  Small net;
  Graph integers = net.graph;
  insert_qdq(integers, net.plan, net.activations, net.weights);
  for (WeightPlan& weight : net.plan.weights) weight.storage = WeightStorage::floats;
  insert_qdq(net.graph, net.plan, net.activations, net.weights);
  net.graph.check();
  const std::string text = statements(net.graph);
  CHECK_THAT(text, Catch::Contains("const w_rounded: f32[2,1,1,1] = {1.0, -2.0}"));
  CHECK_THAT(text, Catch::Contains("w_q = QuantizeLinear(w_rounded, w_s, w_z) {axis=0}"));
  CHECK_THAT(text, Catch::Contains("(w_q, w_s, w_z) {axis=0}"));
  const auto inputs = random_inputs(integers, 1);
  CHECK(same_bits(run_graph(integers, inputs), run_graph(net.graph, inputs)));
}

TEST_CASE("the float of every integer is rounded to that integer again, whatever the scale") {
  for (const float scale : {1e-38F, 1.1920929e-07F, 0.0123456789F, 1.0F / 3.0F, 7777.7F, 1e36F}) {
    for (std::int32_t q = -128; q < 128; ++q) {
      const AffineMap map{scale, 0, -128, 127};
      CHECK(quantize_value(dequantize_value(q, map), map) == q);
    }
  }
}

TEST_CASE("float operators go on reading floats that float operators compute") {
  Graph graph = parse_graph(R"(graph opset 13 {
    input x: f32[1,1,2,2]
    const w: f32[1,1,1,1] = {1}
    c = Conv(x, w)
    s = Sigmoid(x)
    t = Sigmoid(c)
    output c output s output t
  })");
  infer_shapes(graph);
  const NodeId conv = graph.nodes()[0];
  Plan plan;
  plan.integer_nodes = {conv};
  plan.activations = {planned(graph.find_value("x").value(), 0, false),
                      planned(graph.find_value("c").value(), 1, true)};
  insert_qdq(graph, plan, {{"x", byte_params(1, 0)}, {"c", byte_params(1, 0)}}, {});
  graph.check();
  const auto input_of = [&](const char* name) {
    return graph.value(graph.node(graph.producer(graph.find_value(name).value())).input(0)).name;
  };
  CHECK(input_of("s") == "x");
  CHECK(input_of("t") == "c");
  CHECK(input_of("c") == "c_q");
  CHECK(input_of("c_float") == "x_dq");
}

TEST_CASE("what is inserted has the shortest name that the value is known by") {
  Graph graph = parse_graph(R"(graph opset 13 {
    input a_long_name: f32[1,1,2,2]
    const w: f32[1,1,1,1] = {1}
    conv = Conv "the convolution" (a_long_name, w)
    conv_relu_conv = Relu "the relu" (conv)
    max_of_conv = MaxPool "pool" (conv_relu_conv) {kernel_shape=[1,1]}
    y = Conv(max_of_conv, w)
    output y
  })");
  infer_shapes(graph);
  const auto nodes = graph.nodes();
  Plan plan;
  plan.integer_nodes = {nodes.begin(), nodes.end()};
  QParamsByName params;
  for (const char* name : {"a_long_name", "conv_relu_conv", "max_of_conv"}) {
    plan.activations.push_back(
        planned(graph.find_value(name).value(), static_cast<int>(plan.activations.size()), true));
    params[name] = byte_params(1, 0);
  }
  insert_qdq(graph, plan, params, {});
  graph.check();
  for (const char* name : {"a_long_name_q", "conv_q", "pool_q", "conv_relu_conv", "max_of_conv"}) {
    CHECK(graph.find_value(name));
  }
}

TEST_CASE("a constant that others read keeps its name") {
  Graph graph = parse_graph(R"(graph opset 13 {
    input x: f32[1,1,2,2]
    const w: f32[1,1,1,1] = {1}
    c = Conv(x, w)
    d = Mul(c, w)
    output d
  })");
  infer_shapes(graph);
  Plan plan;
  plan.weights.emplace_back().node = graph.nodes()[0];
  insert_weights_only(graph, plan, {{graph.nodes()[0], weight_of({1, 1, 1, 1}, {64}, {0.5F})}});
  graph.check();
  CHECK(graph.find_value("w_dq"));
  CHECK(graph.value(graph.find_value("w").value()).is_constant());
}

TEST_CASE("a subgraph goes on reading an output by its name") {
  Graph graph = parse_graph(R"(graph opset 13 { input x: f32[1,1,2,2] const w: f32[1,1,1,1] = {1} c = Conv(x, w)
    y = my.domain::If(x) captures(c) output c output y })");
  Plan plan;
  plan.integer_nodes = {graph.nodes()[0]};
  plan.activations = {planned(graph.find_value("c").value(), 0, true)};
  insert_qdq(graph, plan, {{"c", byte_params(1, 0)}}, {});
  graph.check();
  CHECK(graph.is_output(graph.find_value("c").value()));
}

TEST_CASE("biases saturate, and their scales stay finite") {
  Small net;
  net.activations["x"] = byte_params(3e38F, 0);
  net.weights.begin()->second.params.scale = {1e-38F, 1e30F};
  insert_qdq(net.graph, net.plan, net.activations, net.weights);
  const auto scales = net.graph.constant(net.graph.find_value("b_s").value())->data<float>();
  CHECK(std::isfinite(scales[1]));

  Small tiny;
  tiny.activations["x"] = byte_params(1e-20F, 0);
  tiny.weights.begin()->second.params.scale = {1e-18F, 1e-18F};
  insert_qdq(tiny.graph, tiny.plan, tiny.activations, tiny.weights);
  const auto bias = tiny.graph.constant(tiny.graph.find_value("b_q").value())->data<std::int32_t>();
  CHECK(bias[0] == std::numeric_limits<std::int32_t>::max());
  CHECK(bias[1] == std::numeric_limits<std::int32_t>::min());
}

TEST_CASE("what is planned and missing is named") {
  Small net;
  net.activations.erase("r");
  CHECK(error_of([&] { insert_qdq(net.graph, net.plan, net.activations, net.weights); }) == ErrorCode::internal);
  Small other;
  other.weights.clear();
  CHECK(error_of([&] { insert_qdq(other.graph, other.plan, other.activations, other.weights); }) ==
        ErrorCode::internal);
}

namespace {

/// y = x · w with a weight of some parameters, in a graph of some opset.
std::string written(int opset, const QuantizedTensor& weight, const std::string& operation = "Gemm") {
  Graph graph =
      parse_graph("graph opset " + std::to_string(opset) +
                  " { input x: f32[2,4] const w: f32[4,3] = random(1) y = " + operation + "(x, w) output y }");
  infer_shapes(graph);
  Plan plan;
  plan.weights.emplace_back().node = graph.nodes()[0];
  insert_weights_only(graph, plan, {{graph.nodes()[0], weight}});
  graph.check();
  infer_shapes(graph);
  CHECK(run_graph(graph, random_inputs(graph, 1))[0].shape() == Shape{2, 3});
  return statements(graph);
}

QuantizedTensor grouped_weight() {
  QuantizedTensor weight;
  weight.params.scale = {1, 2, 3, 4, 5, 6};
  weight.params.zero_point.assign(6, 0);
  weight.params.axis = 0;
  weight.params.group_size = 3;
  weight.params.quant_min = -7;
  weight.params.quant_max = 7;
  weight.params.storage = DType::i8;
  weight.integers = Tensor::from<std::int8_t>({4, 3}, {1, 2, 3, 4, 5, 6, 7, -7, -6, -5, -4, -3});
  return weight;
}

}  // namespace

TEST_CASE("groups become blocks, and few bits i4, where the opset has them") {
  CHECK(written(21, grouped_weight()) == statements(parse_graph(R"(graph opset 21 {
    input x: f32[2,4]
    const w_q: i4[4,3] = {1,2,3,4,5,6,7,-7,-6,-5,-4,-3}
    const w_s: f32[2,3] = {1,2,3,4,5,6}
    const w_z: i4[2,3] = {0,0,0,0,0,0}
    w = DequantizeLinear(w_q, w_s, w_z) {axis=0, block_size=3}
    y = Gemm(x, w)
    output y
  })")));
  CHECK(error_of([] { written(13, grouped_weight()); }) == ErrorCode::unsupported);
}

TEST_CASE("few bits stay in 8 where the opset has no fewer") {
  QuantizedTensor weight = grouped_weight();
  weight.params.group_size = 0;
  weight.params.axis = 1;
  weight.params.scale = {1, 2, 3};
  weight.params.zero_point = {0, 0, 0};
  CHECK(written(13, weight).find("w_q: i8[4,3]") != std::string::npos);
  CHECK(written(21, weight).find("w_q: i4[4,3]") != std::string::npos);
  weight.params.quant_max = 8;  // 5 bits
  CHECK(written(21, weight).find("w_q: i8[4,3]") != std::string::npos);
}

TEST_CASE("16 bits need an opset that has them") {
  Graph graph = parse_graph("graph opset 21 { input x: f32[4] y = Relu(x) output y }");
  infer_shapes(graph);
  Plan plan;
  plan.integer_nodes = {graph.nodes()[0]};
  plan.activations = {planned(graph.find_value("x").value(), 0, false)};
  plan.activations[0].scheme.bits = 16;
  QParams params = byte_params(0.001F, 3);
  params.quant_max = 65535;
  params.storage = DType::u16;
  Graph old = graph;
  insert_qdq(graph, plan, {{"x", params}}, {});
  CHECK(graph.value(graph.find_value("x_q").value()).dtype == DType::u16);
  CHECK(run_graph(graph, {Tensor::from<float>({4}, {-9, 0.0104F, 9, 99})})[0].data<float>()[3] == 65532.0F * 0.001F);
  old.opsets[""] = 13;
  CHECK(error_of([&] { insert_qdq(old, plan, {{"x", params}}, {}); }) == ErrorCode::unsupported);
}

TEST_CASE("limits closer than the type's are kept by a Clip, at every opset alike") {
  for (const int bits : {2, 3, 4, 6, 7}) {
    for (const int opset : {13, 21}) {
      CAPTURE(bits, opset);
      Graph graph = parse_graph("graph opset " + std::to_string(opset) + " { input x: f32[3,4] y = Relu(x) output y }");
      infer_shapes(graph);
      Plan plan;
      plan.integer_nodes = {graph.nodes()[0]};
      plan.activations = {planned(graph.find_value("x").value(), 0, false)};
      plan.activations[0].scheme.bits = bits;
      QParams params = byte_params(0.3F, 1);
      params.quant_max = (1 << bits) - 1;
      insert_qdq(graph, plan, {{"x", params}}, {});
      graph.check();
      const auto inputs = std::vector<Tensor>{uniform_tensor({3, 4}, 4, 60.0F)};
      const Tensor expected = dequantize(quantize(inputs[0], params), params);
      const Tensor found = run_graph(graph, inputs)[0];
      for (std::size_t i = 0; i < 12; ++i) CHECK(found.data<float>()[i] == std::max(expected.data<float>()[i], 0.0F));
    }
  }
}
