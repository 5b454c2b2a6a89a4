#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "input_rows.h"
#include "octavo/backends.h"
#include "octavo/calibrate.h"
#include "octavo/core/quantize.h"
#include "octavo/core/rounding.h"
#include "support/graphs.h"

using namespace octavo;
using namespace octavo::test;

namespace {

const std::vector<std::string> kNets = {
    "input x: f32[1,8,9,8] const w: f32[6,8,3,3] = random(1) y = Conv(x, w) {pads=[1,1,1,1], strides=[2,1]} output y",
    "input x: f32[1,8,9,8] const w: f32[6,4,3,3] = random(1) y = Conv(x, w) {group=2, dilations=[2,1]} output y",
    "input x: f32[1,4,9] const w: f32[5,4,3] = random(1) y = Conv(x, w) output y",
    "input x: f32[1,12] const w: f32[12,19] = random(1) y = Gemm(x, w) output y",
    "input x: f32[1,12] const w: f32[7,12] = random(1) y = Gemm(x, w) {transB=1} output y",
    "input x: f32[1,5,11] const w: f32[11,7] = random(1) y = MatMul(x, w) output y",
};

struct Case {
  Graph graph;
  Plan plan;
  QParamsByName activations;

  explicit Case(const std::string& body, int bits) : graph(parse_graph("graph opset 13 {" + body + "}")) {
    infer_shapes(graph);
    plan = make_plan(graph, backend_named("onnxruntime"));
    for (WeightPlan& weight : plan.weights) weight.scheme.bits = bits;
    activations["x"] = activations["y"] = qparams_from_range({-2, 2}, {});
  }
};

/// Inputs whose elements go together, as those of real layers do.
MemorySource correlated(const Graph& graph, std::uint32_t count) {
  std::vector<std::vector<Tensor>> samples;
  for (std::uint32_t seed = 0; seed < count; ++seed) {
    Tensor x = random_inputs(graph, 100 * seed)[0];
    const Tensor common = uniform_tensor({1}, seed);
    for (float& value : x.mutable_data<float>()) value = 0.3F * value + common.data<float>()[0] + 0.5F;
    samples.push_back({x});
  }
  return MemorySource(std::move(samples));
}

void compensate(const Case& test, QuantizedWeights& weights, const MemorySource& data, int threads) {
  CalibrateOptions options;
  options.threads = threads;
  const Calibration calibration = calibrate(test.graph, test.plan, data, options);
  compensate_rounding(test.graph, test.plan, calibration.inputs, threads, weights);
}

/// Σ of squared differences that rounded weights make at the output.
double output_error(const Case& test, const QuantizedWeights& weights, const MemorySource& data) {
  Graph rounded = test.graph;
  const NodeId id = test.plan.weights[0].node;
  const QuantizedTensor& weight = weights.at(id);
  rounded.set_input(id, 1, rounded.add_constant("rounded", dequantize(weight.integers, weight.params)));
  double error = 0.0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const Tensor a = run_graph(test.graph, data.load(i))[0];
    const Tensor b = run_graph(rounded, data.load(i))[0];
    for (std::size_t k = 0; k < a.data<float>().size(); ++k)
      error += std::pow(a.data<float>()[k] - b.data<float>()[k], 2);
  }
  return error;
}

using Square = std::vector<std::vector<double>>;

