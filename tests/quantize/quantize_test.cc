#include "octavo/quantize.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>

#include "octavo/passes.h"
#include "octavo/verify.h"
#include "support/graphs.h"
#include "support/messages.h"

using namespace octavo;
using namespace octavo::test;

namespace {

Graph graph_of(const std::string& body, int opset = 13) {
  return parse_graph("graph opset " + std::to_string(opset) + " {" + body + "}");
}

const std::string kNet = R"(
  input x: f32[1,3,12,12]
  const w1: f32[8,3,3,3] = random(1, -0.3, 0.3) const b1: f32[8] = random(2)
  const s: f32[8] = random(3, 0.5, 2) const o: f32[8] = random(4) const m: f32[8] = random(5) const v: f32[8] = random(6, 0.5, 2)
  const w2: f32[8,1,3,3] = random(7) const w3: f32[8,8,1,1] = random(8, -0.5, 0.5) const w4: f32[16,5] = random(9)
  const b4: f32[5] = random(10)
  c1 = Conv(x, w1, b1) {pads=[1,1,1,1]}
  n1 = BatchNormalization(c1, s, o, m, v)
  r1 = Relu(n1)
  c2 = Conv(r1, w2) {group=8, pads=[1,1,1,1]}
  r2 = Clip(c2, lo, hi) const lo: f32[] = {0} const hi: f32[] = {6}
  c3 = Conv(r2, w3)
  a = Add(c3, r1)
  k = Concat(a, r2) {axis=1}
  p = MaxPool(k) {kernel_shape=[2,2], strides=[2,2]}
  g = GlobalAveragePool(p)
  f = Flatten(g)
  h = MatMul(f, w4)
  y = Add(h, b4)
  output y)";

/// Every scale in a quantized graph is a finite number above zero.
void check_scales(const Graph& graph) {
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (node.op_type != "QuantizeLinear" && node.op_type != "DequantizeLinear") continue;
    for (const float scale : graph.constant(node.input(1))->data<float>()) {
      CHECK(std::isfinite(scale));
      CHECK(scale > 0.0F);
    }
  }
}

std::vector<std::vector<Tensor>> constant_samples(const Graph& graph, const std::vector<float>& fills) {
  std::vector<std::vector<Tensor>> samples;
  for (const float fill : fills) {
    samples.push_back(random_inputs(graph, 1));
    for (Tensor& tensor : samples.back()) std::ranges::fill(tensor.mutable_data<float>(), fill);
  }
  return samples;
}

}  // namespace

TEST_CASE("a small network keeps its outputs, and gives the same bytes for any number of threads") {
  const Graph model = graph_of(kNet);
  const MemorySource data(model, 16);
  Recipe recipe;
  recipe.threads = 1;
  const Quantized one = quantize(model, data, recipe);
  one.graph.check();
  check_scales(one.graph);
  CHECK(one.calibration.samples == 16);
  for (const int threads : {2, 7}) {
    recipe.threads = threads;
    CHECK(to_text(quantize(model, data, recipe).graph) == to_text(one.graph));
  }
  const MemorySource others(model, 20, 7000);
  CHECK(compare(model, one.graph, others, {}).outputs[0].distance.sqnr_db > 25.0);
  const auto layers = compare(one.prepared, one.graph, others, {}).layers;
  CHECK_FALSE(layers.empty());
  for (const LayerComparison& layer : layers) CHECK(layer.distance.sqnr_db > 20.0);
}

TEST_CASE("the plan that is handed back is for the prepared graph") {
  const Graph model = graph_of(kNet);
  Quantized result = quantize(model, MemorySource(model, 4), {});
  const auto inputs = random_inputs(model, 3);
  CHECK(relative_difference(run_graph(model, inputs), run_graph(result.prepared, inputs)) < 1e-5);
  const QuantizedWeights weights = round_weights(result.prepared, result.plan, result.activations);
  insert_qdq(result.prepared, result.plan, result.activations, weights);
  result.prepared.check();
}

TEST_CASE("older opsets are raised, and that is said") {
  const Graph model = graph_of(
      "input x: f32[1,1,4,4] const w: f32[2,1,1,1] = random(1) c = Conv(x, w) "
      "r = Clip(c) {min=0.0, max=6.0} y = Conv(r, v) const v: f32[1,2,1,1] = random(2) output y",
      9);
  const Quantized result = quantize(model, MemorySource(model, 4), {});
  CHECK(result.graph.opset() == 13);
  REQUIRE(result.notes.size() == 2);
  CHECK_THAT(result.notes[0], Catch::Contains("from 9 to 10, which QuantizeLinear needs"));
  CHECK_THAT(result.notes[1], Catch::Contains("from 10 to 13, which scales per channel need"));
}

