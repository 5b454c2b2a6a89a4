#include "half.h"

#include <cmath>
#include <limits>

namespace octavo::execute {
namespace {

/// Bits of the nearest number of a format with `mantissa` stored bits and exponents from 1 - `bias` to `bias`.
std::uint16_t to_small_float(double value, int mantissa, int bias) {
  const int exponent_bits = 15 - mantissa;
  const auto infinity = static_cast<std::uint16_t>(((1 << exponent_bits) - 1) << mantissa);
  const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | infinity | (1 << (mantissa - 1)));
  const double magnitude = std::fabs(value);
  if (magnitude == 0) return sign;
  if (std::isinf(magnitude)) return static_cast<std::uint16_t>(sign | infinity);
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  // Numbers of one exponent are multiples of one unit; below the smallest normal number the unit stays.
  const int unit = (exponent - 1 < 1 - bias ? 1 - bias : exponent - 1) - mantissa;
  const double units = std::nearbyint(std::ldexp(magnitude, -unit));
  // Steps count on through the exponents: the bits of a format are its numbers in order.
  const double bits = units + static_cast<double>(unit + mantissa + bias - 1) * std::ldexp(1.0, mantissa);
  if (bits >= static_cast<double>(infinity)) return static_cast<std::uint16_t>(sign | infinity);
  return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(bits));
}

}  // namespace

double f16_to_double(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1F;
  const int fraction = bits & 0x3FF;
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == 31) {
    return fraction != 0 ? std::numeric_limits<double>::quiet_NaN() : sign * std::numeric_limits<double>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

double bf16_to_double(std::uint16_t bits) {
  return static_cast<double>(std::bit_cast<float>(std::uint32_t{bits} << 16));
}

std::uint16_t double_to_f16(double value) { return to_small_float(value, 10, 15); }
std::uint16_t double_to_bf16(double value) { return to_small_float(value, 7, 127); }

}  // namespace octavo::execute
