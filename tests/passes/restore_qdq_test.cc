#include <random>

#include "passes/support.h"

using namespace octavo;
using namespace octavo::test;

namespace {

Graph restored(const std::string& text, int changes) {
  Graph graph = parse_graph(text);
  infer_shapes(graph);
  CHECK(restore_qdq(graph) == changes);
  graph.check();
  return graph;
}

std::string with_microsoft(const std::string& body) { return "graph opset 13, \"com.microsoft\" 1 {" + body + "}"; }

}  // namespace

TEST_CASE("QLinearConv becomes Conv between pairs, its bias in units of the integer sums") {
  const Graph graph = restored(R"(graph opset 13 {
    input x: f32[1,1,2,2]
    const xs: f32[] = {0.5}
    const xz: u8[] = {3}
    const w: i8[2,1,1,1] = {4,-6}
    const ws: f32[2] = {0.5,0.25}
    const wz: i8[2] = {0,0}
    const b: i32[2] = {8,-16}
    const ys: f32[] = {0.125}
    const yz: u8[] = {9}
    q = QuantizeLinear(x, xs, xz)
    c = QLinearConv "conv" (q, xs, xz, w, ws, wz, ys, yz, b) {pads=[1,1,1,1]}
    y = DequantizeLinear(c, ys, yz)
    output y
  })",
                               1);
  CHECK(statements(graph) == statements(parse_graph(R"(graph opset 13 {
    input x: f32[1,1,2,2]
    const xs: f32[] = {0.5}
    const xz: u8[] = {3}
    const w: i8[2,1,1,1] = {4,-6}
    const ws: f32[2] = {0.5,0.25}
    const wz: i8[2] = {0,0}
    const b: i32[2] = {8,-16}
    const b_scale: f32[2] = {0.25,0.125}
    const ys: f32[] = {0.125}
    const yz: u8[] = {9}
    q = QuantizeLinear(x, xs, xz)
    q_dequantized = DequantizeLinear "q_DequantizeLinear" (q, xs, xz)
    w_dequantized = DequantizeLinear "w_DequantizeLinear" (w, ws, wz) {axis=0}
    b_dequantized = DequantizeLinear "b_DequantizeLinear" (b, b_scale) {axis=0}
    c_float = Conv "conv" (q_dequantized, w_dequantized, b_dequantized) {pads=[1,1,1,1]}
    c = QuantizeLinear "c_QuantizeLinear" (c_float, ys, yz)
    y = DequantizeLinear(c, ys, yz)
    output y
  })")));
}

TEST_CASE("restored operators compute what those on integers do") {
  const std::string text = R"(
    input x: f32[1,2,4,4]
    const xs: f32[] = {0.0078125}
    const xz: u8[] = {128}
    const w: i8[4,2,3,3] = random(3)
    const ws: f32[4] = {0.01,0.02,0.015,0.03}
    const wz: i8[4] = {0,0,0,0}
    const b: i32[4] = {80,-160,7,0}
    const cs: f32[] = {0.5}
    const cz: u8[] = {120}
    q = QuantizeLinear(x, xs, xz)
    c = QLinearConv(q, xs, xz, w, ws, wz, cs, cz, b) {pads=[1,1,1,1]}
    output y
    )";
  const Graph before = parse_graph("graph opset 13 {" + text + "y = DequantizeLinear(c, cs, cz)}");
  Graph after = before;
  restore_qdq(after);
  CHECK(statements(after).find("QLinear") == std::string::npos);
  const auto inputs = random_inputs(before, 3);
  CHECK(same_bits(run_graph(before, inputs), run_graph(after, inputs)));
}

TEST_CASE("operators of com.microsoft, and integers that are only handed on") {
  const Graph graph = restored(with_microsoft(R"(
    input x: f32[1,2,2,2]
    const s: f32[] = {0.5}
    const z: u8[] = {3}
    const t: f32[] = {0.25}
    const shape: i64[2] = {1,2}
    const w: i8[2,3] = {1,2,3,4,5,6}
    const ws: f32[3] = {0.5,0.25,0.125}
    const wz: i8[3] = {0,0,0}
    const c: i32[3] = {1,2,3}
    q = QuantizeLinear(x, s, z)
    m = MaxPool(q) {kernel_shape=[2,2]}
    k = com.microsoft::QLinearConcat(t, z, q, s, z, q, s, z) {axis=1}
    a = com.microsoft::QLinearAdd(q, s, z, q, s, z, t, z)
    p = com.microsoft::QLinearGlobalAveragePool(a, t, z, s, z) {channels_last=0}
    r = Reshape(p, shape)
    g = com.microsoft::QGemm(r, s, z, w, ws, wz, c)
    u = DequantizeLinear(k, t, z)
    v = DequantizeLinear(m, s, z)
    output g output u output v)"),
                               6);
  const std::string text = statements(graph);
  INFO(text);
  CHECK(text.find("com.microsoft") == std::string::npos);
  CHECK_FALSE(graph.opsets.contains("com.microsoft"));
  for (const char* expected :
       {"Concat(q_dequantized, q_dequantized)", "Add(q_dequantized, q_dequantized)", "MaxPool(q_dequantized)",
        "Reshape(p_dequantized, shape)", "g = Gemm(r_dequantized, w_dequantized, c_dequantized)",
        "const c_scale: f32[3] = {0.25, 0.125, 0.0625}"}) {
    CHECK_THAT(text, Catch::Contains(expected));
  }
}

