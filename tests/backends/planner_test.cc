#include <array>
#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>

#include "named_plan.h"
#include "octavo/backends.h"
#include "support/graphs.h"

using namespace octavo;
using namespace octavo::test;

TEST_CASE("backends are found by name, and an unknown name lists them") {
  CHECK(backend_named("onnxruntime").min_opset == 10);
  CHECK_THROWS_WITH(backend_named("ort"), Catch::Contains("onnxruntime"));
  CHECK(error_of([] { backend_named(""); }) == ErrorCode::invalid_argument);
  for (const BackendSpec* backend : backends()) {
    CHECK(backend->activation.valid());
    CHECK(backend->weight.valid());
    for (const OpRule& rule : backend->rules) CHECK(backend->rule_for(rule.op_type) == &rule);
  }
}

TEST_CASE("convolutions run in integers with the activation behind them, the head in float") {
  const Named plan = plan_of(kIn + R"(
    c1 = Conv(x, w, b) r1 = Relu(c1) c2 = Conv(r1, v) r2 = Clip(c2, _, six) const six: f32[] = {6}
    g = GlobalAveragePool(r2) f = Flatten(g) y = Softmax(f) output y)");
  CHECK(plan.integer == Set{"c1", "r1", "c2", "r2"});
  CHECK(plan.groups == Groups{{"x", "x"}, {"r1", "r1"}, {"r2", "r2"}});
  CHECK(plan.exact == Set{"x", "r2"});
  CHECK(plan.from_float == Set{"x"});
  CHECK(plan.weighted == Set{"c1", "c2"});
  CHECK(plan.biased == Set{"c1"});
  CHECK(plan.reasons.at("g") == "a float operator reads its result");
}

TEST_CASE("an activation is fused only where it alone reads what is before it") {
  SECTION("another reader") {
    const Named plan = plan_of(kIn + "c = Conv(x, w) r = Relu(c) d = Conv(c, v) output r output d");
    CHECK(plan.integer == Set{"c", "d"});
    CHECK(plan.groups == Groups{{"x", "x"}, {"c", "c"}, {"d", "d"}});
  }
  SECTION("the caller reads it") {
    CHECK(plan_of(kIn + "c = Conv(x, w) r = Relu(c) output r output c").integer == Set{"c"});
  }
  SECTION("limits that are computed") {
    CHECK(plan_of(kIn + "input m: f32[] c = Conv(x, w) r = Clip(c, m) output r").integer == Set{"c"});
  }
  SECTION("one is fused, not two") {
    CHECK(plan_of(kIn + "c = Conv(x, w) r = Relu(c) s = Relu(r) output s").integer == Set{"c", "r"});
  }
}

TEST_CASE("what does not fit an integer kernel stays in float, and the reason is told") {
  const auto reason = [](const std::string& body) { return plan_of(body + " output y").reasons.at("y"); };
  CHECK_THAT(reason(kIn + "input d: f32[4,3,1,1] y = Conv(x, d)"), Catch::Contains("weight is not constant"));
  CHECK_THAT(reason(kIn + "input d: f32[4] y = Conv(x, w, d)"), Catch::Contains("bias is not constant"));
  CHECK_THAT(reason(kIn + "const d: f32[5] = fill(1) y = Conv(x, w, d)"), Catch::Contains("one number a channel"));
  CHECK_THAT(reason(kIn + "const d: f32[4] = {1,2,nan,4} y = Conv(x, w, d)"), Catch::Contains("NaN"));
  CHECK_THAT(reason(kIn + "const d: f32[4,3,1,1] = fill(inf) y = Conv(x, d)"), Catch::Contains("infinities"));
  CHECK_THAT(reason("input x: f64[1,3,8,8] const w: f64[4,3,1,1] = fill(1) y = Conv(x, w)"), Catch::Contains("f32"));
  CHECK_THAT(reason(kIn + "y = Sigmoid(x)"), Catch::Contains("no integer kernel"));
  CHECK_THAT(reason(kIn + "y = Relu(x)"), Catch::Contains("no integer operator before"));
  CHECK_THAT(reason(kIn + "y = my.domain::Conv(x, w)"), Catch::Contains("another operator"));
  const std::string gemm = "input a: f32[2,3] const w: f32[3,4] = random(1) const b: f32[4] = random(2) ";
  CHECK_THAT(reason(gemm + "y = Gemm(a, w, b) {alpha=2.0}"), Catch::Contains("alpha"));
  CHECK_THAT(reason(gemm + "y = Gemm(a, w, b) {beta=2.0}"), Catch::Contains("beta"));
  CHECK_THAT(reason(gemm + "const c: f32[2,4] = random(3) y = Gemm(a, w, c)"), Catch::Contains("one number a channel"));
  CHECK_THAT(reason("input a: f32[3,2] const w: f32[3,4] = random(1) y = Gemm(a, w) {transA=1}"),
             Catch::Contains("transA"));
  CHECK_THAT(reason(kIn + "y = GlobalAveragePool(x)"), Catch::Contains("leaves the graph"));
}

