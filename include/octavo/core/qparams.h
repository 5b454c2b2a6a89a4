#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "octavo/core/qscheme.h"
#include "octavo/core/rounding.h"

namespace octavo {

/// An interval of real numbers; empty until something was seen.
struct Range {
  float min = std::numeric_limits<float>::infinity();
  float max = -std::numeric_limits<float>::infinity();

  /// Also where a limit is NaN.
  bool empty() const { return !(min <= max); }
  /// The smallest range that holds both.
  Range joined(const Range& other) const { return {std::min(min, other.min), std::max(max, other.max)}; }
  friend bool operator==(const Range&, const Range&) = default;
};

/// The map of one index of the axis, or of one group; any index where parameters are per tensor.
inline AffineMap affine_map(const QParams& params, std::size_t channel) {
  const std::size_t i = params.axis != QScheme::kPerTensor ? channel : 0;
  return {params.scale[i], params.zero_point[i], params.quant_min, params.quant_max};
}

namespace detail {

/// The smallest power of two that is no smaller than `scale`, a float above zero; the largest one for all beyond it.
inline float next_power_of_two(float scale) {
  int exponent = 0;
  const float mantissa = std::frexp(scale, &exponent);  // in [0.5, 1)
  return std::ldexp(1.0F, std::min(mantissa == 0.5F ? exponent - 1 : exponent, 127));
}

/// The float quotient, or where that overflows the one in double, no smaller than the scheme's eps.
inline float positive_scale(float scale, double in_double, const QScheme& scheme) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  if (!std::isfinite(scale)) scale = static_cast<float>(std::min(in_double, double{kLargest}));
  scale = std::max(scale, scheme.eps);
  return scheme.power_of_two ? next_power_of_two(scale) : scale;
}

/// Where symmetric schemes put real zero: 0 for signed; for unsigned the upper middle, 128 for 8 bits, or the lower
/// where the limits were given.
inline std::int32_t symmetric_zero_point(const QScheme& scheme) {
  if (scheme.is_signed()) return 0;
  return (scheme.quant_max() + (scheme.explicit_range ? 0 : 1)) / 2;
}

inline AffineMap map_from_range(const Range& range, const QScheme& scheme) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  const std::int32_t low = scheme.quant_min();
  const std::int32_t high = scheme.quant_max();
  if (range.empty()) return {1.0F, 0, low, high};
  // Float arithmetic throughout, as PyTorch's: zero points must round as its do.
  const float min = std::clamp(std::min(range.min, 0.0F), -kLargest, 0.0F);
  const float max = std::clamp(std::max(range.max, 0.0F), 0.0F, kLargest);
  if (scheme.symmetric) {
    const float absmax = std::max(-min, max);
    const float half = static_cast<float>(high - low) / 2.0F;
    const float scale = positive_scale(absmax / half, double{absmax} / double{half}, scheme);
    return {scale, symmetric_zero_point(scheme), low, high};
  }
  const auto steps = static_cast<float>(high - low);
  const float scale = positive_scale((max - min) / steps, (double{max} - double{min}) / double{steps}, scheme);
  // |min / scale| is at most high - low, or less where the scale was raised.
  const auto zero_point = low - static_cast<std::int32_t>(round_half_even(min / scale));
  return {scale, std::clamp(zero_point, low, high), low, high};
}

}  // namespace detail

/// From ranges to scales and zero points as PyTorch's UniformQuantizationObserverBase does it (formulas in
/// docs/numerics.md): one range, or one for each index of `scheme.axis` or each group along it. Every range is extended
/// to hold zero. Scales are finite and at least `scheme.eps`; an empty range gives scale 1 and zero point 0, as an
/// observer of PyTorch's that never ran. Infinite limits count as the largest finite float.
inline QParams qparams_from_ranges(std::span<const Range> ranges, const QScheme& scheme) {
  OCTAVO_REQUIRE(scheme.valid(), "a valid scheme");
  OCTAVO_REQUIRE(scheme.axis != QScheme::kPerTensor || ranges.size() == 1, "one range for a scheme per tensor");
  QParams params;
  params.axis = scheme.axis;
  params.group_size = scheme.group_size;
  params.quant_min = scheme.quant_min();
  params.quant_max = scheme.quant_max();
  params.storage = scheme.storage();
  for (const Range& range : ranges) {
    const AffineMap map = detail::map_from_range(range, scheme);
    params.scale.push_back(map.scale);
    params.zero_point.push_back(map.zero_point);
  }
  return params;
}

/// The same for one range and the whole tensor, whatever the scheme's axis.
inline QParams qparams_from_range(const Range& range, QScheme scheme) {
  scheme.axis = QScheme::kPerTensor;
  scheme.group_size = 0;
  return qparams_from_ranges({&range, 1}, scheme);
}

}  // namespace octavo
