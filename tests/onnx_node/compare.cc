#include "compare.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

namespace octavo::onnx_node {
namespace {

double half_to_double(std::uint16_t bits, int mantissa) {
  const int exponent_mask = (1 << (15 - mantissa)) - 1;
  const int exponent = (bits >> mantissa) & exponent_mask;
  const int fraction = bits & ((1 << mantissa) - 1);
  const int bias = exponent_mask / 2;
  double value = 0;
  if (exponent == exponent_mask)
    value = fraction == 0 ? INFINITY : NAN;
  else if (exponent == 0)
    value = std::ldexp(fraction, 1 - bias - mantissa);
  else
    value = std::ldexp((1 << mantissa) + fraction, exponent - bias - mantissa);
  return (bits & 0x8000) != 0 ? -value : value;
}

/// Element `i` of a floating-point tensor.
double element(const Tensor& tensor, std::size_t i) {
  std::uint16_t bits = 0;
  switch (tensor.dtype()) {
    case DType::f32:
      return static_cast<double>(tensor.data<float>()[i]);
    case DType::f64:
      return tensor.data<double>()[i];
    default:
      std::memcpy(&bits, tensor.bytes() + 2 * i, 2);
      return half_to_double(bits, tensor.dtype() == DType::f16 ? 10 : 7);
  }
}

bool is_close(double actual, double expected) {
  if (std::isnan(actual) || std::isnan(expected)) return std::isnan(actual) && std::isnan(expected);
  if (std::isinf(actual) || std::isinf(expected)) return actual == expected;
  return std::fabs(actual - expected) <= 1e-7 + 1e-3 * std::fabs(expected);
}

}  // namespace

std::string difference(const Tensor& actual, const Tensor& expected) {
  if (actual.dtype() != expected.dtype())
    return fmt::format("type {}, expected {}", name_of(actual.dtype()), name_of(expected.dtype()));
  if (actual.shape() != expected.shape())
    return fmt::format("shape {}, expected {}", fmt::join(actual.shape(), "x"), fmt::join(expected.shape(), "x"));
  const std::size_t width = size_of(actual.dtype());
  const bool real = actual.dtype() == DType::f32 || actual.dtype() == DType::f64 || actual.dtype() == DType::f16 ||
                    actual.dtype() == DType::bf16;
  for (std::size_t i = 0; i < static_cast<std::size_t>(actual.size()); ++i) {
    if (real && !is_close(element(actual, i), element(expected, i)))
      return fmt::format("element {} is {}, expected {}", i, element(actual, i), element(expected, i));
    if (!real && std::memcmp(actual.bytes() + i * width, expected.bytes() + i * width, width) != 0)
      return fmt::format("element {} of type {} differs", i, name_of(actual.dtype()));
  }
  return "";
}

}  // namespace octavo::onnx_node
