#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "octavo/core/fake_quantize.h"
#include "octavo/core/uniform_quantization_observer.h"

namespace octavo {

namespace detail {

/// PyTorch's ChooseQuantizationParams, for a range that was seen.
inline AffineMap fused_map_from_range(const Range& range, const QScheme& scheme) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  constexpr float kSmallestScale = 6.1e-5F;
  const std::int32_t low = scheme.quant_min();
  const std::int32_t high = scheme.quant_max();
  float min = range.min;
  float max = range.max;
  // Of two integers none is left on either side of a middle; PyTorch divides by zero there.
  const std::int32_t half = (high - low) / 2;
  if (min < 0.0F && max > 0.0F && scheme.symmetric && half > 0) {
    const double step =
        std::max(std::fabs(min / static_cast<float>(-(half + 1))), std::fabs(max / static_cast<float>(half)));
    min = static_cast<float>(std::max(step * -(half + 1), -double{kLargest}));
    max = static_cast<float>(std::min(step * half, double{kLargest}));
  }
  min = std::min(min, 0.0F);
  max = std::max(max, 0.0F);
  double scale = (double{max} - double{min}) / (high - low);
  const auto rounded = static_cast<float>(scale);
  if (rounded == 0.0F || std::isinf(1.0F / rounded)) scale = 0.1;
  if (scale < double{kSmallestScale}) {
    const float growth = kSmallestScale / static_cast<float>(scale);
    scale = double{kSmallestScale};
    if (min == 0.0F) {
      max = kSmallestScale * static_cast<float>(high - low);
    } else if (max == 0.0F) {
      min = -kSmallestScale * static_cast<float>(high - low);
    } else {
      min *= growth;
      max *= growth;
    }
  }
  if (scheme.power_of_two) scale = double{positive_scale(static_cast<float>(scale), scale, scheme)};
  const double steps_below = min / scale;
  const double steps_above = max / scale;
  const bool from_min = std::abs(low) - std::fabs(steps_below) < std::abs(high) - std::fabs(steps_above);
  double zero_point = from_min ? low - steps_below : high - steps_above;
  if (min < 0.0F && max > 0.0F && scheme.symmetric) zero_point = (low + high) / 2.0;
  const double nearest = std::clamp(round_half_even(zero_point), double(low), double(high));
  return {static_cast<float>(std::min(scale, double{kLargest})), static_cast<std::int32_t>(nearest), low, high};
}

}  // namespace detail

/// Parameters as torch.fused_moving_avg_obs_fake_quant computes them, which differ from `qparams_from_ranges`: in
/// double; scales of at least 6.1e-5, and 0.1 for zeros; symmetric schemes leave their middle where all values have one
/// sign; the scheme's eps has no part in it. The same arguments.
inline QParams fused_qparams_from_ranges(std::span<const Range> ranges, const QScheme& scheme) {
  QParams params = qparams_from_ranges(ranges, scheme);  // for what was not seen
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].empty()) continue;
    const AffineMap map = detail::fused_map_from_range(ranges[i], scheme);
    params.scale[i] = map.scale;
    params.zero_point[i] = map.zero_point;
  }
  return params;
}

/// PyTorch's FusedMovingAvgObsFakeQuantize: FakeQuantize by a moving average, with parameters by
/// `fused_qparams_from_ranges`.
class FusedMovingAvgObsFakeQuantize final : public FakeQuantize {
 public:
  FusedMovingAvgObsFakeQuantize(const QScheme& scheme, std::unique_ptr<ObserverBase> observer,
                                const Kernels& kernels = plain_kernels())
      : FakeQuantize(scheme, std::move(observer), &qparams_of, kernels) {}

  /// Of the observer's ranges; of an observer that has none, its own parameters.
  static QParams qparams_of(const ObserverBase& observer, const QScheme& scheme) {
    const UniformQuantizationObserverBase* uniform = observer.uniform();
    if (uniform == nullptr) return observer.compute_qparams(scheme);
    return uniform->qparams_by(&fused_qparams_from_ranges, scheme);
  }
};

}  // namespace octavo
