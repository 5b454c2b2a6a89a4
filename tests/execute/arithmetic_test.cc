// What a runtime's arithmetic makes of quantization, convolutions and matrices: against the definitions.
#include <catch2/catch.hpp>
#include <cmath>

#include "execute/support.h"
#include "octavo/core/rounding.h"

using namespace octavo;
using octavo::test::values;

namespace {

std::vector<Tensor> run(const std::string& text, const Arithmetic& arithmetic, const std::vector<Tensor>& inputs) {
  const Executor executor(parse_graph(text), {.watched = {}, .arithmetic = arithmetic});
  return Executor::Session(executor).run(inputs);
}

Tensor row(const std::vector<float>& numbers) {
  return Tensor::from<float>({1, static_cast<std::int64_t>(numbers.size())}, std::span(numbers));
}

std::int8_t tnn_int8(float steps) {
  return static_cast<std::int8_t>(std::fmax(std::fmin(round_by_adding_half(steps), 127.0F), -128.0F));
}

constexpr const char* kPair =
    "const z: i8[] = {0} q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z) output d output q }";

}  // namespace

TEST_CASE("floats become integers by the runtime's rounding and limits") {
  const std::vector<float> x{0.5F, 1.5F, 2.5F, -0.5F, -2.5F, 0.49999997F, 1e9F, -1e9F, NAN, 126.6F, -127.6F};
  const std::string text = "graph opset 13 { input x: f32[1,N] const s: f32[] = {1} " + std::string(kPair);
  using Integers = std::vector<std::int8_t>;
  CHECK(values<std::int8_t>(run(text, kOnnxRuntimeArithmetic, {row(x)})[1]) ==
        Integers{0, 2, 2, 0, -2, 0, 127, -128, 0, 127, -128});
  CHECK(values<std::int8_t>(run(text, kNcnnArithmetic, {row(x)})[1]) ==
        Integers{1, 2, 3, -1, -3, 0, 127, -127, 0, 127, -127});
  CHECK(values<std::int8_t>(run(text, kTnnArithmetic, {row(x)})[1]) ==
        Integers{1, 2, 3, -1, -3, 1, 127, -128, 0, 127, -128});
}

TEST_CASE("a pair fused to one step rounds as the two do") {
  const std::string both = "graph opset 13 { input x: f32[1,N] const s: f32[] = {0.013} " + std::string(kPair);
  const std::string alone =
      "graph opset 13 { input x: f32[1,N] const s: f32[] = {0.013} const z: i8[] = {0} q = QuantizeLinear(x, s, z) "
      "d = DequantizeLinear(q, s, z) output d }";
  const std::vector<Tensor> x{test::random_tensor({1, 4000}, 5)};
  for (const Arithmetic& arithmetic : {kOnnxRuntimeArithmetic, kNcnnArithmetic, kTnnArithmetic}) {
    CHECK(values<float>(run(both, arithmetic, x)[0]) == values<float>(run(alone, arithmetic, x)[0]));
  }
}

TEST_CASE("quantizing by the reciprocal is a multiplication, and differs from division now and then") {
  const std::string text = "graph opset 13 { input x: f32[1,N] const s: f32[] = {0.0371} " + std::string(kPair);
  std::vector<float> x;
  for (int i = -127; i < 127; ++i) {  // on both sides of every border between two integers
    const float border = (static_cast<float>(i) + 0.5F) * 0.0371F;
    for (const float to : {-1.0F, 1.0F}) x.push_back(std::nextafter(border, to * 1e9F));
    x.push_back(border);
  }
  const auto found = values<std::int8_t>(run(text, kNcnnArithmetic, {row(x)})[1]);
  const float reciprocal = 1.0F / 0.0371F;
  std::size_t others = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    CHECK(found[i] == std::fmax(round_half_away(x[i] * reciprocal), -127.0F));
    others += round_half_away(x[i] * reciprocal) != round_half_away(x[i] / 0.0371F) ? 1 : 0;
  }
  CHECK(others > 0);
}

TEST_CASE("TNN's convolution with a scale for each channel, a bias cut to int32 and a bounded result") {
  // Weights took in the scales of their inputs: q · s_o stands for w · s_in.
  const std::string text = R"(graph opset 13 { input x: i8[1,2,1,N]
    const xs: f32[2] = {0.5, 0.03125} const xz: i8[2] = {0, 0}
    const w: i8[3,2,1,1] = {100, -50, 7, 90, -128, 127} const ws: f32[3] = {0.013, 0.004, 0.0021} const wz: i8[3] = fill(0)
    const inverse: f32[1,2,1,1] = {2, 32} const b: f32[3] = {0.71, -0.9, 5.3}
    const ys: f32[3] = {0.37, 0.21, 0.093} const yz: i8[3] = fill(0) const low: f32[] = {0} const high: f32[] = {6}
    xf = DequantizeLinear(x, xs, xz) {axis=1} wq = DequantizeLinear(w, ws, wz) {axis=0} wf = Mul(wq, inverse)
    c = Conv(xf, wf, b) r = Clip(c, low, high) y = QuantizeLinear(r, ys, yz) {axis=1} output y })";
  std::vector<std::int8_t> x;
  for (int i = 0; i < 512; ++i) x.push_back(static_cast<std::int8_t>(i * 37 + i / 256 * 11));
  const auto found = values<std::int8_t>(
      run(text, kTnnArithmetic, {Tensor::from<std::int8_t>({1, 2, 1, 256}, std::span<const std::int8_t>(x))})[0]);
  const std::vector<std::vector<int>> w{{100, -50}, {7, 90}, {-128, 127}};
  const std::vector<float> handle{0.013F, 0.004F, 0.0021F};
  const std::vector<float> bias{0.71F, -0.9F, 5.3F};
  const std::vector<float> out{0.37F, 0.21F, 0.093F};
  for (std::size_t o = 0; o < 3; ++o) {
    const auto cut = static_cast<int>(bias[o] / handle[o]);
    for (std::size_t i = 0; i < 256; ++i) {
      const int sum = w[o][0] * x[i] + w[o][1] * x[256 + i] + cut;
      const std::int8_t steps = tnn_int8(static_cast<float>(sum) * (handle[o] / out[o]));
      const std::int8_t bounded = std::max(std::min(steps, tnn_int8(6.0F / out[o])), std::int8_t{0});
      CHECK(found[o * 256 + i] == bounded);
    }
  }
}

