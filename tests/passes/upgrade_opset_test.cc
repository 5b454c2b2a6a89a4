#include "passes/support.h"
#include "support/upgrade_cases.h"

using namespace octavo;
using namespace octavo::test;

TEST_CASE("upgrade_opset keeps what the graph computes") {
  for (const UpgradeCase& test : upgrade_cases()) {
    INFO("opset " << test.from << ": " << test.body);
    const Graph before = graph_of(test);
    const auto inputs = random_inputs(before, 3);
    for (const int to : {13, 18, 21}) {
      CAPTURE(to);
      if (test.from > to) continue;
      Graph graph = before;
      upgrade_opset(graph, to);
      graph.check();
      CHECK(graph.opset() == to);
      if (test.runs) CHECK(relative_difference(run_graph(before, inputs), run_graph(graph, inputs)) < 1e-6);
    }
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
  const std::vector<UpgradeCase> cases = {
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
  const std::vector<UpgradeCase> newer_cases = {
      {13, "input x: f32[2] y = If(x)"},
      {18, "input x: f32[2,C,4] const s: f32[3] = fill(1) y = GroupNormalization(x, s, s) {num_groups=3}"},
      {13,
       "input x: f32[2,3] const s: f32[3] = fill(1) y, mean = BatchNormalization(x, s, s, s, s) {training_mode=1} "
       "output mean"},
  };
  for (const UpgradeCase& test : newer_cases) {
    INFO(test.body);
    Graph graph = graph_of(test);
    CHECK(error_of([&] { upgrade_opset(graph, 21); }) == ErrorCode::unsupported);
  }
  for (const UpgradeCase& test : cases) {
    INFO(test.body);
    Graph graph = graph_of(test);
    CHECK(error_of([&] { upgrade_opset(graph, 13); }) == ErrorCode::unsupported);
  }
  Graph newer = graph_of({13, "input x: f32[2] y = Neg(x)"});
  CHECK(error_of([&] { upgrade_opset(newer, 22); }) == ErrorCode::internal);
  upgrade_opset(newer, 11);
  CHECK(newer.opset() == 13);
}

TEST_CASE("upgrade_opset writes the forms of opset 21") {
  Graph graph = graph_of({18, R"(input x: f32[2,6,4,4] const groups: f32[3] = {1,2,3}
    y = GroupNormalization(x, groups, groups) {num_groups=3})"});
  upgrade_opset(graph, 21);
  CHECK(graph.constant(graph.node(graph.nodes()[0]).input(1))->data<float>()[3] == 2.0F);
  CHECK(graph.constant(graph.node(graph.nodes()[0]).input(2))->shape() == Shape{6});
  const auto after = [](const std::string& body) {
    Graph raised = graph_of({13, body});
    upgrade_opset(raised, 21);
    return statements(raised);
  };
  CHECK(after("input x: f32[2,6,4] y = ReduceMean(x) {axes=[2]}") ==
        statements(parse_graph(
            "graph opset 21 { input x: f32[2,6,4] const y_axes: i64[1] = {2} y = ReduceMean(x, y_axes) output y }")));
  CHECK(after("input x: f32[2,6] y, z = Split(x) {axis=1} output z") ==
        statements(parse_graph(
            "graph opset 21 { input x: f32[2,6] y, z = Split(x) {axis=1, num_outputs=2} output z output y }")));
  CHECK(after("input x: f32[1,1,8,8] const r: f32[1,4] = random(1) const b: i64[1] = {0} y = RoiAlign(x, r, b)")
            .find("output_half_pixel") != std::string::npos);
}

TEST_CASE("a graph that cannot be upgraded stays as it was") {
  Graph graph = graph_of({11, "input x: f32[1,2] a = Squeeze(x) {axes=[0]} y = Loop(a)"});
  const std::string before = to_text(graph);
  CHECK(error_of([&] { upgrade_opset(graph, 13); }) == ErrorCode::unsupported);
  CHECK(to_text(graph) == before);
}
