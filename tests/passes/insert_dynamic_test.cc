#include <cmath>

#include "passes/support.h"
#include "support/absmax.h"

using namespace octavo;
using namespace octavo::test;

namespace {

/// Plans every weight of the graph in 8 bits: per channel along `axis`, or per tensor.
struct Planned {
  Graph graph;
  Plan plan;
  QuantizedWeights weights;

  Planned(const std::string& text, int axis) : graph(parse_graph("graph opset 13 { " + text + " }")) {
    infer_shapes(graph);
    for (const NodeId id : graph.nodes()) {
      const Tensor* weight = graph.constant(graph.node(id).input(1));
      if (weight == nullptr || weight->rank() < 2) continue;
      WeightPlan& planned = plan.weights.emplace_back();
      planned.node = id;
      planned.scheme = {.qtype = QType::qint8, .bits = 8, .symmetric = true, .symmetric_range = true, .axis = axis};
      QuantizedTensor& rounded = weights[id];
      rounded = axis < 0 ? per_tensor(*weight, planned.scheme) : quantize_by_absmax(*weight, planned.scheme);
    }
  }

  static QuantizedTensor per_tensor(const Tensor& weight, const QScheme& scheme) {
    QuantizedTensor result;
    const auto values = weight.data<float>();
    result.params = qparams_from_range(plain_kernels().min_max_f32(values.data(), values.size()), scheme);
    result.integers = quantize(weight, result.params);
    return result;
  }
};

struct Case {
  std::string text;
  int axis = 0;
};

}  // namespace

TEST_CASE("products become integer ones with ranges measured at run time") {
  const std::vector<Case> cases = {
      {"input x: f32[3,8] const w: f32[8,5] = random(1) const b: f32[5] = random(2) y = Gemm(x, w, b) output y", 1},
      {"input x: f32[3,8] const w: f32[5,8] = random(1) const b: f32[5] = random(2) y = Gemm \"g\" (x, w, b) "
       "{transB=1} "
       "output y",
       0},
      {"input x: f32[3,8] const w: f32[5,8] = random(1) y = Gemm(x, w) {transB=1} output y", -1},
      {"input x: f32[2,3,8] const w: f32[8,5] = random(1) y = MatMul(x, w) output y", 1},
      {"input x: f32[2,3,8] const w: f32[2,8,5] = random(1) y = MatMul(x, w) output y", -1},
      {"input x: f32[3,8] const w: f32[8,8] = random(1) const v: f32[8,8] = random(2) a = MatMul(x, w) b = MatMul(x, "
       "v) "
       "r = Relu(a) y = MatMul(r, v) output y output b",
       1},
  };
  for (const Case& test : cases) {
    INFO(test.text);
    Planned net(test.text, test.axis);
    const Graph before = net.graph;
    Graph weights_only = net.graph;
    insert_dynamic(net.graph, net.plan, net.weights);
    insert_weights_only(weights_only, net.plan, net.weights);
    for (Graph* graph : {&net.graph, &weights_only}) {
      graph->check();
      infer_shapes(*graph);
    }
    CHECK(statements(net.graph).find("MatMulInteger") != std::string::npos);
    CHECK(statements(net.graph).find("DequantizeLinear") == std::string::npos);
    CHECK(statements(weights_only).find("DequantizeLinear") != std::string::npos);
    const auto inputs = random_inputs(before, 5);
    const auto expected = run_graph(before, inputs);
    const auto stored = run_graph(weights_only, inputs);
    CHECK(relative_difference(expected, stored) < 0.02);
    CHECK(relative_difference(stored, run_graph(net.graph, inputs)) < 0.02);
  }
}

TEST_CASE("a value is measured once for all who read it, and names stay") {
  Planned net(
      "input x: f32[3,8] const w: f32[8,4] = random(1) const b: f32[4] = random(2) y = Gemm \"fc\" (x, w, b) "
      "z = MatMul(x, w) output y output z",
      1);
  insert_dynamic(net.graph, net.plan, net.weights);
  const std::string text = statements(net.graph);
  CHECK(text.find("= DynamicQuantizeLinear") != std::string::npos);
  CHECK(text.find("= DynamicQuantizeLinear") == text.rfind("= DynamicQuantizeLinear"));
  CHECK(text.find("y = Add \"fc\"") != std::string::npos);
  CHECK(net.graph.is_output(net.graph.find_value("z").value()));
}