TEST_CASE("the opset is raised where the types between operators need it") {
  const std::string body = R"(
    input x: u8[1,2]
    const s: f32[] = {0.5}
    const z: u8[] = {0}
    const w: i8[2,2] = {1,2,3,4}
    const wz: i8[2] = {0,0}
    y = QLinearMatMul(x, s, z, w, ws, wz, s, z)
    output y)";
  Graph columns = parse_graph("graph opset 10 { const ws: f32[2] = {1,2}" + body + "}");
  infer_shapes(columns);
  CHECK(restore_qdq(columns) == 1);
  CHECK(columns.opset() == 13);
  Graph one = parse_graph("graph opset 10 { const ws: f32[] = {1}" + body + "}");
  infer_shapes(one);
  CHECK(restore_qdq(one) == 1);
  CHECK(one.opset() == 10);
  Graph wide = parse_graph(R"(graph opset 13, "com.microsoft" 1 {
    input x: f32[1,2]
    const s: f32[] = {0.5}
    const z: u16[] = {7}
    q = com.microsoft::QuantizeLinear(x, s, z)
    y = com.microsoft::DequantizeLinear(q, s, z)
    output y
  })");
  infer_shapes(wide);
  CHECK(restore_qdq(wide) == 2);
  CHECK(wide.opset() == 21);
  CHECK(statements(wide).find("com.microsoft") == std::string::npos);
}

TEST_CASE("nodes that read anything at all end in a sound graph or an error") {
  const Graph sound = parse_graph(with_microsoft(R"(
    input x: f32[1,2,2,2]
    const s: f32[] = {0.5}
    const z: u8[] = {3}
    const i: i8[] = {1}
    const shape: i64[2] = {1,2}
    const w: i8[2,3] = {1,2,3,4,5,6}
    const k: i8[2,2,1,1] = {1,2,3,4}
    const ks: f32[2] = {0.5,0.25}
    const kz: i8[2] = {0,0}
    const ws: f32[3] = {0.5,0.25,0.125}
    const wz: i8[3] = {0,0,0}
    const b: i32[3] = {1,2,3}
    q = QuantizeLinear(x, s, z)
    m = MaxPool(q) {kernel_shape=[2,2]}
    c = QLinearConv(q, s, z, k, ks, kz, s, z)
    j = com.microsoft::QLinearConcat(s, z, q, s, z, c, s, z) {axis=1}
    l = Clip(m, z, z)
    a = com.microsoft::QLinearAdd(m, s, z, l, s, z, s, z)
    r = Reshape(a, shape)
    g = com.microsoft::QGemm(r, s, z, w, ws, wz, b)
    y = DequantizeLinear(j, s, z)
    output g output y)"));
  std::mt19937 random(11);
  int restored_graphs = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    Graph graph = sound;
    const auto nodes = graph.nodes();
    const auto values = graph.values();
    for (int change = 0; change < 1 + trial % 3; ++change) {
      const NodeId node = nodes[random() % nodes.size()];
      std::vector<ValueId> inputs = graph.node(node).inputs;
      if (random() % 4 == 0) inputs.resize(random() % (inputs.size() + 2), kNoValue);
      if (!inputs.empty())
        inputs[random() % inputs.size()] = random() % 8 == 0 ? kNoValue : values[random() % values.size()];
      graph.set_inputs_of(node, std::move(inputs));
    }
    try {
      restored_graphs += restore_qdq(graph) > 0 ? 1 : 0;
      graph.check();
    } catch (const Error& error) {
      INFO(error.what());
      CHECK(error.code() != ErrorCode::internal);
    }
  }
  CHECK(restored_graphs > 100);
}

TEST_CASE("what has no float form stays, and models without such operators are left alone") {
  restored("graph opset 9 { input x: f32[1] y = Relu(x) output y }", 0);
  restored(R"(graph opset 13 {
    input x: f32[1,2]
    const s: f32[] = {0.5}
    const z: u8[] = {0}
    q = QuantizeLinear(x, s, z)
    y = DequantizeLinear(q, s, z)
    output y
  })",
           0);
  restored(with_microsoft(R"(
    input x: u8[1,2,2,3]
    const s: f32[] = {0.5}
    const z: u8[] = {0}
    y = com.microsoft::QLinearGlobalAveragePool(x, s, z, s, z) {channels_last=1}
    output y)"),
           0);
  restored(
      with_microsoft("input x: u8[1] input s: f32[] input z: u8[] y = com.microsoft::QLinearSigmoid(x, s, z, s, z) "
                     "output y"),
      0);
}
