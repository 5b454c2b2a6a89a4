#include "octavo/calibrate.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "octavo/backends.h"
#include "octavo/core/qparams.h"
#include "octavo/core/quantize.h"
#include "support/graphs.h"

using namespace octavo;
using namespace octavo::test;

namespace {

struct Net {
  Graph graph;
  Plan plan;
  explicit Net(const std::string& body) : graph(parse_graph("graph opset 13 {" + body + "}")) {
    infer_shapes(graph);
    plan = make_plan(graph, backend_named("onnxruntime"));
  }
};

const std::string kNet = R"(
  input x: f32[1,3,9,8]
  const w1: f32[6,3,3,3] = random(1) const b1: f32[6] = random(2)
  const w2: f32[6,1,3,3] = random(3)
  const w3: f32[4,3,2,2] = random(4) const b3: f32[4] = random(5)
  const w4: f32[4,5] = random(6)
  c1 = Conv(x, w1, b1) {pads=[1,1,1,1], strides=[2,1]}
  r1 = Relu(c1)
  c2 = Conv(r1, w2) {group=6, pads=[2,2,2,2], dilations=[2,2]}
  c3 = Conv(c2, w3, b3) {group=2}
  g = GlobalAveragePool(c3)
  f = Flatten(g)
  y = Gemm(f, w4)
  output y)";

CalibrateOptions with_threads(int threads, bool skip_bad_files = false) {
  CalibrateOptions options;
  options.threads = threads;
  options.skip_bad_files = skip_bad_files;
  return options;
}

QParamsByName parameters(const Net& net, const DataSource& data) {
  return compute_parameters(net.graph, net.plan, calibrate(net.graph, net.plan, data, with_threads(1)), 2);
}

}  // namespace

TEST_CASE("calibration does not depend on threads") {
  const Net net(kNet);
  const MemorySource data(net.graph, 23);
  const Calibration one = calibrate(net.graph, net.plan, data, with_threads(1));
  CHECK(one.samples == 23);
  CHECK(compute_parameters(net.graph, net.plan, one).size() == net.plan.activations.size());
  const ChannelMaxima maxima = survey_channels(net.graph, net.plan, data, with_threads(1));
  for (const int threads : {2, 7, 40}) {
    CHECK(calibration_bytes(calibrate(net.graph, net.plan, data, with_threads(threads))) == calibration_bytes(one));
    CHECK(compute_parameters(net.graph, net.plan, one, threads) == compute_parameters(net.graph, net.plan, one, 1));
    CHECK(survey_channels(net.graph, net.plan, data, with_threads(threads)) == maxima);
  }
}

TEST_CASE("calibration gives the ranges that the activations have") {
  const Net net("input x: f32[1,2,1,1] const w: f32[2,2,1,1] = {1,0,0,-1} y = Conv(x, w) output y");
  const MemorySource data({{Tensor::from<float>({1, 2, 1, 1}, {1, 2})}, {Tensor::from<float>({1, 2, 1, 1}, {-4, 3})}});
  const QParamsByName activations = parameters(net, data);
  CHECK(activations.at("x") == qparams_from_range({-4, 3}, {}));
  CHECK(activations.at("y") == qparams_from_range({-4, 1}, {}));
  CHECK(survey_channels(net.graph, net.plan, data, with_threads(1)) == ChannelMaxima{{"x", {4, 3}}, {"y", {4, 3}}});
}

TEST_CASE("values of one group get the parameters of all of them together") {
  const Net net(R"(input a: f32[1,1,1,1] input b: f32[1,1,1,1] const w: f32[1,2,1,1] = {1,1}
    k = Concat(a, b) {axis=1} y = Conv(k, w) output y)");
  const MemorySource data({{Tensor::from<float>({1, 1, 1, 1}, {-7}), Tensor::from<float>({1, 1, 1, 1}, {2})}});
  const QParamsByName activations = parameters(net, data);
  CHECK(activations.at("a") == activations.at("b"));
  CHECK(activations.at("a") == activations.at("k"));
  CHECK(activations.at("a").scale[0] == Approx(9.0 / 255.0));
}

TEST_CASE("bad samples are left out and listed, or end the calibration") {
  const Net net("input x: f32[1,1,1,1] const w: f32[1,1,1,1] = {1} y = Conv(x, w) output y");
  std::vector<std::vector<Tensor>> samples(4, {Tensor::from<float>({1, 1, 1, 1}, {1})});
  samples[2] = {Tensor::from<float>({1, 1, 1, 2}, {1, 1})};  // of another shape than the model's input
  const MemorySource data(samples, {1});
  const Calibration calibration = calibrate(net.graph, net.plan, data, with_threads(2, true));
  CHECK(calibration.samples == 2);
  REQUIRE(calibration.bad_files.size() == 2);
  CHECK(calibration.bad_files[0] == "sample1: broken");
  CHECK_THAT(calibration.bad_files[1], Catch::StartsWith("sample2: "));
  CHECK(error_of([&] { calibrate(net.graph, net.plan, data, with_threads(2)); }) == ErrorCode::bad_data);
}

