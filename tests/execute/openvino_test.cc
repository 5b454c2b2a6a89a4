// The executor with OpenVINO's arithmetic, against the formulas of docs/numerics.md with the C library's fused
// multiply-add. tests/openvino holds the same against OpenVINO itself.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "execute/support.h"

using namespace octavo;
using octavo::test::values;

namespace {

struct Pair {
  float scale;
  float zero;

  float low() const { return (0.0F - zero) * scale; }
  float high() const { return (255.0F - zero) * scale; }
  float factor() const { return 255.0F / (high() - low()); }
  float shift() const { return -low() * 255.0F / (high() - low()); }
  std::string text(const std::string& name) const {
    return fmt::format("const {}s: f32[] = {{{:.9g}}} const {}z: u8[] = {{{}}} ", name, scale, name, zero);
  }
};

std::uint8_t saturated(float x) { return static_cast<std::uint8_t>(std::clamp(std::nearbyint(x), 0.0F, 255.0F)); }

/// What ends a convolution's kernel, for steps of `unit`.
std::uint8_t ended(float x, const Pair& y, float unit = 1.0F) {
  const float low = y.low() / unit;
  const float range = y.high() / unit - low;
  const float factor = 255.0F / range;
  if (y.zero == 0.0F) return saturated(x * (1.0F / (1.0F / factor)));
  return saturated(std::fmaf(x, factor, -low * 255.0F / range));
}

std::vector<Tensor> run(const std::string& text, const std::vector<Tensor>& inputs, const Arithmetic& arithmetic) {
  const Graph graph = parse_graph(text);
  const Executor executor(graph, {.watched = {}, .arithmetic = arithmetic});
  return Executor::Session(executor).run(inputs);
}

Tensor ramp(Shape shape, float from, float step) {
  Tensor tensor(DType::f32, std::move(shape));
  float x = from;
  for (float& element : tensor.mutable_data<float>()) {
    element = x;
    x += step;
  }
  return tensor;
}

Tensor integers(Shape shape) {
  Tensor tensor(DType::u8, std::move(shape));
  std::uint32_t state = 1;
  for (std::uint8_t& element : tensor.mutable_data<std::uint8_t>()) {
    state = state * 1664525U + 1013904223U;
    element = static_cast<std::uint8_t>(state >> 24U);
  }
  return tensor;
}

constexpr const char* kConv =
    "const w: i8[2,3,1,1] = {17, -90, 127, 5, 44, -3} const ws: f32[2] = {0.00371, 0.0119} const wz: i8[2] = fill(0) "
    "const b: f32[2] = {0.113, -1.7} wf = DequantizeLinear(w, ws, wz) {axis=0} xf = DequantizeLinear(x, xs, xz) "
    "c = Conv(xf, wf, b) ";

/// Reals of kConv.
std::vector<float> convolved(const Tensor& x, const Pair& map) {
  const std::vector<int> w{17, -90, 127, 5, 44, -3};
  const std::vector<float> scale{0.00371F, 0.0119F};
  const std::vector<float> bias{0.113F, -1.7F};
  const auto in = x.data<std::uint8_t>();
  const std::size_t plane = in.size() / 3;
  std::vector<float> result;
  for (std::size_t o = 0; o < 2; ++o) {
    for (std::size_t i = 0; i < plane; ++i) {
      int sum = 0;
      for (std::size_t c = 0; c < 3; ++c) sum += (in[c * plane + i] - static_cast<int>(map.zero)) * w[o * 3 + c];
      const float product = static_cast<float>(sum) * (map.scale * scale[o]);
      result.push_back(product + bias[o]);
    }
  }
  return result;
}

}  // namespace

TEST_CASE("OpenVINO: quantizing is by the reals at both ends") {
  for (const Pair& y : {Pair{0.0371F, 0.0F}, Pair{0.0371F, 114.0F}, Pair{1.19e-3F, 255.0F}}) {
    const Tensor x = ramp({4096}, y.low() - 10.0F * y.scale, y.scale * 0.0676F);
    const std::string text =
        "graph opset 13 { input x: f32[4096] " + y.text("y") + "q = QuantizeLinear(x, ys, yz) output q }";
    const Tensor found = run(text, {x}, kOpenVinoArithmetic)[0];
    std::vector<std::uint8_t> expected;
    for (const float number : x.data<float>()) {
      const float product = number * y.factor();
      expected.push_back(saturated(product - y.low() * y.factor()));
    }
    CHECK(values<std::uint8_t>(found) == expected);
  }
}

TEST_CASE("OpenVINO: a convolution adds its bias in float, and is quantized in one rounding") {
  const Pair x_pair{0.02F, 114.0F};
  const Tensor x = integers({1, 3, 40, 50});
  for (const Pair& y : {Pair{0.0173F, 0.0F}, Pair{0.0519F, 121.0F}}) {
    const std::string text = "graph opset 13 { input x: u8[1,3,40,50] " + x_pair.text("x") + y.text("y") + kConv +
                             "r = Relu(c) q = QuantizeLinear(r, ys, yz) output q }";
    std::vector<std::uint8_t> expected;
    for (const float real : convolved(x, x_pair)) expected.push_back(ended(std::max(real, 0.0F), y));
    CHECK(values<std::uint8_t>(run(text, {x}, kOpenVinoArithmetic)[0]) == expected);
  }
}

