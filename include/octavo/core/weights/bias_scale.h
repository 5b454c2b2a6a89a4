#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "octavo/core/qparams.h"
#include "octavo/core/require.h"

namespace octavo {

/// Weight scales, no smaller than `weight_scale`, with which an int32 bias of scale input_scale * weight_scale
/// stays below 2^30, so that sums of products still fit beside it, and its scale does not underflow: a channel of
/// tiny weights and a large bias asks for it. One scale for each bias, or one for all. ONNX Runtime enlarges them for
/// the same reason. Where even the largest float is too small the bias saturates. Scales that grow become powers of two
/// where the scheme wants that of them.
inline std::vector<float> scales_that_hold_bias(std::span<const float> weight_scale, float input_scale,
                                                std::span<const float> bias, bool power_of_two = false) {
  OCTAVO_REQUIRE(weight_scale.size() == 1 || bias.size() <= weight_scale.size(), "one scale, or one for each bias");
  // The bias takes half of int32 at most: the sum that is added to it, up to 255 * 127 for each of K products,
  // has the other half, enough for K of 33,000. Beyond int32 runtimes wrap around.
  constexpr double kMostSteps = 1073741824.0;
  constexpr double kLargest = std::numeric_limits<float>::max();
  constexpr double kSmallestProduct = std::numeric_limits<float>::min();
  std::vector<float> scales(weight_scale.begin(), weight_scale.end());
  const auto raise = [&](float& scale, double needed) {
    if (!(needed > scale)) return;
    scale = std::nextafter(static_cast<float>(std::min(needed, kLargest)), static_cast<float>(kLargest));
    if (power_of_two) scale = detail::next_power_of_two(scale);
  };
  for (float& scale : scales) raise(scale, kSmallestProduct / input_scale);
  for (std::size_t c = 0; c < bias.size(); ++c) {
    const double steps_of_one = std::fabs(double{bias[c]}) / input_scale;  // NaN raises nothing
    raise(scales[scales.size() == 1 ? 0 : c], steps_of_one / kMostSteps);
  }
  return scales;
}

}  // namespace octavo
