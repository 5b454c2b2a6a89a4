#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "octavo/core/histogram.h"
#include "octavo/core/qparams.h"

namespace octavo {

// Searches for the range to quantize, over a histogram of all values. All are pure; all answer with a range
// within that of the values, and with the empty range for an empty histogram.

/// The range that leaves out at most (100 - percentile) / 200 of all values at each end (ONNX Runtime's
/// meaning), to the bin. Zero is never left out. `percentile` in [0, 100].
inline Range percentile_range(const Histogram& histogram, double percentile) {
  if (histogram.range().empty()) return {};
  const double share = std::clamp((100.0 - percentile) / 200.0, 0.0, 0.5);
  const auto allowed = static_cast<std::uint64_t>(static_cast<double>(histogram.count()) * share);
  const auto edge = [&](const auto& count_of) {
    std::uint64_t outside = 0;
    int end = histogram.bins();
    while (end > 0 && outside + count_of(static_cast<std::size_t>(end - 1)) <= allowed) {
      outside += count_of(static_cast<std::size_t>(--end));
    }
    return static_cast<float>(end * histogram.width());
  };
  const float high = edge([&](std::size_t i) { return histogram.positive(i); });
  const float low = edge([&](std::size_t i) { return histogram.negative(i); });
  return {std::max(histogram.range().min, -low), std::min(histogram.range().max, high)};
}

namespace detail {

/// Natural logarithm of a finite x >= 1, to about 1e-14: without branches or calls, so that compilers vectorize
/// it. With x = 2^e m and m about 1, ln m = 2 artanh((m - 1) / (m + 1)) as a series.
inline double ln_from_one(double x) {
  constexpr std::uint64_t kHalfRoot = 0x3FE6A09E667F3BCDU;  // bits of sqrt(1/2), where m begins
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t exponent = (bits - kHalfRoot) >> 52;
  const auto m = std::bit_cast<double>(bits - (exponent << 52));
  // An integer below 2^52 in the low bits of 2^52 is that double plus 2^52.
  const double e = std::bit_cast<double>(exponent | 0x4330000000000000U) - 0x1p52;
  const double t = (m - 1.0) / (m + 1.0);
  const double t2 = t * t;
  double series = 1.0 / 17.0;
  for (const double odd : {15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0}) series = series * t2 + 1.0 / odd;
  return e * 0.69314718055994530942 + 2.0 * t * series;
}

}  // namespace detail

/// Where to clip magnitudes so that the Kullback-Leibler divergence between their distribution and its form
/// in `levels` steps is smallest (TensorRT's entropy calibration): every number of bins from `levels` up is
/// tried. Zeros are left out, as by ncnn and TNN: they are exact under any scale. `counts` is the histogram of
/// magnitudes; the answer is the number of bins to keep, the smaller one of equals.
///
/// With p the clipped counts (what lies beyond T is added to bin T-1), N their sum, and q the counts of the first
/// T bins, of sum M, spread evenly over the non-empty bins of each step:
///   KL = sum p/N ln((p/N) / (q/M)) = (sum p ln p - sum over steps of P ln q) / N + ln(M/N)
/// where P is the sum of p over the step. Sums of a step are differences of prefix sums, so a T costs `levels`
/// logarithms instead of T.
inline std::size_t kl_bins_to_keep(const std::vector<std::uint64_t>& counts, std::size_t levels) {
  const std::size_t bins = counts.size();
  // Doubles hold counts up to 2^53 exactly, and converting integers would cost as much as the logarithms.
  std::vector<double> sums(bins + 1, 0.0);
  std::vector<double> used(bins + 1, 0.0);
  std::vector<double> products(bins + 1, 0.0);  // of n ln n
  const auto n_ln_n = [](double n) { return n == 0.0 ? 0.0 : n * std::log(n); };
  for (std::size_t i = 0; i < bins; ++i) {
    const auto n = static_cast<double>(counts[i]);
    sums[i + 1] = sums[i] + n;
    used[i + 1] = used[i] + (n != 0.0 ? 1.0 : 0.0);
    products[i + 1] = products[i] + n_ln_n(n);
  }
  const double total = sums[bins];
  std::vector<double> masses(levels);
  std::vector<double> logarithms(levels);
  std::size_t best_keep = bins;
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t keep = levels; keep <= bins; ++keep) {
    const auto last = static_cast<double>(counts[keep - 1]);
    const double tail = total - sums[keep];
    const bool impossible = tail != 0.0 && last == 0.0;  // q is 0 where p is not: infinitely far
    if (impossible || sums[keep] == 0.0) continue;
    std::size_t begin = 0;
    std::size_t remainder = 0;
    for (std::size_t level = 0; level < levels; ++level) {
      std::size_t end = begin + keep / levels;  // (level + 1) * keep / levels, without dividing each time
      remainder += keep % levels;
      if (remainder >= levels) {
        remainder -= levels;
        ++end;
      }
      masses[level] = sums[end] - sums[begin];
      // The mean of the bins in use, at least 1; where none is, the mass takes the logarithm out again.
      logarithms[level] = std::max(masses[level], 1.0) / std::max(used[end] - used[begin], 1.0);
      begin = end;
    }
    for (double& value : logarithms) value = detail::ln_from_one(value);
    double cross = tail * logarithms.back();
    for (std::size_t level = 0; level < levels; ++level) cross += masses[level] * logarithms[level];
    const double own = products[keep] - n_ln_n(last) + n_ln_n(last + tail);
    const double divergence = (own - cross) / total + std::log(sums[keep] / total);
    if (divergence < best) {
      best = divergence;
      best_keep = keep;
    }
  }
  return best_keep;
}

