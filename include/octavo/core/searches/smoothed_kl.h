#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/histogram.h"
#include "octavo/core/searches/clipping.h"
#include "octavo/core/searches/divergence.h"

namespace octavo {

namespace detail {

/// The divergence that TNN and ncnn minimize. The first T bins become `levels` steps of T / levels bins each, the edge
/// bins shared out by their fractions, and are spread evenly again; no bin is empty because each holds `base` more
/// than was counted. With a the clipped counts and b the counts spread again, both with their base,
///   KL = (sum a ln a - sum a ln b) / N,
/// where b is one number over the inner bins of a step and a mean of two neighbours' on an edge: prefix sums give a T
/// in twice `levels` logarithms instead of T.
class SmoothedDivergence {
 public:
  /// `levels` is a power of two; `tail_base` is what each bin beyond T adds to the tail besides its count.
  SmoothedDivergence(std::span<const double> counts, std::size_t levels, double base, double tail_base)
      : shift_(std::countr_zero(levels)), levels_(levels), base_(base), tail_base_(tail_base) {
    double sum = 0.0;
    double product = 0.0;
    for (const double n : counts) {
      places_.push_back({n, sum, product});
      sum += n;
      product += (n + base) * std::log(n + base);
    }
    places_.push_back({0.0, sum, product});
  }

  template <typename Real>
  double keeping(std::size_t keep, WeightedLogarithms<Real>& parts) const {
    const double steps_per_bin = static_cast<double>(levels_) / static_cast<double>(keep);
    parts.resize(2 * levels_ - 1);  // steps' inner bins, then edge bins
    const double part = 1.0 / static_cast<double>(levels_);
    double below = 0.0;     // counts below the step
    std::size_t inner = 0;  // its first whole bin
    double fraction = 0.0;  // of the edge bin that belongs to the step before
    double level_before = 1.0;
    for (std::size_t step = 0; step < levels_; ++step) {
      const std::size_t numerator = (step + 1) * keep;
      const std::size_t edge = numerator >> shift_;
      const double next_fraction = static_cast<double>(numerator & (levels_ - 1)) * part;
      const Place& place = places_[edge];
      const double upto = place.sum + next_fraction * place.count;
      const double value = (upto - below) * steps_per_bin + base_;
      const auto whole = static_cast<double>(edge) - static_cast<double>(inner);
      parts.mass[step] = static_cast<Real>(place.sum - places_[inner].sum + base_ * whole);
      parts.value[step] = static_cast<Real>(value);
      if (step > 0) {  // the edge bin between the step before and this one; none where the edge is a bin's own
        const bool shared = fraction != 0.0;
        parts.mass[levels_ + step - 1] = static_cast<Real>(shared ? places_[inner - 1].count + base_ : 0.0);
        parts.value[levels_ + step - 1] = static_cast<Real>(fraction * level_before + (1.0 - fraction) * value);
      }
      below = upto;
      inner = edge + (next_fraction != 0.0 ? 1 : 0);
      fraction = next_fraction;
      level_before = value;
    }
    const double last = places_[keep - 1].count + base_;
    const auto beyond = static_cast<double>(places_.size() - 1 - keep);
    const double tail = places_.back().sum - places_[keep].sum + tail_base_ * beyond;
    parts.mass[levels_ - 1] += static_cast<Real>(tail);
    const double own = places_[keep - 1].product + (last + tail) * std::log(last + tail);
    return (own - parts.sum()) / places_.back().sum;
  }

 private:
  struct Place {
    double count;    ///< of this bin
    double sum;      ///< of all bins below
    double product;  ///< sum of (n + base) ln(n + base) below
  };

  int shift_;
  std::size_t levels_;
  double base_;
  double tail_base_;
  std::vector<Place> places_;
};

inline std::size_t least_smoothed_divergence(const SmoothedDivergence& divergence, std::size_t bins,
                                             std::size_t levels) {
  WeightedLogarithms<float> rough;
  WeightedLogarithms<double> precise;
  return least_divergence(
      levels, bins - 1, [&](std::size_t keep) { return divergence.keeping(keep, rough); },
      [&](std::size_t keep) { return divergence.keeping(keep, precise); });
}

}  // namespace detail

/// TNN's choice among T of `levels` to bins - 1: every bin begins at 1e-7 of a count, in the tail too.
/// `counts` are multiples of a power of two and not all zero; `levels` is a power of two below their number.
inline std::size_t tnn_kl_bins(std::span<const double> counts, std::size_t levels) {
  return detail::least_smoothed_divergence({counts, levels, 1e-7, 1e-7}, counts.size(), levels);
}

/// ncnn2table's: every bin kept has 1e-4 of all counts more, the tail does not.
inline std::size_t ncnn_kl_bins(std::span<const double> counts, std::size_t levels) {
  double total = 0.0;
  for (const double n : counts) total += n;
  return detail::least_smoothed_divergence({counts, levels, 1e-4 * total, 0.0}, counts.size(), levels);
}

/// The threshold (T + 1/2) · absmax / 2048 of one of these searches over 2048 bins of [0, absmax]. The whole range
/// where there is nothing but zeros, or no choice.
template <typename Bins>
Range smoothed_kl_range(const Histogram& histogram, const QScheme& scheme, const Bins& bins_to_keep) {
  constexpr std::size_t kBins = 2048;
  const Range& seen = histogram.range();
  const std::size_t levels = std::size_t{1} << (scheme.bits - 1);
  const float absmax = absmax_of(seen);
  if (absmax == 0.0F || levels >= kBins) return seen;
  const auto counts = rebinned(histogram.magnitudes(), histogram.width(), absmax, kBins, 0x1p-8);
  const auto keep = static_cast<double>(bins_to_keep(counts, levels));
  return clipped_range(seen, static_cast<float>((keep + 0.5) * absmax / kBins), scheme);
}

}  // namespace octavo