TEST_CASE("a residual block adds in integers where only integer operators read the sum") {
  const std::string block = kIn + "c1 = Conv(x, w, b) r1 = Relu(c1) c2 = Conv(r1, v) s = Add(c2, r1) r2 = Relu(s) ";
  SECTION("two convolutions do") {
    const Named plan = plan_of(block + "c3 = Conv(r2, v) c4 = Conv(r2, v) output c3 output c4");
    CHECK(plan.integer == Set{"c1", "r1", "c2", "s", "r2", "c3", "c4"});
    CHECK(plan.groups == Groups{{"x", "x"}, {"r1", "r1"}, {"c2", "c2"}, {"r2", "r2"}, {"c3", "c3"}, {"c4", "c4"}});
    CHECK(plan.exact == Set{"x", "c3", "c4"});
  }
  SECTION("the next sum runs in float, as what reads it does") {
    const Named plan =
        plan_of(block + "c3 = Conv(r2, v) t = Add(c3, r2) r3 = Relu(t) g = GlobalAveragePool(r3) output g");
    CHECK(plan.integer == Set{"c1", "r1", "c2", "c3"});
    CHECK(plan.groups == Groups{{"x", "x"}, {"r1", "r1"}, {"c2", "c2"}, {"r2", "r2"}, {"c3", "c3"}});
    CHECK(plan.from_float == Set{"x", "r2"});
    CHECK(plan.exact == Set{"x", "c3"});
  }
}

TEST_CASE("a fire module's branches share their parameters through Concat and pooling") {
  const Named plan = plan_of(kIn + R"(const u: f32[4,8,1,1] = random(5)
    c1 = Conv(x, w) r1 = Relu(c1) e1 = Conv(r1, v) q1 = Relu(e1) e2 = Conv(r1, v) q2 = Relu(e2)
    k = Concat(q1, q2) {axis=1} p = MaxPool(k) {kernel_shape=[2,2]} c2 = Conv(p, u) output c2)");
  CHECK(plan.integer == Set{"c1", "r1", "e1", "q1", "e2", "q2", "k", "p", "c2"});
  CHECK(plan.groups ==
        Groups{{"x", "x"}, {"r1", "r1"}, {"q1", "q1"}, {"q2", "q1"}, {"k", "q1"}, {"p", "q1"}, {"c2", "c2"}});
  Set adding;
  for (const auto& [name, activation] : plan.activations) {
    if (activation.adds_values) adding.insert(name);
  }
  CHECK(adding == Set{"x", "r1", "q1", "q2", "c2"});
}

