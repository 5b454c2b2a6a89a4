#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <vector>

#include "octavo/core/weights/bias_scale.h"
#include "support/absmax.h"

namespace octavo {
namespace {

constexpr float kLargest = std::numeric_limits<float>::max();

TEST_CASE("Every channel's largest weight is 127, an all-zero channel has the smallest scale") {
  const Tensor weight = Tensor::from<float>({3, 2}, {0.5F, -2.0F, 0.0F, 0.0F, 1e-3F, 5e-4F});
  const QuantizedTensor q = test::quantize_by_absmax(weight, {QType::qint8, 8, true, true, 0});
  CHECK(q.params.scale == std::vector<float>{2.0F / 127.0F, 0x1p-23F, 1e-3F / 127.0F});
  CHECK(q.params.zero_point == std::vector<std::int32_t>{0, 0, 0});
  const auto integers = q.integers.data<std::int8_t>();
  CHECK(std::vector<int>(integers.begin(), integers.end()) == std::vector<int>{32, -127, 0, 0, 127, 64});
}

TEST_CASE("One scale for a whole weight, and channels along the last axis") {
  const Tensor weight = Tensor::from<float>({2, 2}, {1.0F, -4.0F, 2.0F, 8.0F});
  CHECK(test::quantize_by_absmax(weight, {QType::qint8, 8, true, true}).params.scale ==
        std::vector<float>{8.0F / 127.0F});
  CHECK(test::quantize_by_absmax(weight, {QType::qint8, 8, true, true, 1}).params.scale ==
        std::vector<float>{2.0F / 127.0F, 8.0F / 127.0F});
}

TEST_CASE("Weight scales grow only where the bias would overflow, and then it fits") {
  const std::vector<float> scales = {1e-3F, 1e-12F, 0.02F, 1e-30F};
  const std::vector<float> bias = {10.0F, -50.0F, 0.0F, 1e-25F};
  const float input_scale = 0.01F;
  const std::vector<float> held = scales_that_hold_bias(scales, input_scale, bias);
  CHECK(held[0] == scales[0]);
  CHECK(held[2] == scales[2]);
  CHECK(held[1] > scales[1]);
  CHECK(held[1] < 1.00001 * 50.0 / (1073741825.0 * double{input_scale}));
  for (std::size_t c = 0; c < bias.size(); ++c) {
    CHECK(std::fabs(double{bias[c]}) / double{input_scale * held[c]} < 1073741825.0);
    CHECK(input_scale * held[c] >= std::numeric_limits<float>::min());
  }
  CHECK(scales_that_hold_bias(std::vector<float>{1e-12F}, input_scale, bias) == std::vector<float>{held[1]});
  const std::vector<float> powers = scales_that_hold_bias(std::vector<float>{0x1p-40F}, input_scale, bias, true);
  CHECK(powers == std::vector<float>{std::exp2(std::ceil(std::log2(held[1])))});
  CHECK(scales_that_hold_bias(std::vector<float>{0x1p-4F}, input_scale, bias, true) == std::vector<float>{0x1p-4F});
}

TEST_CASE("Biases beside all-zero weights and all-zero activations keep their value") {
  const float smallest = qparams_from_range({0.0F, 0.0F}, {QType::qint8, 8, true, true}).scale[0];
  CHECK(smallest == 0x1p-23F);
  for (const float input_scale : {smallest, 0.02F}) {
    for (const float bias : {0.0F, 1e-6F, 3.0F, -40000.0F, 1e30F}) {
      const float held = scales_that_hold_bias(std::vector{smallest}, input_scale, std::vector{bias})[0];
      CAPTURE(input_scale, bias, held);
      const float scale = input_scale * held;
      const std::int32_t integer = quantize_bias_value(bias, scale);
      CHECK(std::abs(std::int64_t{integer}) <= std::int64_t{1} << 30);
      CHECK(static_cast<float>(integer) * scale == Approx(bias).epsilon(1e-6).margin(scale));
    }
  }
}

TEST_CASE("The bias' scale stays a normal float and the weights' finite at any magnitude") {
  for (const float input_scale : {1.2e-7F, 1e-3F, 1e30F}) {
    for (const float weight_scale : {1.2e-7F, 1e-38F, 1e30F}) {
      for (const float bias : {0.0F, 1e-40F, 1.0F, -1e20F, kLargest, std::numeric_limits<float>::quiet_NaN()}) {
        const float held = scales_that_hold_bias(std::vector{weight_scale}, input_scale, std::vector{bias})[0];
        CAPTURE(input_scale, weight_scale, bias);
        CHECK((std::isfinite(held) && held >= weight_scale));
        CHECK(input_scale * held >= std::numeric_limits<float>::min());
      }
    }
  }
}

}  // namespace
}  // namespace octavo