TEST_CASE("TNN's depthwise convolution takes the channel's scale beside the weight's") {
  const std::string text = R"(graph opset 13 { input x: i8[1,2,1,N]
    const xs: f32[2] = {0.5, 0.03} const xz: i8[2] = {0, 0} const w: i8[2,1,1,1] = {77, -101}
    const ws: f32[2] = {0.013, 0.004} const wz: i8[2] = fill(0) const ys: f32[] = {0.9} const yz: i8[] = {0}
    xf = DequantizeLinear(x, xs, xz) {axis=1} wf = DequantizeLinear(w, ws, wz) {axis=0}
    c = Conv(xf, wf) {group=2} y = QuantizeLinear(c, ys, yz) output y })";
  std::vector<std::int8_t> x;
  for (int i = 0; i < 512; ++i) x.push_back(static_cast<std::int8_t>(i));
  const auto found = values<std::int8_t>(
      run(text, kTnnArithmetic, {Tensor::from<std::int8_t>({1, 2, 1, 256}, std::span<const std::int8_t>(x))})[0]);
  for (std::size_t i = 0; i < 512; ++i) {
    const float unit = i < 256 ? 0.013F * 0.5F : 0.004F * 0.03F;
    CHECK(found[i] == tnn_int8(static_cast<float>(x[i] * (i < 256 ? 77 : -101)) * (unit / 0.9F)));
  }
}

TEST_CASE("a matrix is multiplied in integers, whichever way its weights are stored") {
  const std::string head = R"(graph opset 13 { input x: i8[N,3] const xs: f32[] = {0.02} const xz: i8[] = {0}
    const ws: f32[2] = {0.01, 0.03} const wz: i8[2] = fill(0) const b: i32[2] = {500, -70} const bs: f32[2] = {0.0002, 0.0006}
    const ys: f32[] = {0.7} const yz: i8[] = {0} xf = DequantizeLinear(x, xs, xz) bf = DequantizeLinear(b, bs) {axis=0} )";
  const std::string tail = " y = QuantizeLinear(c, ys, yz) output y }";
  const std::string rows =
      "const w: i8[2,3] = {100, -50, 7, 90, -127, 3} wf = DequantizeLinear(w, ws, wz) {axis=0} "
      "c = Gemm(xf, wf, bf) {transB=1}";
  const std::string columns =
      "const w: i8[3,2] = {100, 90, -50, -127, 7, 3} wf = DequantizeLinear(w, ws, wz) {axis=1} "
      "c = Gemm(xf, wf, bf)";
  const std::vector<std::int8_t> x{127, -128, 50, -3, 77, -90};
  const std::vector<std::vector<int>> w{{100, -50, 7}, {90, -127, 3}};
  std::vector<std::int8_t> expected;
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t o = 0; o < 2; ++o) {
      int sum = o == 0 ? 500 : -70;
      for (std::size_t k = 0; k < 3; ++k) sum += w[o][k] * x[n * 3 + k];
      expected.push_back(tnn_int8(static_cast<float>(sum) * (0.02F * (o == 0 ? 0.01F : 0.03F) / 0.7F)));
    }
  }
  const std::vector<Tensor> inputs{Tensor::from<std::int8_t>({2, 3}, std::span<const std::int8_t>(x))};
  CHECK(values<std::int8_t>(run(head + rows + tail, kTnnArithmetic, inputs)[0]) == expected);
  CHECK(values<std::int8_t>(run(head + columns + tail, kTnnArithmetic, inputs)[0]) == expected);
}

TEST_CASE("where biases stay in float, sums are exact and rounded to float once a step") {
  const std::string text = R"(graph opset 13 { input x: u8[1,2,1,N] const xs: f32[] = {0.02} const xz: u8[] = {131}
    const w: i8[1,2,1,1] = {93, -127} const ws: f32[] = {0.01} const wz: i8[] = {0} const b: f32[1] = {0.37}
    xf = DequantizeLinear(x, xs, xz) wf = DequantizeLinear(w, ws, wz) c = Conv(xf, wf, b) r = Relu(c) output r })";
  std::vector<std::uint8_t> x;
  for (int i = 0; i < 512; ++i) x.push_back(static_cast<std::uint8_t>(i < 256 ? i : i * 91));
  const auto found = values<float>(run(
      text, kFloatBiasArithmetic, {Tensor::from<std::uint8_t>({1, 2, 1, 256}, std::span<const std::uint8_t>(x))})[0]);
  for (std::size_t i = 0; i < 256; ++i) {
    const int sum = 93 * (x[i] - 131) - 127 * (x[256 + i] - 131);
    const float unit = 0.02F * 0.01F;
    const float real = static_cast<float>(sum) * unit + 0.37F;
    CHECK(found[i] == std::fmax(real, 0.0F));
  }
}
