#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "octavo/core/arithmetic.h"
#include "octavo/core/dtype.h"

namespace octavo::execute {

/// core/rounding.h's round_half_even for |x| < 2^22: adding 1.5 * 2^23 leaves no bits below one. Unlike
/// std::nearbyint it vectorizes without SSE4.1.
inline float round_half_even_small(float x) {
  constexpr float kShift = 12582912.0F;
  return (x + kShift) - kShift;
}

/// core/rounding.h's rules for |x| < 2^22, written to vectorize.
template <Rounding rule>
float round_small(float x) {
  const auto whole = [](float number) { return static_cast<float>(static_cast<std::int32_t>(number)); };
  if constexpr (rule == Rounding::half_even) {
    return round_half_even_small(x);
  } else if constexpr (rule == Rounding::adding_half) {
    return whole(x + (x < 0.0F ? -0.5F : 0.5F));
  } else {
    const float toward_zero = whole(x);
    const float rest = x - toward_zero;  // exact
    return toward_zero + (rest >= 0.5F ? 1.0F : 0.0F) - (rest <= -0.5F ? 1.0F : 0.0F);
  }
}

/// Calls body.template operator()<rule>().
template <typename Body>
void with_rounding(Rounding rule, Body&& body) {
  switch (rule) {
    case Rounding::half_even:
      return std::forward<Body>(body).template operator()<Rounding::half_even>();
    case Rounding::half_away:
      return std::forward<Body>(body).template operator()<Rounding::half_away>();
    case Rounding::adding_half:
      return std::forward<Body>(body).template operator()<Rounding::adding_half>();
  }
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

/// Steps from the zero point that integers of a tensor reach.
struct StepLimits {
  float low;
  float high;
};

template <typename T>
StepLimits step_limits(float zero_point, bool narrow_int8 = false) {
  const float lowest = IntegerLimits<T>::kLowest + (narrow_int8 && dtype_of<T> == DType::i8 ? 1.0F : 0.0F);
  return {lowest - zero_point, IntegerLimits<T>::kHighest - zero_point};
}

/// core/rounding.h's quantize_value less the zero point, written to vectorize. NaN becomes 0.
template <Rounding rule>
float quantized_steps(float x, const StepLimits& limits) {
  const float number = x == x ? x : 0.0F;
  const float bounded = number > limits.low ? number : limits.low;
  return round_small<rule>(bounded < limits.high ? bounded : limits.high);
}

/// The integer of a number of steps.
template <typename T>
T integer_at(float steps, float zero_point) {
  return static_cast<T>(static_cast<std::int32_t>(steps + zero_point));
}

/// round_half_even(x) + zero_point, saturated.
template <typename T>
T saturate_round(float x, float zero_point) {
  return integer_at<T>(quantized_steps<Rounding::half_even>(x, step_limits<T>(zero_point)), zero_point);
}

/// a * b + c rounded once. The product of two floats is exact in double, and so, but for sums of very different size,
/// is what is rounded to float here.
inline float multiply_add(float a, float b, float c) {
  return static_cast<float>(static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(c));
}

}  // namespace octavo::execute
