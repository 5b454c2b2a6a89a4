#pragma once

#include <cstdint>

#include "compute/conv.h"

namespace octavo::execute {

/// Writes the patches that the output positions [begin, end) read, one column each:
/// columns[channels * kernel positions][end - begin]; padding is `T{pad}`.
template <typename T>
void im2col(const T* image, std::int64_t channels, const ConvShape& shape, std::int64_t begin, std::int64_t end, T pad,
            T* columns);

/// Adds the columns of the output positions [0, output_size) to where `im2col` would have read them.
void add_columns(const float* columns, std::int64_t channels, const ConvShape& shape, float* image);

}  // namespace octavo::execute
