#include "octavo/core/qparams.h"

#include <algorithm>
#include <array>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace octavo {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();

std::vector<QScheme> all_schemes() {
  std::vector<QScheme> schemes;
  for (const QType qtype : {QType::qint8, QType::quint8}) {
    for (int bits = 1; bits <= 16; ++bits) {
      for (const bool symmetric : {false, true}) {
        for (const bool symmetric_range : {false, true}) {
          const QScheme scheme{qtype, bits, symmetric, symmetric_range, QScheme::kPerTensor};
          if (scheme.valid()) schemes.push_back(scheme);
        }
      }
    }
  }
  return schemes;
}

TEST_CASE("No range gives scale 1, zeros the smallest scale, as PyTorch has it") {
  for (const Range& range : {Range{}, Range{std::nanf(""), 1.0F}}) {
    CHECK(qparams_from_range(range, {QType::quint8}) == QParams{{1.0F}, {0}, -1, 0, 255, DType::u8});
    CHECK(qparams_from_range(range, {QType::qint8}) == QParams{{1.0F}, {0}, -1, -128, 127, DType::i8});
    CHECK(qparams_from_range(range, {QType::quint8, 8, true}).zero_point[0] == 0);
  }
  for (const Range& range : {Range{0.0F, 0.0F}, Range{-0.0F, 0.0F}}) {
    CHECK(qparams_from_range(range, {QType::quint8}) == QParams{{0x1p-23F}, {0}, -1, 0, 255, DType::u8});
    CHECK(qparams_from_range(range, {QType::qint8}) == QParams{{0x1p-23F}, {-128}, -1, -128, 127, DType::i8});
    CHECK(qparams_from_range(range, {QType::quint8, 8, true}).zero_point[0] == 128);
    CHECK(qparams_from_range(range, {QType::qint8, 8, true, true}).zero_point[0] == 0);
  }
}

TEST_CASE("Every field of a scheme has its part in the parameters") {
  const Range range{-1.0F, 3.0F};
  QScheme scheme{.qtype = QType::quint8};
  scheme.reduce_range = true;
  CHECK(qparams_from_range(range, scheme) == QParams{{4.0F / 127.0F}, {32}, -1, 0, 127, DType::u8});
  scheme.symmetric = true;
  CHECK(qparams_from_range(range, scheme).zero_point[0] == 64);
  scheme.reduce_range = false;
  CHECK(qparams_from_range(range, scheme).zero_point[0] == 128);
  scheme.explicit_range = true;
  CHECK(qparams_from_range(range, scheme) == QParams{{3.0F / 127.5F}, {127}, -1, 0, 255, DType::u8});
  CHECK(qparams_from_range({0.0F, 1e-5F}, {.qtype = QType::qint8, .symmetric = true, .eps = 0x1p-12F}).scale[0] ==
        0x1p-12F);
  CHECK(qparams_from_range(range, {.qtype = QType::qint8, .symmetric = true, .reduce_range = true}) ==
        QParams{{3.0F / 63.5F}, {0}, -1, -64, 63, DType::i8});
}

TEST_CASE("Powers of two are no smaller than the scale, less than twice it, and the zero point is theirs") {
  for (const QScheme& plain : all_schemes()) {
    QScheme scheme = plain;
    scheme.power_of_two = true;
    for (const Range& range : {Range{-1.0F, 3.0F}, Range{0.0F, 255.0F}, Range{-0.3F, 1e-3F}, Range{0.0F, 0.0F},
                               Range{-kLargest, kLargest}}) {
      const float exact = qparams_from_range(range, plain).scale[0];
      const QParams params = qparams_from_range(range, scheme);
      CAPTURE(range.min, range.max, scheme.bits, exact, params.scale[0]);
      int exponent = 0;
      CHECK(std::frexp(params.scale[0], &exponent) == 0.5F);
      CHECK((params.scale[0] >= exact || params.scale[0] == 0x1p127F));
      CHECK(params.scale[0] / 2.0F < exact);
      if (scheme.symmetric) continue;
      const float steps = std::nearbyint(std::min(range.min, 0.0F) / params.scale[0]);
      const int zero_point = params.quant_min - static_cast<std::int32_t>(steps);
      CHECK(params.zero_point[0] == std::min(zero_point, params.quant_max));
    }
  }
}

TEST_CASE("Scales are finite and at least 2^-23 for any range and scheme") {
  std::mt19937 random(7);
  std::vector<Range> ranges = {{-kLargest, kLargest}, {-kInfinity, kInfinity}, {0.0F, kInfinity},
                               {-1e-45F, 0.0F},       {1e-45F, 1e-45F},        {kLargest, kLargest}};
  for (int i = 0; i < 200; ++i) {
    const auto a = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    const auto b = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    ranges.push_back({std::fmin(a, b), std::fmax(a, b)});
  }
  for (const QScheme& scheme : all_schemes()) {
    for (const Range& range : ranges) {
      CAPTURE(range.min, range.max, scheme.bits, scheme.is_signed(), scheme.symmetric);
      const QParams params = qparams_from_range(range, scheme);
      const bool good = std::isfinite(params.scale[0]) && params.scale[0] >= 0x1p-23F &&
                        params.zero_point[0] >= params.quant_min && params.zero_point[0] <= params.quant_max;
      if (!good) FAIL_CHECK("scale " << params.scale[0] << ", zero point " << params.zero_point[0]);
    }
  }
  CHECK(all_schemes().size() > 60);
}

TEST_CASE("The range fits the integers to within a step, zero exactly") {
  for (const Range& range : {Range{-1.0F, 3.0F}, Range{0.5F, 2.0F}, Range{-7.0F, -2.0F}, Range{-1e-3F, 1e3F}}) {
    for (const QScheme& scheme : all_schemes()) {
      if (scheme.bits < 4) continue;
      const AffineMap map = affine_map(qparams_from_range(range, scheme), 0);
      const float low = std::min(range.min, 0.0F);
      const float high = std::max(range.max, 0.0F);
      CAPTURE(low, high, scheme.bits, scheme.is_signed(), scheme.symmetric);
      for (const float x : {low, high, 0.0F}) {
        const float error = std::fabs(dequantize_value(quantize_value(x, map), map) - x);
        CHECK(error <= (x == 0.0F ? 0.0F : 1.001F * map.scale));
      }
    }
  }
}

TEST_CASE("One range for each index of the axis") {
  const std::array<Range, 3> ranges = {Range{-1.0F, 1.0F}, Range{}, Range{0.0F, 254.0F}};
  const QParams params = qparams_from_ranges(ranges, {QType::qint8, 8, true, true, 1});
  CHECK(params.scale == std::vector<float>{1.0F / 127.0F, 1.0F, 2.0F});  // nothing was seen of the second
  CHECK(params.zero_point == std::vector<std::int32_t>{0, 0, 0});
  CHECK(params.axis == 1);
  CHECK(affine_map(params, 2).scale == 2.0F);
  CHECK(affine_map(params, 2).quant_min == -127);
}

}  // namespace
}  // namespace octavo
