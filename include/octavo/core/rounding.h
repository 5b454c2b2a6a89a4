#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace octavo {

// Every rounding rule and the order of rounding, zero point and clamping, in plain scalar code: this is the
// specification, docs/numerics.md explains it, and everything faster is tested against it.

/// To the nearest integer, ties to the even one: ONNX, PyTorch, TensorRT, OpenVINO.
inline float round_half_even(float x) { return std::nearbyint(x); }  // the default rounding mode is presumed
inline double round_half_even(double x) { return std::nearbyint(x); }

/// To the nearest integer, ties away from zero: ncnn, TNN's weights.
inline float round_half_away(float x) { return std::round(x); }

/// TNN's float2int8: half is added in float and the rest cut off, so 0.49999997 becomes 1.
inline float round_by_adding_half(float x) { return std::trunc(x < 0.0F ? x - 0.5F : x + 0.5F); }

/// Toward zero: TNN's int32 biases.
inline float round_toward_zero(float x) { return std::trunc(x); }

/// How one channel's reals and integers belong together: real = (q - zero_point) * scale. The scale is
/// finite and above zero, quant_min <= zero_point <= quant_max, all three within 17 bits.
struct AffineMap {
  float scale = 1.0F;
  std::int32_t zero_point = 0;
  std::int32_t quant_min = 0;
  std::int32_t quant_max = 255;
};

/// ONNX QuantizeLinear: saturate(round_half_even(x / scale) + zero_point). Infinities saturate; NaN becomes
/// the zero point.
inline std::int32_t quantize_value(float x, const AffineMap& map) {
  const float steps = x / map.scale;
  if (std::isnan(steps)) return map.zero_point;
  // Clamping in float comes first: the conversion of a large float to an integer is undefined.
  const auto low = static_cast<float>(map.quant_min - map.zero_point);
  const auto high = static_cast<float>(map.quant_max - map.zero_point);
  return static_cast<std::int32_t>(round_half_even(std::clamp(steps, low, high))) + map.zero_point;
}

/// ONNX DequantizeLinear.
inline float dequantize_value(std::int32_t q, const AffineMap& map) {
  return static_cast<float>(q - map.zero_point) * map.scale;
}

/// PyTorch's fake quantization, which multiplies by the reciprocal where ONNX divides. NaN becomes 0.
inline float fake_quantize_value(float x, const AffineMap& map) {
  const float inverse = 1.0F / map.scale;
  const float steps = x * inverse;
  if (std::isnan(steps)) return 0.0F;
  const auto low = static_cast<float>(map.quant_min - map.zero_point);
  const auto high = static_cast<float>(map.quant_max - map.zero_point);
  // Adding zero turns -0 into the +0 that the way over an integer gives.
  return (std::clamp(round_half_even(steps), low, high) + 0.0F) * map.scale;
}

/// An int32 bias: saturate(round_half_even(bias / scale)), divided in double because 24 bits do not hold an
/// int32. NaN becomes 0.
inline std::int32_t quantize_bias_value(float bias, float scale) {
  const double steps = static_cast<double>(bias) / static_cast<double>(scale);
  if (std::isnan(steps)) return 0;
  return static_cast<std::int32_t>(std::clamp(round_half_even(steps), -2147483648.0, 2147483647.0));
}

}  // namespace octavo
