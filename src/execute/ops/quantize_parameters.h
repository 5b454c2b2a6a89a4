#pragma once

#include <cstdint>
#include <span>

#include "op.h"

namespace octavo::execute {

/// Which scale belongs to which element: rows of x, split around the axis, that share scales.
///   per tensor: one row with one scale; per axis: a row for each index of the axis with one scale;
///   blocked: a row for each index with a scale for each element.
struct QuantizeLayout {
  std::int64_t rows = 1;
  std::int64_t length = 1;  ///< elements of a row
  std::int64_t period = 1;  ///< per axis: row r takes scale r % period
  std::int64_t block = 0;   ///< blocked: indices of the axis that share scales; else 0
  std::int64_t axis_size = 1;

  /// First scale of the row; the row's elements take consecutive ones where `block` is not 0.
  std::int64_t scale_index(std::int64_t row) const {
    if (block == 0) return row % period;
    const std::int64_t blocks = (axis_size + block - 1) / block;
    return (row / axis_size * blocks + row % axis_size / block) * length;
  }
};

/// From the shapes of inputs 0 (x) and 1 (scale) and the attributes; fails where these or the zero point's
/// shape do not fit.
QuantizeLayout quantize_layout(const RunContext& context, std::int64_t axis, std::int64_t block_size);

}  // namespace octavo::execute
