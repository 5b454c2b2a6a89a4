#include "passes/support.h"

using namespace octavo;
using namespace octavo::test;

namespace {

struct Case {
  int from;
  std::string body;
};

Graph graph_of(const Case& test) {
  return parse_graph("graph opset " + std::to_string(test.from) + " { " + test.body + " output y }");
}

}  // namespace

TEST_CASE("upgrade_opset keeps what the graph computes") {
  const std::string x = "input x: f32[2,3,4,5] ";
  const std::vector<Case> cases = {
      {7, x + "y = Clip(x) {min=-0.25, max=0.5}"},
      {8, x + "y = Clip(x) {min=0.0}"},
      {10, x + "y = Clip(x)"},
      {7, x + "y = Pad(x) {pads=[0,0,1,2,0,0,2,1], value=0.5}"},
      {10, x + "y = Pad(x) {pads=[0,0,1,2,0,0,2,1], mode=\"reflect\"}"},
      {9, x + "y = Pad(x) {pads=[0,0,1,2,0,0,2,1]}"},
      {7, x + "y = Slice(x) {starts=[1,0], ends=[3,-1], axes=[1,3]}"},
      {9, x + "y = Slice(x) {starts=[0,1], ends=[1,3]}"},
      {9, x + "y, i = TopK(x) {k=2, axis=2} output i"},
      {9, x + "y, i = TopK(x) {k=3} output i"},
      {7, x + "y = Upsample(x) {scales=[1.0,1.0,2.0,3.0]}"},
      {7, x + "y = Upsample(x) {scales=[1.0,1.0,2.0,1.5], mode=\"linear\"}"},
      {9, x + "const s: f32[4] = {1,1,2.5,2} y = Upsample(x, s) {mode=\"nearest\"}"},
      {9, x + "const s: f32[4] = {1,1,2.5,2} y = Upsample(x, s) {mode=\"linear\"}"},
      {10, x + "const s: f32[4] = {1,1,2,1.6} y = Resize(x, s)"},
      {10, x + "const s: f32[4] = {1,1,0.3,0.6} y = Resize(x, s)"},
      {10, x + "const s: f32[4] = {1,1,1.7,0.6} y = Resize(x, s) {mode=\"linear\"}"},
      {7, x + "y = Dropout(x) {ratio=0.3}"},
      {11, x + "y = Dropout(x) {ratio=0.3}"},
      {11, x + "a, y, b = Split(x) {axis=2, split=[1,2,1]} output b"},
      {12, x + "a, y = Split(x) {axis=2} output a"},
      {11, "input x: f32[2,1,3,1] y = Squeeze(x) {axes=[1,3]}"},
      {11, "input x: f32[2,1,3,1] y = Squeeze(x) {axes=[-1]}"},
      {11, "input x: f32[1,3] y = Squeeze(x)"},
      {12, x + "y = Unsqueeze(x) {axes=[0,5]}"},
      {11, x + "y = ReduceSum(x) {axes=[1,-1], keepdims=0}"},
      {12, x + "y = ReduceSum(x)"},
      {11, x + "y = ReduceMean(x) {axes=[2,3]}"},
      {7, "input x: f32[2,5] y = Softmax(x)"},
      {7, "input x: f32[2,5,1,1] y = Softmax(x)"},
      {11, "input x: f32[2,5,1,1] y = LogSoftmax(x) {axis=-3}"},
      {7, x + "y = Softmax(x)"},
      {7, x + "y = Softmax(x) {axis=2}"},
      {12, x + "y = LogSoftmax(x) {axis=-2}"},
      {11, x + "y = Softmax(x) {axis=0}"},
      {11, x + "a = Relu(x) y = Softmax(a) z = Neg(y) output z"},
      {11, "input x: f32[N,3,4] y = Softmax(x)"},
      {7,
       "input x: f32[2,3,4] const s: f32[3] = random(1) const v: f32[3] = random(2, 0.5, 1) "
       "y = BatchNormalization(x, s, s, s, v) {spatial=1}"},
      {7, x + "y = MaxPool(x) {kernel_shape=[2,2], strides=[2,2]}"},
      {9, x + "y = AveragePool(x) {kernel_shape=[2,2], pads=[1,1,0,0]}"},
      {11, "input x: f32[1,2,4,4] const r: f32[0] = {} const s: f32[4] = {1,1,2,2} y = Resize(x, r, s)"},
  };
  for (const Case& test : cases) {
    INFO("opset " << test.from << ": " << test.body);
    Graph graph = graph_of(test);
    const Graph before = graph;
    upgrade_opset(graph, 13);
    graph.check();
    CHECK(graph.opset() == 13);
    const auto inputs = random_inputs(before, 3);
    CHECK(relative_difference(run_graph(before, inputs), run_graph(graph, inputs)) < 1e-6);
  }
}

TEST_CASE("upgrade_opset writes the forms of opset 13") {
  Graph graph = graph_of({9, R"(input x: f32[1,2,4,4]
    a = Clip(x) {min=0.0, max=6.0}
    b = Upsample(a) {scales=[1.0,1.0,2.0,2.0], mode="linear"}
    c = Squeeze(b) {axes=[0]}
    y = Softmax(c) {axis=2})"});
  upgrade_opset(graph, 13);
  CHECK(statements(graph) == statements(parse_graph(R"(graph opset 13 {
    input x: f32[1,2,4,4]
    const a_min: f32[] = {0}
    const a_max: f32[] = {6}
    a = Clip(x, a_min, a_max)
    const b_scales: f32[4] = {1,1,2,2}
    const b_roi: f32[0] = {}
    b = Resize(a, b_roi, b_scales) {coordinate_transformation_mode="asymmetric", mode="linear"}
    const c_axes: i64[1] = {0}
    c = Squeeze(b, c_axes)
    y = Softmax(c) {axis=2}
    output y
  })")));
}

TEST_CASE("upgrade_opset gives limits the type of the data") {
  Graph graph = graph_of({9, "input x: f64[2] y = Clip(x) {min=0.5}"});
  upgrade_opset(graph, 13);
  CHECK(graph.value(graph.find_value("y_min").value()).dtype == DType::f64);
}

TEST_CASE("upgrade_opset says what it cannot convert") {
  const std::vector<Case> cases = {
      {8, "input x: f32[2,3,4] const s: f32[3] = fill(1) y = BatchNormalization(x, s, s, s, s) {spatial=0}"},
      {9, "input x: f32[2] a, m = Dropout(x) y = Cast(m) {to=1}"},
      {11, "input x: f32[2] y = Loop(x)"},
      {11,
       "input x: f32[1,1,2,2] const r: f32[0] = {} const s: f32[4] = {1,1,2,2} "
       "y = Resize(x, r, s) {coordinate_transformation_mode=\"tf_half_pixel_for_nn\"}"},
      {10, "input x: f32[1,1,4,4] const s: f32[4] = {1,1,2,0.6} y = Resize(x, s)"},
      {10, "input x: f32[1,1,4,4] input s: f32[4] y = Resize(x, s)"},
      {9, "input x: f16[2] y = Clip(x) {min=0.5}"},
  };
  for (const Case& test : cases) {
    INFO(test.body);
    Graph graph = graph_of(test);
    CHECK(error_of([&] { upgrade_opset(graph, 13); }) == ErrorCode::unsupported);
  }
  Graph newer = graph_of({13, "input x: f32[2] y = Neg(x)"});
  CHECK(error_of([&] { upgrade_opset(newer, 21); }) == ErrorCode::internal);
  upgrade_opset(newer, 11);
  CHECK(newer.opset() == 13);
}
