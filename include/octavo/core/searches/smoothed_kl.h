#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <numeric>
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
      places_.push_back({n, sum, product, static_cast<float>(n + base)});
      sum += n;
      product += (n + base) * std::log(n + base);
    }
    places_.push_back({0.0, sum, product, 0.0F});
    for (std::size_t i = 0; i < levels; ++i) {
      fractions_.push_back(static_cast<double>(i) / static_cast<double>(levels));
      next_shares_.push_back(static_cast<float>(1.0 - fractions_.back()));
    }
  }

  /// Kept from one T to the next for its memory.
  struct RoughSteps {
    WeightedLogarithms<float> steps;  ///< b of each step, weighed with itself
    WeightedLogarithms<float> edges;  ///< b of the edge bin that ends each step, weighed with its a
    std::vector<float> next_share;    ///< how much of that bin belongs to the next step
  };

  /// The divergence in floats. With edge bins taken apart by their fractions, sum a ln b is that of whole steps,
  /// b · width · ln b, and for each edge bin what the logarithm of the mean is above the mean of logarithms.
  double rough(std::size_t keep, RoughSteps& parts) const {
    parts.steps.resize(levels_);
    parts.edges.resize(levels_);
    parts.next_share.resize(levels_);
    const double steps_per_bin = static_cast<double>(levels_) / static_cast<double>(keep);
    double below = 0.0;
    std::size_t numerator = 0;
    std::vector<float>& value = parts.steps.value;
    for (std::size_t step = 0; step < levels_; ++step) {
      numerator += keep;
      const Place& place = places_[numerator >> shift_];
      const double fraction = fractions_[numerator & (levels_ - 1)];
      const double upto = place.sum + fraction * place.count;
      value[step] = static_cast<float>((upto - below) * steps_per_bin + base_);
      parts.edges.mass[step] = place.rough_mass;
      parts.next_share[step] = next_shares_[numerator & (levels_ - 1)];
      below = upto;
    }
    parts.steps.mass = value;
    parts.edges.mass[levels_ - 1] = 0.0F;  // the last step ends with a bin of its own
    for (std::size_t i = 0; i + 1 < levels_; ++i) {
      parts.edges.value[i] = value[i] + parts.next_share[i] * (value[i + 1] - value[i]);
    }
    parts.steps.take_logarithms();
    parts.edges.take_logarithms();
    for (std::size_t i = 0; i + 1 < levels_; ++i) {
      parts.edges.value[i] -= value[i] + parts.next_share[i] * (value[i + 1] - value[i]);  // now logarithms
    }
    const Tail tail = tail_of(keep);
    const double cross = parts.steps.weighted_sum() / steps_per_bin + parts.edges.weighted_sum() +
                         tail.mass * static_cast<double>(value[levels_ - 1]);
    return (tail.own - cross) / places_.back().sum;
  }

  /// The divergence in doubles, bin by bin of each edge.
  double precise(std::size_t keep, WeightedLogarithms<double>& parts) const {
    parts.resize(2 * levels_ - 1);  // steps' inner bins, then edge bins
    const double steps_per_bin = static_cast<double>(levels_) / static_cast<double>(keep);
    double below = 0.0;     // counts below the step
    std::size_t inner = 0;  // its first whole bin
    double fraction = 0.0;  // of the edge bin that belongs to the step before
    double level_before = 1.0;
    for (std::size_t step = 0; step < levels_; ++step) {
      const std::size_t numerator = (step + 1) * keep;
      const std::size_t edge = numerator >> shift_;
      const double next_fraction = fractions_[numerator & (levels_ - 1)];
      const Place& place = places_[edge];
      const double upto = place.sum + next_fraction * place.count;
      const double value = (upto - below) * steps_per_bin + base_;
      const auto whole = static_cast<double>(edge) - static_cast<double>(inner);
      parts.mass[step] = place.sum - places_[inner].sum + base_ * whole;
      parts.value[step] = value;
      if (step > 0) {  // the edge bin between the step before and this one; none where the edge is a bin's own
        const bool shared = fraction != 0.0;
        parts.mass[levels_ + step - 1] = shared ? places_[inner - 1].count + base_ : 0.0;
        parts.value[levels_ + step - 1] = fraction * level_before + (1.0 - fraction) * value;
      }
      below = upto;
      inner = edge + (next_fraction != 0.0 ? 1 : 0);
      fraction = next_fraction;
      level_before = value;
    }
    const Tail tail = tail_of(keep);
    parts.mass[levels_ - 1] += tail.mass;
    return (tail.own - parts.sum()) / places_.back().sum;
  }

 private:
  struct Tail {
    double mass;  ///< of all that lies beyond, which joins the last bin
    double own;   ///< sum of a ln a
  };
  Tail tail_of(std::size_t keep) const {
    const double last = places_[keep - 1].count + base_;
    const auto beyond = static_cast<double>(places_.size() - 1 - keep);
    const double mass = places_.back().sum - places_[keep].sum + tail_base_ * beyond;
    return {mass, places_[keep - 1].product + (last + mass) * std::log(last + mass)};
  }

  struct Place {
    double count;      ///< of this bin
    double sum;        ///< of all bins below
    double product;    ///< sum of (n + base) ln(n + base) below
    float rough_mass;  ///< n + base of this bin
  };

  int shift_;
  std::size_t levels_;
  double base_;
  double tail_base_;
  std::vector<Place> places_;
  std::vector<double> fractions_;   // of whole numbers over `levels`
  std::vector<float> next_shares_;  // what each leaves of one
};

inline std::size_t least_smoothed_divergence(const SmoothedDivergence& divergence, std::size_t bins,
                                             std::size_t levels) {
  SmoothedDivergence::RoughSteps steps;
  WeightedLogarithms<double> parts;
  return least_divergence(
      levels, bins - 1, [&](std::size_t keep) { return divergence.rough(keep, steps); },
      [&](std::size_t keep) { return divergence.precise(keep, parts); });
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
