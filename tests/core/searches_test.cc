#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "octavo/core/searches/divergence.h"
#include "octavo/core/searches/kl.h"
#include "octavo/core/searches/mse.h"
#include "octavo/core/searches/percentile.h"
#include "plain_searches.h"
#include "samples.h"

namespace octavo {
namespace {

Histogram counted(const std::vector<float>& values, int bins) {
  Histogram histogram(bins);
  histogram.add(values, plain_kernels());
  return histogram;
}

TEST_CASE("KL of equal counts clips nothing, of an empty histogram neither") {
  CHECK(kl_bins_to_keep(std::vector<std::uint64_t>(1024, 7), 128) ==
        plain_kl_bins(std::vector<double>(1024, 7.0), 128));
  CHECK(kl_range(Histogram(1024), 128).empty());
  CHECK(kl_range(counted({0.0F, 0.0F}, 1024), 128) == Range{0.0F, 0.0F});
  CHECK(kl_range(counted({-2.0F}, 1024), 128) == Range{-2.0F, -2.0F});
}

TEST_CASE("Percentile leaves out what it may and not a value more, to the bin") {
  for (const Samples& kind : sample_kinds()) {
    const std::vector<float> values = kind.make(20000, 5);
    const Histogram histogram = counted(values, 4096);
    for (const double percentile : {0.0, 50.0, 99.0, 99.9, 99.99, 100.0}) {
      CAPTURE(kind.name, percentile);
      const Range range = percentile_range(histogram, percentile);
      const double allowed = 20000.0 * (100.0 - percentile) / 200.0;
      const auto outside = [&](float low, float high) {
        double above = 0.0;
        double below = 0.0;
        for (const float v : values) {
          above += v > high ? 1.0 : 0.0;
          below += v < low ? 1.0 : 0.0;
        }
        return std::pair{below, above};
      };
      CHECK(outside(range.min, range.max).first <= allowed);
      CHECK(outside(range.min, range.max).second <= allowed);
      const auto width = static_cast<float>(histogram.width());
      const auto nearer = outside(range.min + width, range.max - width);
      CHECK((range.min >= 0.0F || nearer.first > allowed - 1.0));
      CHECK((range.max <= 0.0F || nearer.second > allowed - 1.0));
    }
    CHECK(percentile_range(histogram, 100.0) == histogram.range());
  }
  CHECK(percentile_range(Histogram(64), 99.0).empty());
}

/// Sum of (x - its quantized form)^2 with every value at the middle of its bin.
double plain_error(const Histogram& histogram, const AffineMap& map) {
  double sum = 0.0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(histogram.bins()); ++i) {
    const double middle = (static_cast<double>(i) + 0.5) * histogram.width();
    const auto squared = [&](double x) {
      const double steps = std::clamp(std::floor(x / double{map.scale} + 0.5) + map.zero_point, double(map.quant_min),
                                      double(map.quant_max));
      const double error = (steps - map.zero_point) * double{map.scale} - x;
      return error * error;
    };
    sum += static_cast<double>(histogram.positive(i)) * squared(middle);
    sum += static_cast<double>(histogram.negative(i)) * squared(-middle);
  }
  return sum;
}

/// Cosine between the middles of bins and their quantized forms.
double plain_cosine(const Histogram& histogram, const AffineMap& map) {
  double product = 0.0;
  double square = 0.0;
  double own = 0.0;
  for (std::size_t i = 0; i < 2 * static_cast<std::size_t>(histogram.bins()); ++i) {
    const double sign = i % 2 == 0 ? 1.0 : -1.0;
    const double x = sign * (static_cast<double>(i / 2) + 0.5) * histogram.width();
    const auto n = static_cast<double>(i % 2 == 0 ? histogram.positive(i / 2) : histogram.negative(i / 2));
    const double steps = std::clamp(std::floor(x / double{map.scale} + 0.5) + map.zero_point, double(map.quant_min),
                                    double(map.quant_max));
    const double y = (steps - map.zero_point) * double{map.scale};
    product += n * x * y;
    square += n * y * y;
    own += n * x * x;
  }
  return square == 0.0 ? 0.0 : product / std::sqrt(square * own);
}

std::vector<QScheme> schemes() {
  return {{QType::quint8},
          {QType::qint8, 8, true, true},
          {QType::qint8, 8, true},
          {QType::quint8, 4},
          {QType::quint8, 8, true}};
}

TEST_CASE("The squared error by prefix sums is that of every bin") {
  for (const Samples& kind : sample_kinds()) {
    const Histogram histogram = counted(kind.make(30000, 21), 1024);
    const QuantizationError error(histogram);
    for (const QScheme& scheme : schemes()) {
      for (const float share : {1.0F, 0.83F, 0.31F, 0.02F}) {
        const Range range{histogram.range().min * share, histogram.range().max};
        const AffineMap map = affine_map(qparams_from_range(range, scheme), 0);
        CAPTURE(kind.name, scheme.bits, scheme.is_signed(), share);
        CHECK(error.of(map) == Approx(plain_error(histogram, map)).epsilon(1e-9));
        CHECK(error.cosine(map) == Approx(plain_cosine(histogram, map)).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("The least squared error is no more than that of any range tried plainly") {
  for (const Samples& kind : sample_kinds()) {
    const Histogram histogram = counted(kind.make(30000, 31), 1024);
    for (const QScheme& scheme : schemes()) {
      CAPTURE(kind.name, scheme.bits, scheme.is_signed());
      const Range whole = histogram.range();
      const Range found = mse_range(histogram, scheme);
      CHECK(found.min >= whole.min);
      CHECK(found.max <= whole.max);
      const double best = plain_error(histogram, affine_map(qparams_from_range(found, scheme), 0));
      for (int i = 1; i <= 128; ++i) {
        const float share = static_cast<float>(i) / 128;
        for (const Range& range : {Range{whole.min * share, whole.max * share}, Range{found.min, whole.max * share},
                                   Range{whole.min * share, found.max}}) {
          CHECK(plain_error(histogram, affine_map(qparams_from_range(range, scheme), 0)) >= best * (1.0 - 1e-9));
        }
      }
    }
  }
  CHECK(mse_range(Histogram(64), {}).empty());
  const Histogram histogram = counted(sample_kinds()[0].make(1000, 1), 1024);
  CHECK(mse_range(histogram, {QType::qint8, 16, true}) == histogram.range());
}

}  // namespace
}  // namespace octavo
