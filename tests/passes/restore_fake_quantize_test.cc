#include <fmt/format.h>

#include <random>

#include "octavo/core/rounding.h"
#include "octavo/error.h"
#include "passes/support.h"
#include "support/messages.h"

using namespace octavo;
using namespace octavo::test;

namespace {

constexpr const char* kHead = "graph opset 13, \"org.openvinotoolkit\" 1 {";

Graph restored(const std::string& body) {
  Graph graph = parse_graph(kHead + body + "}");
  infer_shapes(graph);
  CHECK(restore_qdq(graph) > 0);
  graph.check();
  return graph;
}

/// One FakeQuantize over x with these limits; further attributes or values as text.
std::string one(const std::string& low, const std::string& high, const std::string& levels = "256") {
  return "input x: f32[1,2,2,2] const l: f32" + low + " const h: f32" + high +
         " y = org.openvinotoolkit::FakeQuantize \"fq\" (x, l, h, l, h) {levels=" + levels + "} output y";
}

std::string refusal(const std::string& body) {
  return message_of([&] {
    Graph graph = parse_graph(kHead + body + "}");
    restore_qdq(graph);
  });
}

/// OpenVINO's definition of FakeQuantize.
float fake_quantized(float x, float low, float high, int levels) {
  if (x <= std::min(low, high)) return low;
  if (x > std::max(low, high)) return high;
  const auto steps = static_cast<float>(levels - 1);
  return std::nearbyint((x - low) / (high - low) * steps) / steps * (high - low) + low;
}

}  // namespace

TEST_CASE("FakeQuantize becomes pairs, and float weights behind it integers") {
  const Graph graph = restored(R"(
    input x: f32[1,1,2,2]
    const xl: f32[] = {-64}
    const xh: f32[] = {63.5}
    const w: f32[2,1,1,1] = {2, 40}
    const wl: f32[2,1,1,1] = {-63.5, -31.75}
    const wh: f32[2,1,1,1] = {63.5, 31.75}
    const rl: f32[] = {0}
    const rh: f32[] = {127.5}
    x_dq = org.openvinotoolkit::FakeQuantize(x, xl, xh, xl, xh) {levels=256}
    v = org.openvinotoolkit::FakeQuantize(w, wl, wh, wl, wh) {levels=255}
    c = Conv(x_dq, v)
    c_dq = org.openvinotoolkit::FakeQuantize(c, rl, rh, rl, rh) {levels=256}
    output c_dq)");
  CHECK(statements(graph) == statements(parse_graph(R"(graph opset 13 {
    input x: f32[1,1,2,2]
    const w_q: i8[2,1,1,1] = {4,127}
    const w_s: f32[2] = {0.5,0.25}
    const w_z: i8[2] = {0,0}
    const x_s: f32[] = {0.5}
    const x_z: i8[] = {0}
    const c_s: f32[] = {0.5}
    const c_z: u8[] = {0}
    v = DequantizeLinear(w_q, w_s, w_z) {axis=0}
    x_q = QuantizeLinear(x, x_s, x_z)
    x_dq = DequantizeLinear(x_q, x_s, x_z)
    c = Conv(x_dq, v)
    c_q = QuantizeLinear(c, c_s, c_z)
    c_dq = DequantizeLinear(c_q, c_s, c_z)
    output c_dq
  })")));
  CHECK_FALSE(graph.opsets.contains("org.openvinotoolkit"));
}

TEST_CASE("pairs compute what FakeQuantize is defined to") {
  struct Case {
    float low;
    float high;
    int levels;
  };
  for (const Case& test : {Case{-1, 1.5F, 256},
                           {-2, 1.984375F, 256},
                           {0, 6, 256},
                           {-1, 1, 255},
                           {-1, 2, 16},
                           {0, 1, 2},
                           {-8, 7, 16},
                           {-4, 0, 200}}) {
    INFO(test.low << " to " << test.high << ", " << test.levels);
    const float step = (test.high - test.low) / static_cast<float>(test.levels - 1);
    const float low = std::nearbyint(test.low / step) * step;
    const float high = low + step * static_cast<float>(test.levels - 1);
    const Graph graph = restored(
        one(fmt::format("[] = {{{}}}", low), fmt::format("[1,1,1,1] = {{{}}}", high), std::to_string(test.levels)));
    // Of 255 levels the type has one more, for what lies beyond the limits.
    const float beyond = test.levels == 255 ? 0.99F : 3.0F;
    std::mt19937 random(7);
    std::uniform_real_distribution<float> anywhere(beyond * low - 0.001F, beyond * high);
    Tensor x(DType::f32, {1, 2, 2, 2}, true);
    for (int i = 0; i < 100; ++i) {
      for (float& v : x.mutable_data<float>()) v = anywhere(random);
      const auto y = run_graph(graph, {x}).at(0);
      for (std::size_t k = 0; k < x.data<float>().size(); ++k) {
        const float expected = fake_quantized(x.data<float>()[k], low, high, test.levels);
        REQUIRE(y.data<float>()[k] == Approx(expected).margin(1e-5));
      }
    }
  }
}

TEST_CASE("limits give back the scale that they were made of") {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> mantissa(1.0F, 2.0F);
  int same = 0;
  constexpr int kTries = 300;
  for (int i = 0; i < kTries; ++i) {
    const AffineMap map{std::ldexp(mantissa(random), i % 40 - 20), i % 256, 0, 255};
    const auto limit = [](float x) { return fmt::format("[] = {{{}}}", x); };
    const Graph graph = restored(one(limit(dequantize_value(0, map)), limit(dequantize_value(255, map))));
    const Node& quantize = graph.node(graph.nodes().front());
    const float scale = graph.constant(quantize.input(1))->data<float>()[0];
    CHECK(scale == Approx(map.scale).epsilon(2e-7));
    same += scale == map.scale ? 1 : 0;
  }
  CHECK(same > kTries * 95 / 100);  // products of neighbouring scales may round to the same limits
}

TEST_CASE("limits per channel count from the last dimension, behind FakeQuantize as well") {
  const std::string two = R"(
    input x: f32[1,2,2,2] const l: f32[2,1,1] = {0,-128} const h: f32[2,1,1] = {255,127} const s: f32[] = {0}
    const t: f32[] = {510}
    a = org.openvinotoolkit::FakeQuantize(x, s, t, s, t) {levels=256}
    r = Relu(a)
    y = org.openvinotoolkit::FakeQuantize(r, l, h, l, h) {levels=256}
    output y)";
  const std::string text = statements(restored(two));
  CHECK_THAT(text, Catch::Contains("{axis=1}"));
  CHECK_THAT(text, Catch::Contains("u8[2] = {0, 128}"));
}

