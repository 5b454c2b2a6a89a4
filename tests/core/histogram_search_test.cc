#include "octavo/core/histogram_search.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "samples.h"

namespace octavo {
namespace {

Histogram counted(const std::vector<float>& values, int bins) {
  Histogram histogram(bins);
  histogram.add(values, plain_kernels());
  return histogram;
}

/// The divergence of keeping `keep` bins, written out as TensorRT's entropy calibration describes it.
double plain_divergence(const std::vector<std::uint64_t>& counts, std::size_t levels, std::size_t keep) {
  std::vector<double> p(counts.begin(), counts.begin() + static_cast<long>(keep));
  std::vector<double> q(keep, 0.0);
  for (std::size_t i = keep; i < counts.size(); ++i) p[keep - 1] += static_cast<double>(counts[i]);
  for (std::size_t level = 0; level < levels; ++level) {
    const std::size_t begin = level * keep / levels;
    const std::size_t end = (level + 1) * keep / levels;
    double mass = 0.0;
    double used = 0.0;
    for (std::size_t i = begin; i < end; ++i) {
      mass += static_cast<double>(counts[i]);
      used += counts[i] != 0 ? 1.0 : 0.0;
    }
    for (std::size_t i = begin; i < end; ++i) q[i] = counts[i] != 0 ? mass / used : 0.0;
  }
  double p_sum = 0.0;
  double q_sum = 0.0;
  for (std::size_t i = 0; i < keep; ++i) {
    p_sum += p[i];
    q_sum += q[i];
  }
  double divergence = 0.0;
  for (std::size_t i = 0; i < keep; ++i) {
    if (p[i] == 0.0) continue;
    if (q[i] == 0.0) return std::numeric_limits<double>::infinity();
    divergence += p[i] / p_sum * std::log((p[i] / p_sum) / (q[i] / q_sum));
  }
  return divergence;
}

std::size_t plain_bins_to_keep(const std::vector<std::uint64_t>& counts, std::size_t levels) {
  std::size_t best_keep = counts.size();
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t keep = levels; keep <= counts.size(); ++keep) {
    const double divergence = plain_divergence(counts, levels, keep);
    if (divergence < best) {
      best = divergence;
      best_keep = keep;
    }
  }
  return best_keep;
}

std::vector<std::uint64_t> magnitudes(const Histogram& histogram) {
  std::vector<std::uint64_t> counts;
  for (std::size_t i = 0; i < static_cast<std::size_t>(histogram.bins()); ++i) {
    counts.push_back(histogram.positive(i) + histogram.negative(i));
  }
  return counts;
}

TEST_CASE("The vectorizable logarithm is the logarithm") {
  std::mt19937 random(17);
  std::uniform_real_distribution<double> exponent(0.0, 64.0);
  for (int i = 0; i < 20000; ++i) {
    const double x = i < 100 ? 1.0 + i / 64.0 : std::exp2(exponent(random));
    CHECK(std::fabs(detail::ln_from_one(x) - std::log(x)) <= 1e-14 * std::max(1.0, std::log(x)));
  }
}

TEST_CASE("KL by prefix sums keeps as many bins as the plain search") {
  std::uint32_t seed = 11;
  for (const Samples& kind : sample_kinds()) {
    for (const std::size_t count : {300U, 5000U, 200000U}) {
      for (const std::size_t levels : {16U, 128U}) {
        const auto counts = magnitudes(counted(kind.make(count, seed++), 1024));
        CAPTURE(kind.name, count, levels, seed);
        CHECK(kl_bins_to_keep(counts, levels) == plain_bins_to_keep(counts, levels));
      }
    }
  }
}

TEST_CASE("KL of equal counts clips nothing, of an empty histogram neither") {
  CHECK(kl_bins_to_keep(std::vector<std::uint64_t>(1024, 7), 128) ==
        plain_bins_to_keep(std::vector<std::uint64_t>(1024, 7), 128));
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
    const SquaredError error(histogram);
    for (const QScheme& scheme : schemes()) {
      for (const float share : {1.0F, 0.83F, 0.31F, 0.02F}) {
        const Range range{histogram.range().min * share, histogram.range().max};
        const AffineMap map = affine_map(qparams_from_range(range, scheme), 0);
        CAPTURE(kind.name, scheme.bits, scheme.is_signed(), share);
        CHECK(error.of(map) == Approx(plain_error(histogram, map)).epsilon(1e-9));
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
