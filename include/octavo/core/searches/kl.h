#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "octavo/core/histogram.h"
#include "octavo/core/searches/clipping.h"
#include "octavo/core/searches/divergence.h"

namespace octavo {

namespace detail {

/// With p the counts clipped at T bins (what lies beyond is added to bin T-1), N their sum, and q the counts of the
/// first T bins, of sum M, spread evenly over the non-empty bins of each step:
///   KL = sum p/N ln((p/N) / (q/M)) = (sum p ln p - sum over steps of P ln q) / N + ln(M/N)
/// where P is the sum of p over the step. Sums of a step are differences of prefix sums, so a T costs `levels`
/// logarithms instead of T.
class ClippedDivergence {
 public:
  ClippedDivergence(std::span<const std::uint64_t> counts, std::size_t levels) : levels_(levels) {
    double sum = 0.0;
    double used = 0.0;
    double product = 0.0;
    places_.reserve(counts.size() + 1);
    for (const std::uint64_t count : counts) {
      // Doubles hold counts up to 2^53 exactly, and converting integers would cost as much as the logarithms.
      const auto n = static_cast<double>(count);
      places_.push_back({n, sum, used, product});
      sum += n;
      used += n != 0.0 ? 1.0 : 0.0;
      product += n_ln_n(n);
    }
    places_.push_back({0.0, sum, used, product});
  }

  /// Infinite where q is 0 and p is not: where the last bin kept is empty and there is a tail.
  template <typename Real>
  double keeping(std::size_t keep, WeightedLogarithms<Real>& steps) const {
    const Place& end = places_[keep];
    const double total = places_.back().sum;
    const double last = places_[keep - 1].count;
    const double tail = total - end.sum;
    if ((tail != 0.0 && last == 0.0) || end.sum == 0.0) return std::numeric_limits<double>::infinity();
    steps.resize(levels_);
    const Place* begin = places_.data();
    for (std::size_t level = 0; level < levels_; ++level) {
      const Place* next = &places_[(level + 1) * keep / levels_];
      const double sum = next->sum - begin->sum;
      steps.mass[level] = static_cast<Real>(sum);
      // The mean of the bins in use, at least 1; where none is, the mass takes the logarithm out again.
      steps.value[level] =
          static_cast<Real>(std::max(sum, 1.0)) / static_cast<Real>(std::max(next->used - begin->used, 1.0));
      begin = next;
    }
    steps.mass[levels_ - 1] += static_cast<Real>(tail);
    const double own = end.product - n_ln_n(last) + n_ln_n(last + tail);
    return (own - steps.sum()) / total + std::log(end.sum / total);
  }

 private:
  struct Place {
    double count;    ///< of this bin
    double sum;      ///< of all bins below
    double used;     ///< bins below that are not empty
    double product;  ///< sum of n ln n below
  };
  static double n_ln_n(double n) { return n == 0.0 ? 0.0 : n * std::log(n); }

  std::size_t levels_;
  std::vector<Place> places_;
};

}  // namespace detail

/// Where to clip magnitudes so that the Kullback-Leibler divergence between their distribution and its form
/// in `levels` steps is smallest (TensorRT's entropy calibration): every number of bins from `levels` up is
/// tried. Zeros are left out, as by ncnn and TNN: they are exact under any scale. `counts` is the histogram of
/// magnitudes; the answer is the number of bins to keep, the smallest one of equals.
inline std::size_t kl_bins_to_keep(std::span<const std::uint64_t> counts, std::size_t levels) {
  const detail::ClippedDivergence divergence(counts, levels);
  detail::WeightedLogarithms<float> rough;
  detail::WeightedLogarithms<double> precise;
  return detail::least_divergence(
      levels, counts.size(), [&](std::size_t keep) { return divergence.keeping(keep, rough); },
      [&](std::size_t keep) { return divergence.keeping(keep, precise); });
}

/// The range whose larger magnitude is clipped by `kl_bins_to_keep` of at most 2048 bins; an end nearer to zero
/// than that stays as it is. Empty for an empty histogram.
inline Range kl_range(const Histogram& histogram, std::size_t levels) {
  if (histogram.range().empty()) return {};
  std::vector<std::uint64_t> counts = histogram.magnitudes();
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

}  // namespace octavo