/// The range whose larger magnitude is clipped by `kl_bins_to_keep` of at most 2048 bins; an end nearer to zero
/// than that stays as it is.
inline Range kl_range(const Histogram& histogram, std::size_t levels) {
  if (histogram.range().empty()) return {};
  std::vector<std::uint64_t> counts;
  for (std::size_t i = 0; i < static_cast<std::size_t>(histogram.bins()); ++i) {
    counts.push_back(histogram.positive(i) + histogram.negative(i));
  }
  while (!counts.empty() && counts.back() == 0) counts.pop_back();
  double width = histogram.width();
  // TensorRT's 2048 bins; more would only make the search longer and the counts noisier.
  while (counts.size() > 2048) {
    for (std::size_t i = 0; i < counts.size(); i += 2) {
      counts[i / 2] = counts[i] + (i + 1 < counts.size() ? counts[i + 1] : 0);
    }
    counts.resize((counts.size() + 1) / 2);
    width *= 2.0;
  }
  if (counts.size() <= levels) return histogram.range();
  const auto threshold = static_cast<float>(static_cast<double>(kl_bins_to_keep(counts, levels)) * width);
  return {std::max(histogram.range().min, -threshold), std::min(histogram.range().max, threshold)};
}

/// The squared error of quantizing a histogram's values, each taken at the middle of its bin, as a function of
/// the parameters: prefix sums of counts, first and second moments make it cost a step per integer level.
class SquaredError {
 public:
  explicit SquaredError(const Histogram& histogram)
      : bins_(histogram.bins()), width_(histogram.width()), moments_(2 * static_cast<std::size_t>(bins_) + 1) {
    for (int i = -bins_; i < bins_; ++i) {
      const std::uint64_t n = i < 0 ? histogram.negative(static_cast<std::size_t>(-1 - i))
                                    : histogram.positive(static_cast<std::size_t>(i));
      const auto weight = static_cast<double>(n);
      const double middle = i + 0.5;  // in bins: the width enters at the end
      const Moments& before = moments_[index(i)];
      moments_[index(i + 1)] = {before.count + weight, before.first + weight * middle,
                                before.second + weight * middle * middle};
    }
  }

  /// Sum over all values of (x - dequantize(quantize(x)))^2.
  double of(const AffineMap& map) const {
    const double step = map.scale / width_;
    double sum = 0.0;
    int begin = -bins_;
    for (std::int32_t q = map.quant_min; q <= map.quant_max; ++q) {
      const double real = (q - map.zero_point) * step;
      // The bins nearest to this level; all that is left for the last one. A middle half way goes up.
      const int end = q == map.quant_max ? bins_ : first_bin_not_below(real + step / 2.0);
      if (end <= begin) continue;
      const Moments& low = moments_[index(begin)];
      const Moments& high = moments_[index(end)];
      sum +=
          (high.second - low.second) - 2.0 * real * (high.first - low.first) + real * real * (high.count - low.count);
      begin = end;
    }
    return sum * width_ * width_;
  }

 private:
  struct Moments {
    double count = 0.0;
    double first = 0.0;
    double second = 0.0;
  };

  std::size_t index(int bin) const { return static_cast<std::size_t>(bin + bins_); }
  int first_bin_not_below(double position) const {
    const double bound = std::clamp(position - 0.5, -static_cast<double>(bins_), static_cast<double>(bins_));
    return static_cast<int>(std::ceil(bound));
  }

  int bins_;
  double width_;
  std::vector<Moments> moments_;
};

/// The range of least squared error under `scheme`, each end tried at all 1/128 of itself: first both together,
/// then one at a time until neither gains. Above 8 bits a step is finer than a bin, so the error cannot be seen:
/// the whole range is kept.
inline Range mse_range(const Histogram& histogram, const QScheme& scheme) {
  const Range whole = histogram.range();
  if (whole.empty() || scheme.bits > 8) return whole;
  constexpr int kSteps = 128;
  constexpr int kMostRounds = 8;
  const SquaredError error(histogram);
  const auto ranged = [&](int low, int high) {
    return Range{whole.min * static_cast<float>(low) / kSteps, whole.max * static_cast<float>(high) / kSteps};
  };
  int best_low = kSteps;
  int best_high = kSteps;
  const auto error_at = [&](int low, int high) { return error.of(detail::map_from_range(ranged(low, high), scheme)); };
  double best = error_at(best_low, best_high);
  bool gained = false;
  const auto consider = [&](int low, int high) {
    const double candidate = error_at(low, high);
    if (candidate >= best) return;  // of equals the wider one, which came first
    best = candidate;
    best_low = low;
    best_high = high;
    gained = true;
  };
  for (int i = kSteps - 1; i >= 1; --i) consider(i, i);
  gained = whole.min < 0.0F && whole.max > 0.0F;
  for (int round = 0; round < kMostRounds && gained; ++round) {
    gained = false;
    for (int i = kSteps, high = best_high; i >= 1; --i) consider(i, high);
    for (int i = kSteps, low = best_low; i >= 1; --i) consider(low, i);
  }
  return ranged(best_low, best_high);
}

}  // namespace octavo
