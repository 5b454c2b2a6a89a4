#include "tap_sums.h"

#include <catch2/catch.hpp>

#include "support/graphs.h"

using namespace octavo;
using namespace octavo::test;

namespace {

struct ConvCase {
  Shape input;
  Shape weight;
  std::int64_t group;
  std::vector<std::int64_t> strides, pads, dilations;
};

Node conv_node(const ConvCase& test) {
  Node node;
  node.op_type = "Conv";
  node.attributes["group"] = test.group;
  node.attributes["strides"] = test.strides;
  node.attributes["pads"] = test.pads;
  node.attributes["dilations"] = test.dilations;
  return node;
}

/// By the definition of convolution: every output place, every tap, one read of the padded input.
std::vector<double> brute_force(const ConvCase& test, const Tensor& x, double& places) {
  const std::int64_t height = x.dim(2);
  const std::int64_t width = x.dim(3);
  const std::int64_t kh = test.weight[2];
  const std::int64_t kw = test.weight[3];
  const auto size = [&](std::size_t d, std::int64_t in, std::int64_t kernel) {
    return (in + test.pads[d] + test.pads[d + 2] - test.dilations[d] * (kernel - 1) - 1) / test.strides[d] + 1;
  };
  std::vector<double> sums(static_cast<std::size_t>(x.dim(1) * kh * kw));
  places = 0.0;
  for (std::int64_t n = 0; n < x.dim(0); ++n) {
    for (std::int64_t oy = 0; oy < size(0, height, kh); ++oy) {
      for (std::int64_t ox = 0; ox < size(1, width, kw); ++ox) {
        places += 1.0;
        for (std::int64_t tap = 0; tap < x.dim(1) * kh * kw; ++tap) {
          const std::int64_t c = tap / (kh * kw);
          const std::int64_t y = oy * test.strides[0] - test.pads[0] + tap / kw % kh * test.dilations[0];
          const std::int64_t column = ox * test.strides[1] - test.pads[1] + tap % kw * test.dilations[1];
          if (y < 0 || y >= height || column < 0 || column >= width) continue;
          const std::int64_t at = ((n * x.dim(1) + c) * height + y) * width + column;
          sums[static_cast<std::size_t>(tap)] += x.data<float>()[static_cast<std::size_t>(at)];
        }
      }
    }
  }
  return sums;
}

}  // namespace

TEST_CASE("tap sums of convolutions are those of reading every place") {
  const std::vector<ConvCase> cases = {
      {{1, 1, 4, 4}, {1, 1, 1, 1}, 1, {1, 1}, {0, 0, 0, 0}, {1, 1}},
      {{2, 3, 7, 5}, {4, 3, 3, 3}, 1, {1, 1}, {1, 1, 1, 1}, {1, 1}},
      {{1, 3, 8, 8}, {4, 3, 3, 3}, 1, {2, 2}, {0, 0, 1, 1}, {1, 1}},
      {{1, 4, 9, 8}, {4, 1, 3, 2}, 4, {2, 1}, {1, 0, 0, 1}, {2, 3}},
      {{2, 4, 6, 6}, {6, 2, 5, 5}, 2, {3, 2}, {4, 4, 4, 4}, {1, 1}},
      {{1, 2, 3, 3}, {2, 2, 3, 3}, 1, {1, 1}, {2, 2, 2, 2}, {2, 2}},
  };
  for (const ConvCase& test : cases) {
    const Tensor x = uniform_tensor(test.input, 1);
    const calibration::TapSums sums = calibration::tap_sums(conv_node(test), test.weight, x);
    double places = 0.0;
    const auto expected = brute_force(test, x, places);
    CHECK(sums.count == places);
    REQUIRE(sums.sums.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(sums.sums[i] == Approx(expected[i]).margin(1e-9));
  }
}

TEST_CASE("tap sums in one dimension are those of one row") {
  const Tensor x = uniform_tensor({2, 3, 9}, 2);
  ConvCase flat{{2, 3, 1, 9}, {2, 3, 1, 4}, 1, {1, 2}, {0, 1, 0, 2}, {1, 2}};
  Node node = conv_node(flat);
  node.attributes["strides"] = std::vector<std::int64_t>{2};
  node.attributes["pads"] = std::vector<std::int64_t>{1, 2};
  node.attributes["dilations"] = std::vector<std::int64_t>{2};
  double places = 0.0;
  const auto expected = brute_force(flat, x.reshaped(flat.input), places);
  const auto sums = calibration::tap_sums(node, Shape{2, 3, 4}, x);
  CHECK(sums.count == places);
  REQUIRE(sums.sums.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(sums.sums[i] == Approx(expected[i]).margin(1e-9));
}

TEST_CASE("tap sums of Gemm are those of its columns") {
  Node gemm;
  gemm.op_type = "Gemm";
  const auto sums = calibration::tap_sums(gemm, Shape{3, 5}, Tensor::from<float>({2, 3}, {1, 2, 3, 10, 20, 30}));
  CHECK(sums.count == 2.0);
  CHECK(sums.sums == std::vector<double>{11, 22, 33});
}

TEST_CASE("convolutions of three dimensions are taken without borders") {
  Node conv;
  conv.op_type = "Conv";
  const auto sums =
      calibration::tap_sums(conv, Shape{1, 2, 1, 1, 2}, Tensor::from<float>({1, 2, 1, 1, 2}, {1, 2, 3, 5}));
  CHECK(sums.count == 2.0);
  CHECK(sums.sums == std::vector<double>{3, 3, 8, 8});
}