TEST_CASE("a FakeQuantize that pairs cannot say is refused by its name") {
  const auto replaced = [](std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
  };
  const std::string good = one("[] = {0}", "[] = {255}");
  for (const auto& [body, found] : std::initializer_list<std::pair<std::string, std::string>>{
           {one("[] = {0}", "[] = {255}", "257"), "its levels are 257"},
           {one("[] = {0}", "[] = {255}", "1"), "its levels are 1"},
           {one("[] = {0.5}", "[] = {255.5}"), "from 0.5 to 255.5"},
           {one("[] = {-0.5}", "[] = {254.5}"), "from -0.5 to 254.5"},
           {one("[] = {0}", "[] = {0}"), "from 0 to 0"},
           {one("[] = {5}", "[] = {-5}"), "from 5 to -5"},
           {one("[] = {-inf}", "[] = {inf}"), "from -inf to inf"},
           {one("[] = {nan}", "[] = {1}"), "from nan to 1"},
           {one("[] = {0}", "[] = {1e-44}"), "256 levels"},
           {one("[0] = {}", "[] = {1}"), "no constants"},
           {one("[2,1,1] = {0,0}", "[3,1,1] = {1,1,1}"), "differ in shape"},
           {one("[2,1,1] = {0,0}", "[1,2,1] = {1,1}"), "several dimensions"},
           {one("[3,1,1] = {0,0,0}", "[] = {1}"), "has 2 there"},
           {one("[2,1,1,1,1] = {0,0}", "[] = {1}"), "several dimensions"},
           {replaced(good, "(x, l, h, l, h)", "(x, l, h)"), "no constants"},
           {replaced(good, "(x, l, h, l, h)", "(x, x, h, x, h)"), "no constants"},
           {replaced(good, "(x, l, h, l, h)", "(x, l, h, l, x)"), "no constants"},
           {replaced(replaced(good, "y = ", "const k: f32[] = {300} y = "), "h, l, h)", "h, l, k)"),
            "it makes 0 to 300 of 0 to 255"}}) {
    INFO(body);
    const std::string message = refusal(body);
    CHECK_THAT(message, Catch::Contains(found));
    CHECK_THAT(message, Catch::Contains("fq"));
  }
}

TEST_CASE("other operators of OpenVINO keep their domain") {
  const Graph graph = restored(one("[] = {0}", "[] = {255}") + " z = org.openvinotoolkit::Swish(y) output z");
  CHECK(graph.opsets.contains("org.openvinotoolkit"));
}
