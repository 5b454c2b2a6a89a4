#pragma once

#include <bit>
#include <cstdint>

#include "octavo/core/dtype.h"

namespace octavo::execute {

/// IEEE 754 binary16 and bfloat16 to and from double. Rounding is half to even, once; too large values become
/// infinite and NaN stays NaN.
double f16_to_double(std::uint16_t bits);
double bf16_to_double(std::uint16_t bits);
std::uint16_t double_to_f16(double value);
std::uint16_t double_to_bf16(double value);

/// Elements of f16 and bf16 tensors: they convert to float, which holds all of them, and compute in it.
struct Float16 {
  std::uint16_t bits = 0;
  Float16() = default;
  Float16(double value) : bits(double_to_f16(value)) {}                       // NOLINT: an arithmetic type
  operator float() const { return static_cast<float>(f16_to_double(bits)); }  // NOLINT: the same
};
struct BFloat16 {
  std::uint16_t bits = 0;
  BFloat16() = default;
  BFloat16(double value) : bits(double_to_bf16(value)) {}                             // NOLINT: the same
  operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }  // NOLINT: the same
};

}  // namespace octavo::execute

namespace octavo {
template <>
inline constexpr DType dtype_of<execute::Float16> = DType::f16;
template <>
inline constexpr DType dtype_of<execute::BFloat16> = DType::bf16;
}  // namespace octavo
