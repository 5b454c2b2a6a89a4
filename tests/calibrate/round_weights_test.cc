#include <catch2/catch.hpp>
#include <vector>

#include "octavo/backends.h"
#include "octavo/calibrate.h"
#include "support/graphs.h"

using namespace octavo;
using namespace octavo::test;

TEST_CASE("weights per group have a scale for each run of inputs, from its largest weight") {
  Graph graph = parse_graph(R"(graph opset 21 { input a: f32[2,4]
    const w: f32[4,2] = {1, -2, 3, 4, -50, 6, 7, 80} y = MatMul(a, w) output y })");
  infer_shapes(graph);
  QConfig config;
  config.weight.granularity = Granularity::per_group;
  config.weight.group_size = 2;
  const Plan plan = make_plan(graph, backend_named("onnxruntime"), config);
  REQUIRE(plan.weights.size() == 1);
  const QuantizedWeights weights = round_weights(graph, plan, {});
  const QParams& params = weights.at(plan.weights[0].node).params;
  CHECK(params.axis == 0);
  CHECK(params.group_size == 2);
  CHECK(params.scale == std::vector<float>{3.0F / 127, 4.0F / 127, 50.0F / 127, 80.0F / 127});
}