/// E[x·xᵀ] of a group, damped, in double.
Square mean_products(const Case& test, const MemorySource& data, std::size_t group) {
  const Node& node = test.graph.node(test.plan.weights[0].node);
  const Shape& shape = test.graph.constant(node.input(1))->shape();
  const auto layout = calibration::weight_layout(node, shape);
  const std::size_t width = layout.groups * layout.inputs;
  Square sums(layout.inputs, std::vector<double>(layout.inputs));
  double count = 0.0;
  for (std::size_t s = 0; s < data.size(); ++s) {
    const auto rows = calibration::input_rows(node, shape, data.load(s)[0], 1U << 20, 0);
    for (std::size_t row = 0; row < rows.size() / width; ++row, count += 1.0) {
      const float* x = rows.data() + row * width + group * layout.inputs;
      for (std::size_t i = 0; i < layout.inputs; ++i) {
        for (std::size_t j = 0; j < layout.inputs; ++j) sums[i][j] += double{x[i]} * double{x[j]};
      }
    }
  }
  double trace = 0.0;
  for (std::size_t i = 0; i < layout.inputs; ++i) trace += sums[i][i];
  for (std::size_t i = 0; i < layout.inputs; ++i) sums[i][i] += 0.02 * trace / static_cast<double>(layout.inputs);
  return sums;
}

