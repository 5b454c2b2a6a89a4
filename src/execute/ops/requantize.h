#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "octavo/core/dtype.h"

namespace octavo::execute {

/// core/rounding.h's round_half_even for |x| < 2^22: adding 1.5 * 2^23 leaves no bits below one. Unlike
/// std::nearbyint it vectorizes without SSE4.1.
inline float round_half_even_small(float x) {
  constexpr float kShift = 12582912.0F;
  return (x + kShift) - kShift;
}

/// The limits of an integer type of tensors.
template <typename T>
struct IntegerLimits {
  static constexpr float kLowest = static_cast<float>(std::numeric_limits<T>::lowest());
  static constexpr float kHighest = static_cast<float>(std::numeric_limits<T>::max());
};
template <>
struct IntegerLimits<Int4> {
  static constexpr float kLowest = -8.0F;
  static constexpr float kHighest = 7.0F;
};
template <>
struct IntegerLimits<UInt4> {
  static constexpr float kLowest = 0.0F;
  static constexpr float kHighest = 15.0F;
};

/// core/rounding.h's quantize_value less the zero point, written to vectorize: round(x) clamped to where the
/// zero point added stays within T. NaN becomes 0.
template <typename T>
float quantized_steps(float x, float zero_point) {
  const float low = IntegerLimits<T>::kLowest - zero_point;
  const float high = IntegerLimits<T>::kHighest - zero_point;
  const float number = x == x ? x : 0.0F;
  const float bounded = number > low ? number : low;
  return round_half_even_small(bounded < high ? bounded : high);
}

template <typename T>
T saturate_round(float x, float zero_point) {
  return static_cast<T>(static_cast<std::int32_t>(quantized_steps<T>(x, zero_point) + zero_point));
}

}  // namespace octavo::execute
