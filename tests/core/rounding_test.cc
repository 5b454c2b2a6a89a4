#include "octavo/core/rounding.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>

namespace octavo {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kLargest = std::numeric_limits<float>::max();

TEST_CASE("Each rounding rule treats halves its own way") {
  struct Row {
    float x, half_even, half_away, adding_half, toward_zero;
  };
  const Row row =
      GENERATE(Row{0.5F, 0, 1, 1, 0}, Row{1.5F, 2, 2, 2, 1}, Row{2.5F, 2, 3, 3, 2}, Row{-0.5F, 0, -1, -1, 0},
               Row{-1.5F, -2, -2, -2, -1}, Row{-2.5F, -2, -3, -3, -2}, Row{0.49999997F, 0, 0, 1, 0},
               Row{2.4F, 2, 2, 2, 2}, Row{-2.6F, -3, -3, -3, -2}, Row{8388609.0F, 8388609, 8388609, 8388610, 8388609});
  CAPTURE(row.x);
  CHECK(round_half_even(row.x) == row.half_even);
  CHECK(round_half_even(static_cast<double>(row.x)) == static_cast<double>(row.half_even));
  CHECK(round_half_away(row.x) == row.half_away);
  CHECK(round_by_adding_half(row.x) == row.adding_half);
  CHECK(round_toward_zero(row.x) == row.toward_zero);
}

TEST_CASE("Quantizing saturates, and gives NaN the zero point") {
  const AffineMap map{0.5F, 10, 0, 255};
  CHECK(quantize_value(0.0F, map) == 10);
  CHECK(quantize_value(0.25F, map) == 10);  // half a step, to even
  CHECK(quantize_value(0.75F, map) == 12);
  CHECK(quantize_value(1000.0F, map) == 255);
  CHECK(quantize_value(-1000.0F, map) == 0);
  CHECK(quantize_value(kInfinity, map) == 255);
  CHECK(quantize_value(-kInfinity, map) == 0);
  CHECK(quantize_value(kLargest, {1e-30F, 10, 0, 255}) == 255);  // the quotient overflows
  CHECK(quantize_value(kNaN, map) == 10);
  CHECK(fake_quantize_value(kNaN, map) == 0.0F);
  CHECK(fake_quantize_value(kInfinity, map) == 122.5F);
  CHECK_FALSE(std::signbit(fake_quantize_value(-0.1F, map)));
}

TEST_CASE("Dequantized integers quantize to themselves") {
  for (const float scale : {1.0F, 0.1F, 1.1920929e-07F, 3.3e30F}) {
    for (const std::int32_t zero_point : {-128, -1, 0, 127}) {
      const AffineMap map{scale, zero_point, -128, 127};
      for (std::int32_t q = -128; q <= 127; ++q) {
        const float real = dequantize_value(q, map);
        CHECK(quantize_value(real, map) == q);
        CHECK(fake_quantize_value(real, map) == real);
      }
    }
  }
}

TEST_CASE("Biases are rounded in double and saturate") {
  CHECK(quantize_bias_value(16777217.0F * 4.0F, 0.03125F) == 2147483647);
  CHECK(quantize_bias_value(-1e20F, 1e-20F) == -2147483647 - 1);
  CHECK(quantize_bias_value(100000.5F, 0.001F) == static_cast<std::int32_t>(std::nearbyint(100000.5 / double{0.001F})));
  CHECK(quantize_bias_value(2.5F, 1.0F) == 2);
  CHECK(quantize_bias_value(kNaN, 1.0F) == 0);
}

}  // namespace
}  // namespace octavo