TEST_CASE("what a Relu gives to a Concat of values that may be negative keeps its parameters") {
  const Named plan = plan_of(kIn + R"(const u: f32[4,8,1,1] = random(5)
    c1 = Conv(x, w) r1 = Relu(c1) p = MaxPool(r1) {kernel_shape=[1,1]} c2 = Conv(p, v) r2 = Relu(c2) c3 = Conv(r1, v)
    k = Concat(r2, c3) {axis=1} c4 = Conv(k, u) output c4)");
  CHECK(plan.integer == Set{"c1", "r1", "p", "c2", "r2", "c3", "k", "c4"});
  CHECK(plan.groups ==
        Groups{{"x", "x"}, {"r1", "r1"}, {"p", "r1"}, {"r2", "r2"}, {"c3", "c3"}, {"k", "c3"}, {"c4", "c4"}});
  CHECK(plan.activations.at("k").adds_values);
  const Named alike = plan_of(kIn + R"(const u: f32[4,12,1,1] = random(5)
    c1 = Conv(x, w) r1 = Relu(c1) c2 = Conv(r1, v) r2 = Relu(c2) j = Concat(r1, r2) {axis=1}
    a = AveragePool(r2) {kernel_shape=[1,1]} k = Concat(a, j) {axis=1} c4 = Conv(k, u) output c4)");
  CHECK(alike.groups ==
        Groups{{"x", "x"}, {"r1", "r1"}, {"r2", "r1"}, {"j", "r1"}, {"a", "r1"}, {"k", "r1"}, {"c4", "c4"}});
  CHECK_FALSE(plan.activations.at("p").adds_values);
}

TEST_CASE("values of unlike channels that share their parameters have one scale") {
  QConfig config;
  config.activation.granularity = Granularity::per_channel;
  BackendSpec joining = backend_named("tnn");
  static constexpr std::array kRules{OpRule{"Conv", OpRole::weighted}, OpRule{"Concat", OpRole::joins}};
  joining.rules = kRules;
  const Named plan = plan_of(kIn + R"(const u: f32[4,8,1,1] = random(5)
    a = Conv(x, w) k = Concat(a, a) {axis=1} y = Conv(k, u) output y)",
                             joining, config);
  CHECK(plan.activations.at("x").scheme.axis == 1);
  CHECK(plan.activations.at("a").scheme.axis == QScheme::kPerTensor);
  CHECK(plan.activations.at("k").scheme.axis == QScheme::kPerTensor);
}

TEST_CASE("data moves in integers only between integer operators") {
  SECTION("from the caller") {
    const Named plan = plan_of(kIn + "p = MaxPool(x) {kernel_shape=[2,2]} y = Conv(p, w) output y");
    CHECK(plan.integer == Set{"p", "y"});
    CHECK(plan.groups == Groups{{"x", "x"}, {"p", "x"}, {"y", "y"}});
  }
  SECTION("from a float operator") {
    const Named plan = plan_of(kIn + "s = Sigmoid(x) p = MaxPool(s) {kernel_shape=[2,2]} y = Conv(p, w) output y");
    CHECK(plan.integer == Set{"y"});
    CHECK(plan.groups == Groups{{"p", "p"}, {"y", "y"}});
    CHECK_THAT(plan.reasons.at("p"), Catch::Contains("comes from a float operator"));
  }
  SECTION("padding with zero, but with nothing else") {
    const std::string pads = "const p: i64[8] = {0,0,1,1,0,0,1,1} ";
    CHECK(plan_of(kIn + pads + "a = Pad(x, p) y = Conv(a, w) output y").integer == Set{"a", "y"});
    CHECK(plan_of(kIn + pads + "const f: f32[] = {1} a = Pad(x, p, f) y = Conv(a, w) output y").integer == Set{"y"});
  }
  SECTION("resizing that stays in range") {
    const std::string scales = "const s: f32[4] = {1,1,2,2} ";
    CHECK(plan_of(kIn + scales + "a = Resize(x, _, s) y = Conv(a, w) output y").integer == Set{"a", "y"});
    CHECK(plan_of(kIn + scales + "a = Resize(x, _, s) {mode=\"cubic\"} y = Conv(a, w) output y").integer == Set{"y"});
  }
  SECTION("scales and shapes are no data") {
    const Named plan = plan_of(kIn +
                               "input s0: f32[2] input s1: f32[2] s = Concat(s0, s1) {axis=0} "
                               "a = Resize(x, _, s) y = Conv(a, w) output y");
    CHECK(plan.integer == Set{"a", "y"});
    CHECK(plan.groups == Groups{{"x", "x"}, {"a", "x"}, {"y", "y"}});
  }
}

