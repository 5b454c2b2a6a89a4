#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <type_traits>

#include "op.h"

namespace octavo::execute {

/// A number as an integer type: cut towards zero, clamped to the type's range, 0 for NaN.
template <typename T>
T saturate(double value) {
  static_assert(std::is_integral_v<T>);
  if (std::isnan(value)) return 0;
  // The bounds as double may lie beyond the type's range by rounding; equality is taken out for that.
  if (value <= static_cast<double>(std::numeric_limits<T>::lowest())) return std::numeric_limits<T>::lowest();
  if (value >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}

/// Writes the elements of `source` to `target` as type `to`. Between integers the low bits are kept; floats
/// saturate; anything but 0 is true. Fails for types that Octavo does not compute with.
void cast_elements(RunContext& context, const TensorView& source, DType to, void* target);

/// The elements of input `i` as f32: the input's own, or converted into scratch memory.
std::span<const float> as_floats(RunContext& context, std::size_t i);

}  // namespace octavo::execute