TEST_CASE("nasty models never give a scale that is zero, infinite or no number") {
  const std::vector<std::string> bodies = {
      "input x: f32[1,2,2,2] const w: f32[3,2,1,1] = fill(0) y = Conv(x, w) output y",
      "input x: f32[1,2,2,2] const w: f32[2,2,1,1] = {0,0,1,2} const b: f32[2] = {0,5} c = Conv(x, w, b) r = Relu(c) "
      "y = Conv(r, w) output y",
      "input x: f32[1,2,2,2] const w: f32[2,2,1,1] = fill(1e-30) const b: f32[2] = {100000000,-1} y = Conv(x, w, b) "
      "output y",
      "input x: f32[1,2,2,2] const w: f32[2,2,1,1] = fill(1e-42) y = Conv(x, w) output y",
      "input x: f32[1,2,2,2] const w: f32[2,2,1,1] = fill(3e38) const b: f32[2] = fill(3e38) c = Conv(x, w, b) "
      "y = Conv(c, w, b) output y",
      "input x: f32[1,2,2,2] const w: f32[2,2,1,1] = {3e38,1e-38,-3e38,1} c = Conv(x, w) r = Relu(c) y = Conv(r, w) "
      "output y",
      "input x: f32[1,2] const w: f32[2,3] = fill(0) const b: f32[3] = {1e30,-1e30,0} y = Gemm(x, w, b) output y",
      "input x: f32[1,2,2,2] const w: f32[2,2,1,1] = random(1) const s: f32[2] = fill(0) const v: f32[2] = fill(0) "
      "c = Conv(x, w) n = BatchNormalization(c, s, s, s, v) {epsilon=0.0} y = Conv(n, w) output y",
      "input x: f32[1,2,2,2] const w: f32[2,2,1,1] = random(1) e = Exp(x) f = Exp(e) h = Exp(f) y = Conv(h, w) output "
      "y",
      "input x: f32[1,2,2,2] const w: f32[2,2,1,1] = random(1) l = Log(x) y = Conv(l, w) output y",
  };
  int quantized = 0;
  for (const std::string& body : bodies) {
    INFO(body);
    const Graph model = graph_of(body);
    for (const std::vector<float>& fills : {std::vector<float>{0}, {1, 2}, {-3}, {1e38F}, {-1e-40F}}) {
      const MemorySource data(constant_samples(model, fills));
      Quantized result;
      try {
        result = quantize(model, data, {});
      } catch (const Error& error) {  // the float model overflows, which is said
        CHECK(error.code() == ErrorCode::bad_data);
        CHECK_THAT(error.what(), Catch::Contains("reaches infinity"));
        continue;
      }
      ++quantized;
      result.graph.check();
      check_scales(result.graph);
      CHECK(run_graph(result.graph, data.load(0)).size() == 1);
    }
  }
  CHECK(quantized > 25);
}

TEST_CASE("zeros stay zeros") {
  const Graph model = graph_of(
      "input x: f32[1,2,2,2] const w: f32[3,2,1,1] = random(1) c = Conv(x, w) r = Relu(c) "
      "const v: f32[2,3,1,1] = random(2) y = Conv(r, v) output y");
  const MemorySource data(constant_samples(model, {0, 0}));
  const Tensor y = run_graph(quantize(model, data, {}).graph, data.load(0))[0];
  for (const float value : y.data<float>()) CHECK(value == 0.0F);
}

TEST_CASE("what cannot be quantized is refused with the reason") {
  const auto error = [](const std::string& body) {
    const Graph model = graph_of(body);
    return error_of([&] { quantize(model, MemorySource(model, 2), {}); });
  };
  CHECK(error("input x: f32[1,2] y = Relu(x) output y") == ErrorCode::unsupported);
  CHECK(error("input x: f32[1,2] const s: f32[] = {1} const z: u8[] = {0} q = QuantizeLinear(x, s, z) "
              "y = DequantizeLinear(q, s, z) output y") == ErrorCode::unsupported);
  CHECK(error("input x: f32[1,1,2,2] const w: f32[1,1,1,1] = {1} c = Conv(x, w) y = my.domain::Op(c) output y") ==
        ErrorCode::unsupported);
  Recipe recipe;
  recipe.backend = "abacus";
  const Graph model = graph_of(kNet);
  CHECK(error_of([&] { quantize(model, MemorySource(model, 2), recipe); }) == ErrorCode::invalid_argument);
}

