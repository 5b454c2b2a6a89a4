#pragma once

#include <cstdint>

namespace octavo::execute {

/// c[m x n] = a[m x k] * b[n x k] transposed, in integers modulo 2^32. Elements of a and b must lie within
/// ±255: differences of 8-bit integers.
void gemm_s16s16_s32(std::int64_t m, std::int64_t n, std::int64_t k, const std::int16_t* a, const std::int16_t* b,
                     std::int32_t* c, std::int64_t c_stride);

}  // namespace octavo::execute
