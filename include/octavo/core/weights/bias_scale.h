#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "octavo/core/require.h"

namespace octavo {

/// Weight scales, no smaller than `weight_scale`, with which an int32 bias of scale input_scale * weight_scale
/// neither overflows nor loses its scale to underflow: a channel of tiny weights and a large bias asks for it.
/// One scale for each bias, or one for all. ONNX Runtime enlarges them for the same reason. Where even the
/// largest float is too small the bias saturates.
inline std::vector<float> scales_that_hold_bias(std::span<const float> weight_scale, float input_scale,
                                                std::span<const float> bias) {
  OCTAVO_REQUIRE(weight_scale.size() == 1 || bias.size() <= weight_scale.size(), "one scale, or one for each bias");
  // Below 2^31 - 1 by more than the rounding of the scale and of the product can undo.
  constexpr double kMostSteps = 2147483647.0 * (1.0 - 1.0 / (1 << 20));
  constexpr double kLargest = std::numeric_limits<float>::max();
  constexpr double kSmallestProduct = std::numeric_limits<float>::min();
  std::vector<float> scales(weight_scale.begin(), weight_scale.end());
  const auto raise = [&](float& scale, double needed) {
    if (needed > scale)
      scale = std::nextafter(static_cast<float>(std::min(needed, kLargest)), static_cast<float>(kLargest));
  };
  for (float& scale : scales) raise(scale, kSmallestProduct / input_scale);
  for (std::size_t c = 0; c < bias.size(); ++c) {
    const double steps_of_one = std::fabs(double{bias[c]}) / input_scale;  // NaN raises nothing
    raise(scales[scales.size() == 1 ? 0 : c], steps_of_one / kMostSteps);
  }
  return scales;
}

}  // namespace octavo