TEST_CASE("OpenVINO: what a convolution hands to a sum through a pair of its own is clipped and not rounded") {
  const Pair x_pair{0.02F, 114.0F};
  const Pair a{0.031F, 138.0F};
  const Tensor x = integers({1, 3, 40, 50});
  const Tensor skip = integers({1, 2, 40, 50});
  for (const Pair& b : {Pair{0.0257F, 0.0F}, Pair{0.0257F, 125.0F}}) {
    for (const Pair& y : {Pair{0.0313F, 0.0F}, Pair{0.0519F, 129.0F}}) {
      const std::string text = "graph opset 13 { input x: u8[1,3,40,50] input k: u8[1,2,40,50] " + x_pair.text("x") +
                               a.text("a") + b.text("b") + y.text("y") + kConv +
                               "p = QuantizeLinear(c, as, az) f = DequantizeLinear(p, as, az) "
                               "g = DequantizeLinear(k, bs, bz) " +
                               (y.zero == 0.0F ? "s = Add(g, f) r = Relu(s) " : "r = Add(f, g) ") +
                               "q = QuantizeLinear(r, ys, yz) output q }";
      const float zeros = a.zero + b.zero * b.scale / a.scale;
      const float ratio = a.scale / b.scale;
      const float low = (0.0F - zeros) * ratio;
      const float step = ((255.0F - zeros) * ratio - low) / 255.0F;
      std::vector<std::uint8_t> expected;
      std::vector<std::uint8_t> rounded;
      const auto reals = convolved(x, x_pair);
      for (std::size_t i = 0; i < reals.size(); ++i) {
        const float other = skip.data<std::uint8_t>()[i];
        const float term = std::fmaf(reals[i], a.factor() * step, a.shift() * step + low);
        expected.push_back(ended(std::clamp(term, low, 255.0F * step + low) + other, y, b.scale));
        const float real = (static_cast<float>(ended(reals[i], a)) - a.zero) * a.scale;
        rounded.push_back(saturated((real + (other - b.zero) * b.scale) / y.scale + y.zero));
      }
      CHECK(expected != rounded);
      CHECK(values<std::uint8_t>(run(text, {x, skip}, kOpenVinoArithmetic)[0]) == expected);
    }
  }
}

TEST_CASE("OpenVINO: a sum whose operand others read too adds what these read") {
  const Pair x_pair{0.02F, 114.0F};
  const Pair a{0.031F, 138.0F};
  const Tensor x = integers({1, 3, 4, 5});
  const std::string text =
      "graph opset 13 { input x: u8[1,3,4,5] input k: u8[1,2,4,5] " + x_pair.text("x") + a.text("a") + kConv +
      "p = QuantizeLinear(c, as, az) f = DequantizeLinear(p, as, az) "
      "g = DequantizeLinear(k, as, az) s = Add(f, g) q = QuantizeLinear(s, as, az) output q output f }";
  const Tensor skip = integers({1, 2, 4, 5});
  const auto outputs = run(text, {x, skip}, kOpenVinoArithmetic);
  std::vector<std::uint8_t> expected;
  for (std::size_t i = 0; i < 40; ++i) {
    const float sum =
        outputs[1].data<float>()[i] + (static_cast<float>(skip.data<std::uint8_t>()[i]) - a.zero) * a.scale;
    expected.push_back(saturated(sum * a.factor() - a.low() * a.factor()));
  }
  CHECK(values<std::uint8_t>(outputs[0]) == expected);
}

TEST_CASE("OpenVINO: batch normalization moves the centre first, unless a factor is too small to divide by") {
  const Tensor x = ramp({1, 2, 10, 10}, -3.0F, 0.0371F);
  for (const float small : {1.3F, 1e-39F}) {
    const std::string text = fmt::format(
        "graph opset 13 {{ input x: f32[1,2,10,10] const g: f32[2] = {{0.7, {:.9g}}} const b: f32[2] = {{0.31, -0.2}} "
        "const m: f32[2] = {{0.13, 0.4}} const v: f32[2] = {{1, 1}} "
        "y = BatchNormalization(x, g, b, m, v) {{epsilon=0.25}} output y }}",
        small);
    const Tensor found = run(text, {x}, kOpenVinoArithmetic)[0];
    for (std::size_t i = 0; i < 100; ++i) {
      const float factor = 0.7F / std::sqrt(1.25F);
      const float shift = 0.31F - 0.13F * factor;
      const float in = x.data<float>()[i];
      CHECK(found.data<float>()[i] == (small < 1.0F ? std::fmaf(in, factor, shift) : (in + shift / factor) * factor));
    }
  }
}