/// The solution of a·x = b, by elimination.
std::vector<double> solved(Square a, std::vector<double> b) {
  for (std::size_t i = 0; i < b.size(); ++i) {
    for (std::size_t j = i + 1; j < b.size(); ++j) {
      const double share = a[j][i] / a[i][i];
      for (std::size_t k = i; k < b.size(); ++k) a[j][k] -= share * a[i][k];
      b[j] -= share * b[i];
    }
  }
  for (std::size_t i = b.size(); i-- > 0;) {
    for (std::size_t k = i + 1; k < b.size(); ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  return b;
}

/// As the paper has it: after each rounding, the weights not rounded yet become those that make the least of it.
std::vector<std::int32_t> rounded_by_definition(std::vector<double> weights, const Square& products,
                                                const AffineMap& map) {
  std::vector<std::size_t> left(weights.size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  std::stable_sort(left.begin(), left.end(),
                   [&](std::size_t a, std::size_t b) { return products[a][a] > products[b][b]; });
  std::vector<std::int32_t> integers(weights.size());
  while (!left.empty()) {
    const std::size_t i = left.front();
    left.erase(left.begin());
    integers[i] = quantize_value(static_cast<float>(weights[i]), map);
    const double error = weights[i] - dequantize_value(integers[i], map);
    Square among;
    std::vector<double> with;
    for (const std::size_t j : left) {
      std::vector<double>& row = among.emplace_back();
      for (const std::size_t k : left) row.push_back(products[j][k]);
      with.push_back(products[j][i] * error);
    }
    const auto moves = solved(std::move(among), std::move(with));
    for (std::size_t j = 0; j < left.size(); ++j) weights[left[j]] += moves[j];
  }
  return integers;
}

}  // namespace

TEST_CASE("compensated rounding is what its paper defines") {
  // In float and in double, a weight that comes to lie halfway between integers may part the ways of one output.
  int outputs = 0;
  int other = 0;
  for (const std::string& body : kNets) {
    const Case test(body, 4);
    const MemorySource data = correlated(test.graph, 24);
    QuantizedWeights weights = round_weights(test.graph, test.plan, test.activations);
    compensate(test, weights, data, 2);
    const QuantizedTensor& rounded = weights.begin()->second;
    const auto integers = rounded.integers.data<std::int8_t>();
    const Node& node = test.graph.node(test.plan.weights[0].node);
    const auto exact = test.graph.constant(node.input(1))->data<float>();
    const auto layout = calibration::weight_layout(node, test.graph.constant(node.input(1))->shape());
    for (std::size_t group = 0; group < layout.groups; ++group) {
      const Square products = mean_products(test, data, group);
      for (std::size_t output = 0; output < layout.outputs; ++output) {
        std::vector<double> row;
        for (std::size_t i = 0; i < layout.inputs; ++i) row.push_back(exact[layout.index(group, output, i)]);
        const AffineMap map = affine_map(rounded.params, group * layout.outputs + output);
        const auto expected = rounded_by_definition(row, products, map);
        std::vector<std::int32_t> found;
        for (std::size_t i = 0; i < layout.inputs; ++i) found.push_back(integers[layout.index(group, output, i)]);
        ++outputs;
        if (found != expected) ++other;
      }
    }
  }
  CHECK(outputs == 50);
  CHECK(other <= 1);
}

TEST_CASE("compensated rounding makes smaller errors at the output than rounding to nearest") {
  for (const std::string& body : kNets) {
    for (const int bits : {8, 4}) {
      INFO(body << ", bits " << bits);
      const Case test(body, bits);
      const MemorySource data = correlated(test.graph, 24);
      const QuantizedWeights nearest = round_weights(test.graph, test.plan, test.activations);
      QuantizedWeights compensated = nearest;
      compensate(test, compensated, data, 2);
      CHECK(output_error(test, compensated, data) < 0.5 * output_error(test, nearest, data));
      const QuantizedTensor& weight = compensated.begin()->second;
      CHECK(weight.params == nearest.begin()->second.params);
      for (const std::int8_t integer : weight.integers.data<std::int8_t>()) {
        REQUIRE(integer >= weight.params.quant_min);
        REQUIRE(integer <= weight.params.quant_max);
      }
    }
  }
}

TEST_CASE("compensated rounding does not depend on threads") {
  const Case test(kNets[0], 8);
  const MemorySource data = correlated(test.graph, 40);
  std::vector<std::vector<std::int8_t>> results;
  for (const int threads : {1, 2, 7}) {
    QuantizedWeights weights = round_weights(test.graph, test.plan, test.activations);
    compensate(test, weights, data, threads);
    const auto integers = weights.begin()->second.integers.data<std::int8_t>();
    results.emplace_back(integers.begin(), integers.end());
  }
  CHECK(results[0] == results[1]);
  CHECK(results[0] == results[2]);
}

TEST_CASE("inputs that say nothing leave the nearest integers, and so do those whose squares overflow") {
  for (const float value : {0.0F, 1e30F}) {
    const Case test(kNets[0], 8);
    Tensor x(DType::f32, {1, 8, 9, 8});
    for (float& element : x.mutable_data<float>()) element = value;
    const QuantizedWeights nearest = round_weights(test.graph, test.plan, test.activations);
    QuantizedWeights weights = nearest;
    compensate(test, weights, MemorySource({{x}}), 1);
    const auto a = nearest.begin()->second.integers.data<std::int8_t>();
    const auto b = weights.begin()->second.integers.data<std::int8_t>();
    CHECK(std::equal(a.begin(), a.end(), b.begin()));
  }
}

TEST_CASE("rows times weights are the operator's outputs") {
  for (const std::string& body : kNets) {
    INFO(body);
    const Case test(body, 8);
    const Node& node = test.graph.node(test.plan.weights[0].node);
    const Tensor& weight = *test.graph.constant(node.input(1));
    const Tensor x = random_inputs(test.graph, 3)[0];
    const auto layout = calibration::weight_layout(node, weight.shape());
    const std::size_t width = layout.groups * layout.inputs;
    const auto rows = calibration::input_rows(node, weight.shape(), x, 1U << 20, 0);
    const Tensor y = run_graph(test.graph, {x})[0];
    const std::size_t channels = layout.groups * layout.outputs;
    const std::size_t places = rows.size() / width;
    REQUIRE(places * channels == y.data<float>().size());
    for (std::size_t p = 0; p < places; ++p) {
      for (std::size_t c = 0; c < channels; ++c) {
        const std::size_t group = c / layout.outputs;
        double sum = 0.0;
        for (std::size_t k = 0; k < layout.inputs; ++k) {
          sum += double{rows[p * width + group * layout.inputs + k]} *
                 weight.data<float>()[layout.index(group, c % layout.outputs, k)];
        }
        const std::size_t at = node.op_type == "Conv" ? c * places + p : p * channels + c;
        REQUIRE(y.data<float>()[at] == Approx(sum).margin(1e-5));
      }
    }
  }
}
