#include <catch2/catch.hpp>
#include <cmath>

#include "octavo/passes.h"
#include "passes/support.h"

using namespace octavo;
using namespace octavo::test;

namespace {

struct Case {
  std::string what;
  std::string body;
  bool changes = true;
};

/// A plan for every value that is computed in f32, with ranges that differ from channel to channel.
std::pair<Plan, ChannelMaxima> uneven(const Graph& graph) {
  Plan plan;
  ChannelMaxima ranges;
  for (const ValueId id : graph.values()) {
    const Value& value = graph.value(id);
    if (value.is_constant() || value.dtype != DType::f32 || value.dims->size() < 2) continue;
    if ((*value.dims)[1].size > 16) continue;  // flattened: what it is made of has ranges
    plan.activations.push_back(planned(id, static_cast<int>(id), true));
    auto& range = ranges[value.name];
    const auto channels = (*value.dims)[1].size;
    for (std::int64_t c = 0; c < channels; ++c) range.push_back(std::ldexp(1.0F, -static_cast<int>((c * 5 + id) % 7)));
  }
  return {plan, ranges};
}

const std::string kIn =
    "input x: f32[1,3,8,8] const w: f32[4,3,3,3] = random(1) const v: f32[4,4,1,1] = random(2) "
    "const b: f32[4] = random(3) ";

}  // namespace

TEST_CASE("equalize_channels keeps the outputs") {
  const std::vector<Case> cases = {
      {"Conv, Relu, Conv", kIn + "c = Conv(x, w, b) r = Relu(c) y = Conv(r, v, b)"},
      {"without bias", kIn + "c = Conv(x, w) r = LeakyRelu(c) {alpha=0.1} y = Conv(r, v)"},
      {"depthwise", kIn + "const d: f32[4,1,3,3] = random(4) c = Conv(x, w, b) r = Relu(c) e = Conv(r, d, b) {group=4} "
                          "y = Conv(e, v)"},
      {"groups", kIn + "const d: f32[6,2,1,1] = random(4) const u: f32[2,6,1,1] = random(5) c = Conv(x, w, b) "
                       "e = Conv(c, d) {group=2} y = Conv(e, u)"},
      {"pooling", kIn + "c = Conv(x, w, b) p = MaxPool(c) {kernel_shape=[2,2]} a = AveragePool(p) {kernel_shape=[2,2], "
                        "pads=[1,1,1,1]} y = Conv(a, v)"},
      {"Concat", kIn + "const u: f32[2,12,1,1] = random(5) c = Conv(x, w, b) d = Conv(x, w) e = Relu(d) f = Conv(c, v) "
                       "k = Concat(c, e, f) {axis=1} y = Conv(k, u)"},
      {"Concat of one value twice", kIn +
                                        "const u: f32[2,8,1,1] = random(5) c = Conv(x, w, b) k = Concat(c, c) {axis=1} "
                                        "y = Conv(k, u)"},
      {"a residual sum",
       kIn + "c = Conv(x, w, b) d = Conv(c, v) s = Add(c, d) r = Relu(s) t = Sub(r, c) y = Conv(t, v)"},
      {"Flatten and Gemm", kIn +
                               "const g: f32[144,5] = random(6) c = Conv(x, w, b) p = MaxPool(c) {kernel_shape=[1,1]} "
                               "f = Flatten(p) y = Gemm(f, g)"},
      {"Reshape and Gemm by rows", kIn + "const n: i64[2] = {1,-1} const g: f32[5,4] = random(6) const h: f32[5] = "
                                         "random(7) const u: f32[3,5] = random(8) c = Conv(x, w, b) "
                                         "p = GlobalAveragePool(c) f = Reshape(p, n) e = Gemm(f, g, h) {transB=1} "
                                         "r = Relu(e) y = Gemm(r, u) {transB=1}"},
      {"PRelu", kIn + "const s: f32[4,1,1] = random(4) c = Conv(x, w, b) r = PRelu(c, s) y = Conv(r, v)"},
      {"BatchNormalization",
       kIn + "const s: f32[4] = random(4) const m: f32[4] = random(5) const q: f32[4] = "
             "random(6, 0.5, 2) c = Conv(x, w, b) r = Relu(c) n = BatchNormalization(r, s, b, m, q) "
             "y = Conv(n, v)"},
      {"ConvTranspose in groups", kIn +
                                      "const d: f32[4,3,2,2] = random(4) const e: f32[6] = random(5) const u: "
                                      "f32[2,6,1,1] = random(6) c = Conv(x, w, b) t = ConvTranspose(c, d, e) {group=2, "
                                      "strides=[2,2]} r = Relu(t) y = Conv(r, u)"},
      {"a shortcut of zeros", kIn + R"(const st: i64[2] = {0,0} const en: i64[2] = {99,99} const ax: i64[2] = {2,3}
          const sp: i64[2] = {2,2} const pa: i64[8] = {0,1,0,0,0,1,0,0} const z: f32[] = {0}
          const d: f32[6,4,1,1] = random(4) const u: f32[2,6,1,1] = random(5)
          c = Conv(x, w, b) r = Relu(c) s = Slice(r, st, en, ax, sp) p = Pad(s, pa, z)
          e = Conv(r, d) {strides=[2,2]} a = Add(p, e) y = Conv(a, u))"},
      {"a slice of channels", kIn +
                                  "const st: i64[1] = {-3} const en: i64[1] = {3} const ax: i64[1] = {1} const u: "
                                  "f32[2,2,1,1] = random(5) c = Conv(x, w, b) s = Slice(c, st, en, ax) y = Conv(s, u)"},
      {"one dimension",
       "input x: f32[1,3,9] const w: f32[4,3,3] = random(1) const v: f32[2,4,3] = random(2) "
       "c = Conv(x, w) r = Relu(c) y = Conv(r, v)"},
      {"a weight that two nodes read", kIn + "c = Conv(x, w, b) d = Conv(c, v, b) e = Relu(d) y = Conv(e, v, b)"},
      {"outputs stay", kIn + "y = Conv(x, w, b)", false},
      {"Clip", kIn + "const six: f32[] = {6} c = Conv(x, w, b) r = Clip(c, _, six) y = Conv(r, v)", false},
      {"Sigmoid", kIn + "c = Conv(x, w, b) r = Sigmoid(c) y = Conv(r, v)", false},
      {"a product", kIn + "c = Conv(x, w, b) r = Mul(c, c) y = Conv(r, v)", false},
      {"a sum with a constant", kIn + "const k: f32[4,1,1] = random(4) c = Conv(x, w, b) r = Add(c, k) y = Conv(r, v)",
       false},
      {"a sum that broadcasts", kIn + "c = Conv(x, w, b) g = GlobalAveragePool(c) r = Add(c, g) y = Conv(r, v)", false},
      {"MatMul",
       "input x: f32[2,3] const g: f32[3,4] = random(1) const u: f32[4,2] = random(2) c = Gemm(x, g) "
       "y = MatMul(c, u)",
       false},
      {"a float reader beside", kIn + "c = Conv(x, w, b) z = Exp(c) y = Conv(c, v) output z", false},
      {"Concat with the input",
       kIn + "const u: f32[2,6,1,1] = random(5) const i: f32[3,3,1,1] = random(6) c = Conv(x, i) "
             "k = Concat(x, x) {axis=1} s = Concat(c, c) {axis=1} t = Add(k, s) y = Conv(t, u)",
       false},
      {"Concat of places", kIn + "c = Conv(x, w, b) k = Concat(c, c) {axis=2} y = Conv(k, v)", false},
  };
  for (const Case& test : cases) {
    INFO(test.what);
    Graph graph = parse_graph("graph opset 13 {" + test.body + " output y }");
    infer_shapes(graph);
    const Graph before = graph;
    const auto [plan, ranges] = uneven(graph);
    CHECK((equalize_channels(graph, plan, ranges) > 0) == test.changes);
    graph.check();
    CHECK(graph.nodes() == before.nodes());
    const auto inputs = random_inputs(before, 5);
    CHECK(relative_difference(run_graph(before, inputs), run_graph(graph, inputs)) < 1e-5);
  }
}