TEST_CASE("what no integer product takes keeps its weight as integers alone") {
  const std::vector<Case> cases = {
      {"input x: f32[1,2,4,4] const w: f32[3,2,3,3] = random(1) y = Conv(x, w) output y", 0},
      {"input x: f32[3,8] const w: f32[8,5] = random(1) y = MatMul(x, w) output y", 0},
      {"input x: f32[8,3] const w: f32[8,5] = random(1) y = Gemm(x, w) {transA=1} output y", 1},
      {"input x: f32[3,8] const w: f32[8,5] = random(1) y = Gemm(x, w) {alpha=0.5} output y", 1},
  };
  for (const Case& test : cases) {
    INFO(test.text);
    Planned net(test.text, test.axis);
    const Graph before = net.graph;
    insert_dynamic(net.graph, net.plan, net.weights);
    net.graph.check();
    CHECK(statements(net.graph).find("MatMulInteger") == std::string::npos);
    CHECK(statements(net.graph).find("DequantizeLinear") != std::string::npos);
    const auto inputs = random_inputs(before, 5);
    CHECK(relative_difference(run_graph(before, inputs), run_graph(net.graph, inputs)) < 0.02);
  }
}

TEST_CASE("what a plan's schemes need of the opset") {
  Planned net("input x: f32[3,8] const w: f32[8,5] = random(1) y = MatMul(x, w) output y", 1);
  const auto needed = [&](int bits, int group_size) {
    Plan plan = net.plan;
    plan.weights[0].scheme.bits = bits;
    plan.weights[0].scheme.group_size = group_size;
    return needed_opset(plan);
  };
  CHECK(needed(8, 0) == 13);
  CHECK(needed(5, 0) == 13);
  CHECK(needed(4, 0) == 21);
  CHECK(needed(16, 0) == 21);
  CHECK(needed(8, 4) == 21);
  Plan wide = net.plan;
  wide.activations = {planned(net.graph.find_value("x").value(), 0, false)};
  CHECK(needed_opset(wide) == 13);
  wide.activations[0].scheme.bits = 4;
  CHECK(needed_opset(wide) == 13);
  wide.activations[0].scheme.bits = 16;
  CHECK(needed_opset(wide) == 21);
  Plan one_scale = net.plan;
  one_scale.weights[0].scheme.axis = QScheme::kPerTensor;
  CHECK(needed_opset(one_scale) == 10);
  one_scale.activations = {planned(net.graph.find_value("x").value(), 0, false)};
  CHECK(needed_opset(one_scale) == 10);
  one_scale.activations[0].scheme.bits = 4;
  CHECK(needed_opset(one_scale) == 11);
}

TEST_CASE("a graph is raised no further than its schemes need, or the caller wants") {
  const Graph old = parse_graph(
      "graph opset 9 { input x: f32[3,8] const w: f32[8,5] = random(1) y = MatMul(x, w) "
      "output y }");
  Plan plan;
  plan.weights.emplace_back().node = old.nodes()[0];
  const auto raised = [&](std::int64_t at_least) {
    Graph graph = old;
    const auto notes = raise_opset(graph, plan, at_least);
    CHECK(notes.size() == (at_least > 10 ? 0 : 1));
    return graph.opset();
  };
  CHECK(raised(0) == 10);
  CHECK(raised(10) == 10);
  CHECK(raised(12) == 12);
  CHECK(raised(19) == 19);
  plan.weights[0].scheme.axis = 1;
  CHECK(raised(0) == 13);
}

TEST_CASE("4 bits stay in 8 where the graph cannot be raised; what 8 cannot hold is refused") {
  Graph graph = parse_graph(R"(graph opset 13 { input x: f32[3,8] const w: f32[8,5] = random(1) y = MatMul(x, w)
    z = Loop(x) output y output z })");
  Plan plan;
  WeightPlan& weight = plan.weights.emplace_back();
  weight.node = graph.nodes()[0];
  weight.scheme.bits = 4;
  const auto notes = raise_opset(graph, plan);
  CHECK(graph.opset() == 13);
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].find("stored in 8") != std::string::npos);
  weight.scheme.bits = 16;
  CHECK(error_of([&] { raise_opset(graph, plan); }) == ErrorCode::unsupported);
  Graph plain =
      parse_graph("graph opset 13 { input x: f32[3,8] const w: f32[8,5] = random(1) y = MatMul(x, w) output y }");
  CHECK(raise_opset(plain, plan).size() == 1);
  CHECK(plain.opset() == 21);
  CHECK(raise_opset(plain, plan).empty());
}
