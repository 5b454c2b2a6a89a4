#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "execute/support.h"

using namespace octavo;
using octavo::test::random_tensor;

namespace {

struct Case {
  const char* name;
  Shape x, w;
  std::int64_t groups = 1;
  std::vector<std::int64_t> strides, dilations, pads;
  bool bias = true;
};

const std::vector<Case> kCases = {
    {"pointwise", {2, 5, 7, 9}, {6, 5, 1, 1}, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {"3x3", {1, 3, 11, 13}, {8, 3, 3, 3}, 1, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {"wide", {2, 16, 14, 14}, {32, 16, 3, 3}, 1, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {"strided, no bias", {1, 4, 15, 16}, {5, 4, 3, 2}, 1, {2, 3}, {1, 1}, {0, 0, 0, 0}, false},
    {"asymmetric pads", {1, 3, 8, 8}, {4, 3, 3, 3}, 1, {2, 2}, {1, 1}, {0, 0, 1, 1}},
    {"dilated", {1, 2, 17, 19}, {3, 2, 3, 3}, 1, {1, 1}, {2, 4}, {2, 4, 2, 4}},
    {"groups", {2, 6, 9, 9}, {9, 2, 3, 3}, 3, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {"depthwise", {1, 7, 10, 11}, {7, 1, 3, 3}, 7, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {"depthwise, strided", {1, 32, 12, 12}, {32, 1, 5, 5}, 32, {2, 2}, {1, 1}, {1, 2, 2, 1}},
    {"depthwise, multiplied", {1, 3, 8, 8}, {6, 1, 3, 3}, 3, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {"as large as the input", {3, 4, 5, 6}, {2, 4, 5, 6}, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {"padding beyond the kernel", {1, 2, 4, 4}, {2, 2, 1, 1}, 1, {1, 1}, {1, 1}, {2, 2, 2, 2}},
    {"1-D", {2, 3, 20}, {4, 3, 5}, 1, {2}, {1}, {2, 1}},
    {"1-D, causal", {1, 4, 9}, {4, 1, 3}, 4, {1}, {2}, {4, 0}},
    {"3-D", {1, 2, 5, 6, 7}, {3, 2, 2, 3, 3}, 1, {1, 2, 1}, {1, 1, 2}, {0, 1, 2, 1, 0, 2}},
};

Shape output_shape(const Case& c) {
  Shape y{c.x[0], c.w[0]};
  const std::size_t rank = c.strides.size();
  for (std::size_t d = 0; d < rank; ++d) {
    const std::int64_t padded = c.x[d + 2] + c.pads[d] + c.pads[rank + d];
    y.push_back((padded - (c.w[d + 2] - 1) * c.dilations[d] - 1) / c.strides[d] + 1);
  }
  return y;
}

std::vector<std::int64_t> coordinates(std::int64_t index, const Shape& shape) {
  std::vector<std::int64_t> at(shape.size());
  for (std::size_t d = shape.size(); d-- > 0;) {
    at[d] = index % shape[d];
    index /= shape[d];
  }
  return at;
}

/// The definition: for every output element, every weight of its channel, in double.
std::vector<double> reference(const Case& c, const Tensor& x, const Tensor& w, const Tensor& b) {
  const Shape shape = output_shape(c);
  const std::size_t rank = c.strides.size();
  std::vector<double> result;
  const std::int64_t weights_per_channel = w.size() / c.w[0];
  for (std::int64_t i = 0; i < element_count(shape); ++i) {
    const auto y_at = coordinates(i, shape);
    const std::int64_t group = y_at[1] / (c.w[0] / c.groups);
    double sum = c.bias ? b.data<float>()[static_cast<std::size_t>(y_at[1])] : 0.0;
    for (std::int64_t k = 0; k < weights_per_channel; ++k) {
      const auto w_at = coordinates(y_at[1] * weights_per_channel + k, c.w);
      std::int64_t offset = y_at[0] * c.x[1] + group * c.w[1] + w_at[1];
      bool inside = true;
      for (std::size_t d = 0; d < rank; ++d) {
        const std::int64_t at = y_at[d + 2] * c.strides[d] + w_at[d + 2] * c.dilations[d] - c.pads[d];
        inside = inside && at >= 0 && at < c.x[d + 2];
        offset = offset * c.x[d + 2] + at;
      }
      if (!inside) continue;
      sum += static_cast<double>(x.data<float>()[static_cast<std::size_t>(offset)]) *
             w.data<float>()[static_cast<std::size_t>(y_at[1] * weights_per_channel + k)];
    }
    result.push_back(sum);
  }
  return result;
}

/// Weights as constants of the graph, or as inputs.
Graph conv_graph(const Case& c, const Tensor& w, const Tensor& b, bool constant, const std::string& activation) {
  Graph graph;
  graph.opsets[""] = 13;
  const ValueId x = graph.add_value("x", DType::f32);
  const ValueId weights = constant ? graph.add_constant("w", w) : graph.add_value("w", DType::f32);
  const ValueId bias = constant ? graph.add_constant("b", b) : graph.add_value("b", DType::f32);
  Node conv;
  conv.op_type = "Conv";
  conv.inputs = {x, weights};
  if (c.bias) conv.inputs.push_back(bias);
  const ValueId y = graph.add_value("y");
  conv.outputs = {activation.empty() ? y : graph.add_value("inner")};
  conv.attributes = {{"strides", c.strides}, {"dilations", c.dilations}, {"pads", c.pads}, {"group", c.groups}};
  const ValueId inner = conv.outputs[0];
  graph.add_node(conv);
  if (!activation.empty()) graph.add_node({"", activation, "", {inner}, {y}, {}, {}, ""});
  graph.set_inputs(constant ? std::vector{x} : std::vector{x, weights, bias});
  graph.set_outputs({y});
  return graph;
}

}  // namespace

TEST_CASE("convolution is what its definition says") {
  for (const Case& c : kCases) {
    INFO(c.name);
    const Tensor x = random_tensor(c.x, 1);
    const Tensor w = random_tensor(c.w, 2);
    const Tensor b = random_tensor({c.w[0]}, 3);
    const auto expected = reference(c, x, w, b);
    for (const bool constant : {true, false}) {
      const Executor executor(conv_graph(c, w, b, constant, ""));
      const std::vector<Tensor> inputs = constant ? std::vector{x} : std::vector{x, w, b};
      const Tensor y = Executor::Session(executor).run(inputs)[0];
      REQUIRE(y.shape() == output_shape(c));
      double worst = 0.0;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        worst = std::max(worst, std::abs(expected[i] - static_cast<double>(y.data<float>()[i])));
      }
      CHECK(worst < 2e-5);
    }
  }
}

TEST_CASE("convolution gives the same bits with any number of threads, and fused with its activation") {
  for (const Case& c : kCases) {
    INFO(c.name);
    const Tensor x = random_tensor(c.x, 4);
    const Tensor w = random_tensor(c.w, 5);
    const Tensor b = random_tensor({c.w[0]}, 6);
    const Graph graph = conv_graph(c, w, b, true, "Relu");
    const Executor fused(graph);
    const Executor apart(graph, {.watched = {*graph.find_value("inner")}});
    const Tensor expected = Executor::Session(apart).run(std::vector{x})[0];
    for (const int threads : {0, 1, 2, 7}) {
      ThreadPool pool(threads == 0 ? 1 : threads);
      const Tensor y = Executor::Session(fused, threads == 0 ? nullptr : &pool).run(std::vector{x})[0];
      REQUIRE(y.shape() == expected.shape());
      CHECK(std::memcmp(y.bytes(), expected.bytes(), y.byte_size()) == 0);
    }
  }
}

TEST_CASE("transposed convolution is the transpose of convolution") {
  // <conv(x), y> = <x, transposed(y)> for all x and y.
  for (const std::int64_t groups : {1, 2}) {
    const std::string attributes =
        "{strides=[2,1], dilations=[1,2], pads=[1,0,0,2], group=" + std::to_string(groups) + "}";
    const Tensor w = random_tensor({6, 4 / groups, 3, 2}, 1);
    const Tensor x = random_tensor({2, 4, 8, 8}, 2);
    const std::string inputs = " input x: f32 input w: f32 output z: f32 }";
    const Tensor y = test::run_text("graph opset 13 { z = Conv(x, w) " + attributes + inputs, std::vector{x, w})[0];
    const Tensor z = random_tensor(y.shape(), 3);
    const Tensor back =
        test::run_text("graph opset 13 { z = ConvTranspose(x, w) " + attributes + inputs, std::vector{z, w})[0];
    REQUIRE(back.shape() == x.shape());
    double left = 0.0;
    double right = 0.0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(y.size()); ++i)
      left += double{y.data<float>()[i]} * z.data<float>()[i];
    for (std::size_t i = 0; i < static_cast<std::size_t>(x.size()); ++i)
      right += double{x.data<float>()[i]} * back.data<float>()[i];
    CHECK(left == Approx(right).epsilon(1e-4));
  }
}

TEST_CASE("shapes that do not fit a convolution are errors that name the node") {
  const auto fails = [](const std::string& text, std::vector<Tensor> inputs, const std::string& part) {
    try {
      test::run_text(text, inputs);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::bad_model);
      CHECK_THAT(error.what(), Catch::Contains("c1") && Catch::Contains(part));
      return;
    }
    FAIL("no error: " + text);
  };
  const std::string head = "graph opset 13 { input x: f32 input w: f32 output y: f32 y = Conv \"c1\" (x, w) ";
  fails(head + "}", {random_tensor({1, 3, 4, 4}, 1), random_tensor({2, 4, 1, 1}, 1)}, "1x3x4x4");
  fails(head + "}", {random_tensor({1, 3, 4}, 1), random_tensor({2, 3, 1, 1}, 1)}, "1x3x4");
  fails(head + "{group=2}}", {random_tensor({1, 4, 4, 4}, 1), random_tensor({3, 2, 1, 1}, 1)}, "groups");
  fails(head + "{group=0}}", {random_tensor({1, 4, 4, 4}, 1), random_tensor({3, 2, 1, 1}, 1)}, "group");
  fails(head + "}", {random_tensor({1, 3, 2, 2}, 1), random_tensor({2, 3, 3, 3}, 1)}, "too small");
}