TEST_CASE("equalize_channels brings small channels nearer to the largest, half of the way") {
  Graph graph = parse_graph(R"(graph opset 13 { input x: f32[1,1,1,1] const w: f32[4,1,1,1] = {1,1,1,1}
    const b: f32[4] = {1,1,1,1} const v: f32[1,4,1,1] = {1,1,1,1} c = Conv(x, w, b) y = Conv(c, v) output y })");
  infer_shapes(graph);
  Plan plan;
  plan.activations.push_back(planned(graph.find_value("c").value(), 0, true));
  CHECK(equalize_channels(graph, plan, {{"c", {16, 4, 0.001F, 0}}}) == 2);
  const auto values = [&](std::size_t node, std::size_t input) {
    const auto data = graph.constant(graph.node(graph.nodes()[node]).input(input))->data<float>();
    return std::vector<float>(data.begin(), data.end());
  };
  CHECK(values(0, 1) == std::vector<float>{1, 2, 4, 4});
  CHECK(values(0, 2) == std::vector<float>{1, 2, 4, 4});
  CHECK(values(1, 1) == std::vector<float>{1, 0.5F, 0.25F, 0.25F});
}

TEST_CASE("equalize_channels does nothing where ranges say nothing") {
  for (const std::vector<float>& range :
       {std::vector<float>{}, {0, 0, 0, 0}, {1, 2}, {INFINITY, 1, 1, 1}, {1, 1, 1, 1}}) {
    Graph graph = parse_graph("graph opset 13 {" + kIn + "c = Conv(x, w, b) s = Shape(c) y = Conv(c, v) output y }");
    infer_shapes(graph);
    Plan plan;
    for (const ValueId id : graph.values()) plan.activations.push_back(planned(id, 0, true));
    CHECK(equalize_channels(graph, plan, {{"c", range}, {"s", range}}) == 0);
  }
}

TEST_CASE("equalize_channels survives sizes that no memory holds and attributes that contradict each other") {
  for (const std::string& body :
       {std::string("input x: f32[1,99999999999999] a = Relu(x) y = Neg(a)"),
        std::string("input x: f32[1,4,2,2] const w: f32[4,1,1,1] = random(1) a = Conv(x, w) {group=0} y = Relu(a)"),
        std::string("input x: f32[1,4,2,2] const w: f32[0,4,1,1] = {} a = Conv(x, w) y = Relu(a)"),
        std::string("input x: f32[1,4] const s: i64[1] = {9223372036854775807} const e: i64[1] = {9223372036854775807} "
                    "const d: i64[1] = {1} value a: f32[1,1] a = Slice(x, s, e, d) y = Relu(a)")}) {
    Graph graph = parse_graph("graph opset 13 {" + body + " output y }");
    Plan plan;
    CHECK(equalize_channels(graph, plan, {}) == 0);
  }
}
