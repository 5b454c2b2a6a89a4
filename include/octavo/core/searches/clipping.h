#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "octavo/core/histogram.h"
#include "octavo/core/qparams.h"

namespace octavo {

/// The range that a clipping magnitude stands for: both ends under a symmetric scheme, where the tools' own scale is
/// threshold / 127; otherwise an end nearer to zero than that stays as it is.
inline Range clipped_range(const Range& seen, float threshold, const QScheme& scheme) {
  if (seen.empty()) return {};
  if (scheme.symmetric) return {-threshold, threshold};
  return {std::max(seen.min, -threshold), std::min(seen.max, threshold)};
}

inline float absmax_of(const Range& range) {
  return range.empty() ? 0.0F : std::max(std::fabs(range.min), std::fabs(range.max));
}

/// Counts of bins [i · width, (i + 1) · width) as counts of `bins` equal ones over [0, end], where `end` is the largest
/// value counted. Values are taken as spread evenly over their bin. Results are multiples of `unit`, a power of two, so
/// that sums of them are exact.
inline std::vector<double> rebinned(std::span<const std::uint64_t> counts, double width, double end, std::size_t bins,
                                    double unit) {
  std::vector<double> sums(counts.size() + 1, 0.0);
  for (std::size_t i = 0; i < counts.size(); ++i) sums[i + 1] = sums[i] + static_cast<double>(counts[i]);
  const auto below = [&](double value) {
    const auto bin = static_cast<std::size_t>(value / width);
    if (bin >= counts.size()) return sums.back();
    const double begin = static_cast<double>(bin) * width;
    const double used = std::min(width, end - begin);  // nothing lies beyond the end
    if (used <= 0.0) return sums[bin];
    return sums[bin] + std::min((value - begin) / used, 1.0) * static_cast<double>(counts[bin]);
  };
  std::vector<double> result(bins);
  double before = 0.0;
  for (std::size_t i = 0; i < bins; ++i) {
    const double value = end * (static_cast<double>(i + 1) / static_cast<double>(bins));
    const double upto = i + 1 == bins ? sums.back() : std::nearbyint(below(value) / unit) * unit;
    result[i] = upto - before;
    before = upto;
  }
  return result;
}

}  // namespace octavo