TEST_CASE("a value that is no float is an error") {
  Net net("input x: f32[1,1,1,1] const w: f32[1,1,1,1] = {1} y = Conv(x, w) s = Shape(x) output y output s");
  const MemorySource data(net.graph, 1);
  Plan plan = net.plan;
  plan.activations[0].value = net.graph.find_value("s").value();
  CHECK(error_of([&] { calibrate(net.graph, plan, data, {}); }) == ErrorCode::unsupported);
}

TEST_CASE("weights are rounded by their largest values, channel by channel") {
  const Net net("input x: f32[1,2,1,1] const w: f32[2,2,1,1] = {127,-63.4,0,0} y = Conv(x, w) output y");
  const auto weights = round_weights(net.graph, net.plan, {{"x", qparams_from_range({0, 255}, {})}});
  const QuantizedTensor& rounded = weights.at(net.plan.weights[0].node);
  CHECK(rounded.params.scale == std::vector<float>{1, 0x1p-23F});
  const auto integers = rounded.integers.data<std::int8_t>();
  CHECK(std::vector<std::int8_t>(integers.begin(), integers.end()) == std::vector<std::int8_t>{127, -63, 0, 0});
}

TEST_CASE("a weight's scale grows until int32 holds the bias") {
  const Net net(
      "input x: f32[1,1,1,1] const w: f32[1,1,1,1] = {0.00001} const b: f32[1] = {1000000} "
      "y = Conv(x, w, b) output y");
  const auto weights = round_weights(net.graph, net.plan, {{"x", qparams_from_range({0, 0.001F}, {})}});
  const double unit = double{weights.begin()->second.params.scale[0]} * (0.001 / 255);
  CHECK(1e6 / unit < 1073741825.0);
  CHECK(1e6 / unit > 1073741825.0 * 0.99);
  CHECK(error_of([&] { round_weights(net.graph, net.plan, {}); }) == ErrorCode::internal);
}

TEST_CASE("correcting biases takes the mean error of rounded weights out") {
  Net net(kNet);
  // Four bits, so that there is something to correct.
  for (WeightPlan& weight : net.plan.weights) weight.scheme.bits = 4;
  const MemorySource data(net.graph, 8);
  const Calibration calibration = calibrate(net.graph, net.plan, data, with_threads(2));
  const QuantizedWeights weights =
      round_weights(net.graph, net.plan, compute_parameters(net.graph, net.plan, calibration));
  Graph corrected = net.graph;
  Plan plan = net.plan;
  correct_biases(corrected, plan, weights, calibration.inputs);
  corrected.check();
  CHECK(plan.biases.size() == plan.weights.size());

  const auto with_rounded = [&](Graph graph, NodeId id) {
    const QuantizedTensor& rounded = weights.at(id);
    const ValueId weight = graph.add_constant("rounded", dequantize(rounded.integers, rounded.params));
    graph.set_input(id, 1, weight);
    graph.set_outputs({graph.node(id).output(0)});
    return graph;
  };
  const auto channel_means = [&](const Graph& graph, std::size_t channels) {
    std::vector<double> means(channels);
    for (std::size_t s = 0; s < data.size(); ++s) {
      const Tensor y = run_graph(graph, data.load(s))[0];
      const auto values = y.data<float>();
      const std::size_t inner = values.size() / channels;
      for (std::size_t i = 0; i < values.size(); ++i) {
        means[i / inner] += values[i] / static_cast<double>(inner * data.size());
      }
    }
    return means;
  };
  for (const WeightPlan& weight : net.plan.weights) {
    const NodeId id = weight.node;
    const std::size_t channels = corrected.constant(corrected.node(id).input(2))->data<float>().size();
    Graph exact = net.graph;
    exact.set_outputs({exact.node(id).output(0)});
    const auto expected = channel_means(exact, channels);
    const auto before = channel_means(with_rounded(net.graph, id), channels);
    // Only the bias of this operator may differ: those before it feed it other means.
    Graph alone = net.graph;
    const ValueId bias = alone.add_constant("corrected", *corrected.constant(corrected.node(id).input(2)));
    alone.set_inputs_of(id, {alone.node(id).input(0), alone.node(id).input(1), bias});
    const auto after = channel_means(with_rounded(alone, id), channels);
    double worst = 0.0;
    for (std::size_t c = 0; c < channels; ++c) {
      worst = std::max(worst, std::abs(before[c] - expected[c]));
      CHECK(after[c] == Approx(expected[c]).margin(2e-6));
    }
    CHECK(worst > 1e-4);
  }
  for (const int threads : {1, 7}) {
    Graph again = net.graph;
    Plan plan_again = net.plan;
    correct_biases(again, plan_again, weights, calibrate(net.graph, net.plan, data, with_threads(threads)).inputs);
    CHECK(to_text(again) == to_text(corrected));
  }
}

TEST_CASE("samples on which the float model overflows are refused, naming the value") {
  const Net net(
      "input x: f32[1,1,2,2] const w: f32[1,1,1,1] = {1000} const v: f32[1,1,1,1] = {0.7} c = Conv(x, w) "
      "y = Conv(c, v) output y");
  const MemorySource data({{Tensor::from<float>({1, 1, 2, 2}, {1e38F, 1, 2, 3})}});
  CHECK(error_of([&] { parameters(net, data); }) == ErrorCode::bad_data);
}
