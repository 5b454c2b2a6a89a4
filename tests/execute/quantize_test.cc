#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "execute/support.h"
#include "octavo/core/rounding.h"

using namespace octavo;
using octavo::test::run_text;

namespace {

Tensor adversarial() {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> x = {0.0F, -0.0F, kInfinity, -kInfinity, std::nanf(""), 1e30F, -1e30F, 1e-30F};
  for (int i = -700; i <= 700; ++i) x.push_back(static_cast<float>(i) * 0.25F);  // ties at scale 0.5
  return Tensor::from<float>({static_cast<std::int64_t>(x.size())}, x);
}

}  // namespace

TEST_CASE("QuantizeLinear is core's quantize_value for every storage type") {
  const Tensor x = adversarial();
  struct Case {
    const char* type;
    std::int32_t zero, low, high;
  };
  for (const Case& c : {Case{"u8", 0, 0, 255}, Case{"u8", 255, 0, 255}, Case{"u8", 128, 0, 255},
                        Case{"i8", 0, -128, 127}, Case{"i8", -128, -128, 127}, Case{"i8", 127, -128, 127},
                        Case{"u16", 65535, 0, 65535}, Case{"i16", -32768, -32768, 32767}, Case{"u4", 0, 0, 15},
                        Case{"u4", 15, 0, 15}, Case{"i4", -8, -8, 7}, Case{"i4", 3, -8, 7}}) {
    for (const float scale : {0.5F, 0.013F, 3.7e-5F}) {
      INFO(c.type << " zero " << c.zero << " scale " << scale);
      const std::string text = "graph opset 21 { input x: f32[N] input s: f32[] const z: " + std::string(c.type) +
                               "[] = {" + std::to_string(c.zero) +
                               "} q = QuantizeLinear(x, s, z) y = DequantizeLinear(q, s, z) output y ";
      const std::vector<Tensor> inputs = {x, Tensor::scalar(scale)};
      const Tensor apart = run_text(text + "output q }", inputs)[0];
      const Tensor fused = run_text(text + "}", inputs)[0];
      const AffineMap map{scale, c.zero, c.low, c.high};
      for (std::size_t i = 0; i < x.data<float>().size(); ++i) {
        const float expected = dequantize_value(quantize_value(x.data<float>()[i], map), map);
        CHECK(std::memcmp(&expected, &apart.data<float>()[i], sizeof(float)) == 0);
      }
      CHECK(std::memcmp(apart.bytes(), fused.bytes(), apart.byte_size()) == 0);
    }
  }
}

TEST_CASE("scales may belong to an axis or to blocks along it") {
  const Tensor x = Tensor::from<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto outputs = run_text(R"(graph opset 21 {
    input x: f32[2,3]
    const rows: f32[2] = {1, 2}
    const columns: f32[3] = {1, 2, 3}
    const blocks: f32[2,2] = {1, 2, 3, 4}
    const zero: u8[2] = {10, 20}
    a = QuantizeLinear(x, rows, zero) {axis=0}
    b = QuantizeLinear(x, columns) {axis=-1}
    c = QuantizeLinear(x, blocks) {axis=1, block_size=2}
    d = DequantizeLinear(a, rows, zero) {axis=0}
    e = DequantizeLinear(c, blocks) {axis=1, block_size=2}
    output a output b output c output d output e
  })",
                                std::vector{x});
  CHECK(test::values<std::uint8_t>(outputs[0]) == std::vector<std::uint8_t>{11, 12, 13, 22, 22, 23});
  CHECK(test::values<std::uint8_t>(outputs[1]) == std::vector<std::uint8_t>{1, 1, 1, 4, 2, 2});
  CHECK(test::values<std::uint8_t>(outputs[2]) == std::vector<std::uint8_t>{1, 2, 2, 1, 2, 2});
  CHECK(test::values<float>(outputs[3]) == std::vector<float>{1, 2, 3, 4, 4, 6});
  CHECK(test::values<float>(outputs[4]) == std::vector<float>{1, 2, 4, 3, 6, 8});
}

TEST_CASE("integer operators are exact") {
  const auto outputs = run_text(R"(graph opset 13 {
    input x: u8[1,300,6,5]
    const w: i8[4,300,3,3] = fill(-128)
    const xz: u8[] = {255}
    const wz: i8[4] = {127, 126, 0, -128}
    y = ConvInteger(x, w, xz, wz) {pads=[1,1,1,1]}
    output y
  })",
                                std::vector{Tensor(DType::u8, {1, 300, 6, 5})});
  // Inside all 9 taps read -255, at the corner 4 of them: padding is the zero point.
  const auto y = outputs[0].data<std::int32_t>();
  CHECK(outputs[0].shape() == Shape{1, 4, 6, 5});
  CHECK(y[7] == 300 * 9 * -255 * -255);
  CHECK(y[0] == 300 * 4 * -255 * -255);
  CHECK(y[30 + 7] == 300 * 9 * -255 * -254);
  CHECK(y[90 + 7] == 0);
}

TEST_CASE("quantized products agree with the float product of the dequantized operands") {
  const std::string constants = R"(
    input a: u8[5,7]
    const b: i8[7,6] = random(1)
    const as: f32[] = {0.02}
    const az: u8[] = {100}
    const bs: f32[6] = {0.01, 0.02, 0.03, 0.04, 0.05, 0.06}
    const bz: i8[6] = {0, 1, 2, 3, 4, 5}
    const ys: f32[] = {0.1}
    const yz: i8[] = {3}
  )";
  std::vector<std::uint8_t> values;
  for (int i = 0; i < 35; ++i) values.push_back(static_cast<std::uint8_t>(i * 37 % 256));
  const std::vector<Tensor> inputs = {Tensor::from<std::uint8_t>({5, 7}, values)};
  const Tensor integer = run_text(
      "graph opset 13 {" + constants + "y = QLinearMatMul(a, as, az, b, bs, bz, ys, yz) output y }", inputs)[0];
  const Tensor real = run_text("graph opset 13 {" + constants + R"(
    af = DequantizeLinear(a, as, az)
    bf = DequantizeLinear(b, bs, bz) {axis=1}
    yf = MatMul(af, bf)
    y = QuantizeLinear(yf, ys, yz)
    output y })",
                               inputs)[0];
  for (std::size_t i = 0; i < 30; ++i)
    CHECK(std::abs(integer.data<std::int8_t>()[i] - real.data<std::int8_t>()[i]) <= 1);
}

TEST_CASE("a pair whose parameters differ, or whose inner value somebody else reads, is not joined") {
  const auto outputs = run_text(R"(graph opset 13 {
    input x: f32[3]
    const s: f32[] = {0.5}
    const t: f32[] = {0.25}
    const z: u8[] = {3}
    q = QuantizeLinear(x, s, z)
    a = DequantizeLinear(q, t, z)
    r = QuantizeLinear(x, s, z)
    b = DequantizeLinear(r, s, z)
    c = DequantizeLinear(r, t, z)
    output a output b output c
  })",
                                std::vector{Tensor::from<float>({3}, {-10, 1, 1000})});
  CHECK(test::values<float>(outputs[0]) == std::vector<float>{-0.75F, 0.5F, 63.0F});
  CHECK(test::values<float>(outputs[1]) == std::vector<float>{-1.5F, 1.0F, 126.0F});
  CHECK(test::values<float>(outputs[2]) == std::vector<float>{-0.75F, 0.5F, 63.0F});
}