TEST_CASE("Gemm may end in float") {
  const std::string gemm =
      "input a: f32[2,3] const w: f32[3,4] = random(1) const u: f32[4,4] = random(2) "
      "const b: f32[4] = random(2) ";
  SECTION("as a head") {
    const Named plan = plan_of(gemm + "y = Gemm(a, w, b) output y");
    CHECK(plan.integer == Set{"y"});
    CHECK(plan.groups == Groups{{"a", "a"}});
    CHECK(plan.biased == Set{"y"});
  }
  SECTION("before another") {
    const Named plan = plan_of(gemm + "h = Gemm(a, w, b) r = Relu(h) y = Gemm(r, u) output y");
    CHECK(plan.integer == Set{"h", "r", "y"});
    CHECK(plan.groups == Groups{{"a", "a"}, {"r", "r"}});
    CHECK(plan.from_float == Set{"a"});
  }
}

TEST_CASE("a network with PRelu alternates between integers and float") {
  const Named plan = plan_of(kIn + R"(const s: f32[4,1,1] = random(4)
    c1 = Conv(x, w) p1 = PRelu(c1, s) c2 = Conv(p1, v) p2 = PRelu(c2, s) a = Add(p1, p2) y = Sigmoid(a) output y)");
  CHECK(plan.integer == Set{"c1", "c2"});
  CHECK(plan.groups == Groups{{"x", "x"}, {"c1", "c1"}, {"p1", "p1"}, {"c2", "c2"}});
  CHECK(plan.from_float == Set{"x", "p1"});
}

TEST_CASE("an encoder block multiplies by its weights in integers, and attends in float") {
  const Named plan = plan_of(R"(
    input x: f32[1,6,8] const s: f32[8] = fill(1) const o: f32[8] = fill(0) const wq: f32[8,8] = random(1)
    const wk: f32[8,8] = random(2) const wv: f32[8,8] = random(3) const bq: f32[8] = random(4)
    n = LayerNormalization(x, s, o)
    q0 = MatMul(n, wq) q = Add(q0, bq) k = MatMul(n, wk) v = MatMul(n, wv)
    kt = Transpose(k) {perm=[0,2,1]} a = MatMul(q, kt) p = Softmax(a) {axis=-1} h = MatMul(p, v)
    r = Add(x, h) y = MatMul(r, wq) output y)");
  CHECK(plan.integer == Set{"q0", "k", "v", "r", "y"});
  CHECK(plan.weighted == Set{"q0", "k", "v", "y"});
  CHECK(plan.biased.empty());
  CHECK(plan.groups == Groups{{"x", "x"}, {"n", "n"}, {"h", "h"}, {"r", "r"}});
}

TEST_CASE("values that a subgraph reads are not left to integer operators") {
  const Named plan = plan_of(kIn +
                             "c = Conv(x, w) p = MaxPool(c) {kernel_shape=[2,2]} d = Conv(p, v) "
                             "y = my.domain::If(d) captures(p) output y");
  CHECK_FALSE(plan.integer.contains("p"));
}

TEST_CASE("weights have a scale for each output channel") {
  Graph graph = parse_graph(R"(graph opset 13 { input x: f32[1,2,4,4] input a: f32[1,2] input m: f32[2,1,2]
    const w: f32[3,2,1,1] = random(1) const g: f32[2,3] = random(2) const t: f32[3,2] = random(3)
    const u: f32[2,2,3] = random(4)
    y0 = Conv(x, w) y1 = Gemm(a, g) y2 = Gemm(a, t) {transB=1} y3 = MatMul(a, g) y4 = MatMul(m, u)
    output y0 output y1 output y2 output y3 output y4 })");
  infer_shapes(graph);
  std::map<std::string, int> axes;
  for (const WeightPlan& weight : make_plan(graph, backend_named("onnxruntime")).weights) {
    axes[graph.value(graph.node(weight.node).output(0)).name] = weight.scheme.axis;
  }
  CHECK(axes == std::map<std::string, int>{{"y0", 0}, {"y1", 1}, {"y2", 0}, {"y3", 1}, {"y4", QScheme::kPerTensor}});
}
