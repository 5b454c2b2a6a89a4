#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace octavo::execute {

/// core/rounding.h's round_half_even for |x| < 2^22: adding 1.5 * 2^23 leaves no bits below one. Unlike
/// std::nearbyint it vectorizes without SSE4.1.
inline float round_half_even_small(float x) {
  constexpr float kShift = 12582912.0F;
  return (x + kShift) - kShift;
}

/// core/rounding.h's quantize_value less the zero point, written to vectorize: round(x) clamped to where the
/// zero point added stays within T. NaN becomes 0.
template <typename T>
float quantized_steps(float x, float zero_point) {
  const float low = static_cast<float>(std::numeric_limits<T>::lowest()) - zero_point;
  const float high = static_cast<float>(std::numeric_limits<T>::max()) - zero_point;
  const float number = x == x ? x : 0.0F;
  const float bounded = number > low ? number : low;
  return round_half_even_small(bounded < high ? bounded : high);
}

template <typename T>
T saturate_round(float x, float zero_point) {
  return static_cast<T>(static_cast<std::int32_t>(quantized_steps<T>(x, zero_point) + zero_point));
}

}  // namespace octavo::execute