TEST_CASE("what the writer will refuse is refused before anything is measured") {
  const Graph model = parse_graph(R"(graph opset 13 {
    input x: f32[1,3,8,8] const w: f32[4,3,3,3] = random(1) const l: f32[] = {-1} const h: f32[] = {3}
    c = Conv(x, w) k = Clip(c, l, h) p = AveragePool "pool" (k) {kernel_shape=[2,2]} output p })");
  Recipe recipe;
  recipe.to = "tnn";
  int reports = 0;
  const Progress count = [&](const ProgressEvent&) {
    ++reports;
    return true;
  };
  const auto refusal = [&](const auto& work) {
    const std::string message = message_of(work);
    CHECK_THAT(message, Catch::Contains("cannot be written as tnn"));
    CHECK_THAT(message, Catch::Contains("pool"));
  };
  refusal([&] { check_recipe(recipe, model); });
  refusal([&] { quantize(model, MemorySource(model, 2), recipe, count); });
  CHECK(reports == 0);
  recipe.to = "onnx";
  CHECK_NOTHROW(check_recipe(recipe, model));
}

TEST_CASE("what the executor does not run is said before any sample is read, and needs no running in other modes") {
  const Graph model =
      graph_of("input x: f32[1,3] const w: f32[3,2] = random(1) m = MatMul(x, w) y = Erfinv \"e\" (m) output y");
  Recipe recipe;
  recipe.output = "m.onnx";
  const std::string message = message_of([&] { check_recipe(recipe, model); });
  CHECK_THAT(message, Catch::Contains("Erfinv 'e'"));
  CHECK_THAT(message, Catch::Contains("take weights_only or dynamic"));
  recipe.mode = QuantizeMode::weights_only;
  CHECK_NOTHROW(check_recipe(recipe, model));
}

TEST_CASE("weights of any type and width go through the whole job") {
  const Graph model = graph_of(kNet);
  const MemorySource data(model, 3);
  for (const QType type : {QType::qint8, QType::quint8}) {
    for (const int bits : {2, 4, 8, 16}) {
      CAPTURE(type == QType::qint8, bits);
      Recipe recipe;
      recipe.qconfig.weight.scheme = QScheme{.qtype = type, .bits = bits, .symmetric = type == QType::qint8};
      if (type == QType::quint8) recipe.qconfig.weight.granularity = Granularity::per_tensor;  // zero points beside 0
      CHECK(quantize(model, data, recipe).plan.weights.front().scheme.bits == bits);
    }
  }
}

TEST_CASE("progress goes through all stages and can cancel in each") {
  const Graph model = graph_of(kNet);
  const MemorySource data(model, 3);
  std::vector<std::string> stages;
  quantize(model, data, {}, [&](const ProgressEvent& event) {
    if (stages.empty() || stages.back() != event.stage) stages.emplace_back(event.stage);
    return true;
  });
  CHECK(stages == std::vector<std::string>{"measure channels", "calibrate"});
  for (const std::string& stage : stages) {
    CHECK(error_of([&] { quantize(model, data, {}, [&](const ProgressEvent& e) { return e.stage != stage; }); }) ==
          ErrorCode::cancelled);
  }
}

TEST_CASE("an input's own settings are completed with those for all inputs") {
  const auto folder = std::filesystem::temp_directory_path() / "octavo_recipe_test";
  std::filesystem::create_directories(folder);
  write_npy(uniform_tensor({1, 3, 4, 4}, 1), folder / "a.npy");
  const Graph graph =
      parse_graph("graph opset 13 { input x: f32[1,3,4,4] input z: f32[1,3,4,4] y = Add(x, z) output y }");
  Recipe recipe;
  set_option(recipe, "images", "x=" + folder.string());
  CHECK_THROWS_WITH(open_recipe_data(graph, recipe), Catch::Contains("input 'z'") && Catch::Contains("z=PATH"));
  set_option(recipe, "images", folder.string());
  set_option(recipe, "mean", "z=1,2,3");
  CHECK(open_recipe_data(graph, recipe)->load(0).size() == 2);
  std::filesystem::remove_all(folder);
}
