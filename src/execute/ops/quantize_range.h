#pragma once

#include <cmath>

#include "requantize.h"

/// Quantizing by the reals at both ends, as OpenVINO's FakeQuantize does (docs/numerics.md).
namespace octavo::execute {

/// The integers of a type and the reals that the least and the greatest stand for.
template <typename T>
struct QuantizeRange {
  static constexpr float kLowest = IntegerLimits<T>::kLowest;
  static constexpr float kSpan = IntegerLimits<T>::kHighest - IntegerLimits<T>::kLowest;

  float low;
  float high;

  static QuantizeRange of(float scale, float zero_point) {
    return {(kLowest - zero_point) * scale, (kLowest + kSpan - zero_point) * scale};
  }
  float factor() const { return kSpan / (high - low); }
  float shift() const { return -low * kSpan / (high - low); }
};

/// From a real to the number of an integer before it is rounded.
struct RangeMap {
  float factor;
  float shift;
  bool fused;  ///< rounded once

  float operator()(float x) const { return fused ? multiply_add(x, factor, shift) : x * factor + shift; }
};

/// As a layer of its own: (x - low) · factor.
template <typename T>
RangeMap range_map(const QuantizeRange<T>& range) {
  const float factor = range.factor();
  return {factor, QuantizeRange<T>::kLowest - range.low * factor, false};
}

/// As the end of a convolution's kernel, which has no shift where that would be next to nothing, and then divides by
/// the reciprocal of the factor, which is to say that it multiplies by the reciprocal of that.
template <typename T>
RangeMap fused_range_map(const QuantizeRange<T>& range) {
  const float shift = range.shift() + QuantizeRange<T>::kLowest;
  if (std::fabs(shift) >= QuantizeRange<T>::kSpan * 0.00001F) return {range.factor(), shift, true};
  return {1.0F / (1.0F / range.factor()), 0.0F, true};
}

/// Steps from the zero point.
struct RangeSteps {
  RangeMap map;
  float zero_point;
  StepLimits limits;  ///< of the steps

  float operator()(float x) const {
    const float number = map(x == x ? x : 0.0F);
    return quantized_steps<Rounding::half_even>(number, {limits.low + zero_point, limits.high + zero_point}) -
           zero_point;
  }
};

}  // namespace octavo::execute
