#include "compute/integer_gemm.h"

#include <algorithm>

namespace octavo::execute {
namespace {

/// 255 * 255 * 32768 is the largest sum that int32 holds.
constexpr std::int64_t kBlock = 32768;

// Compilers turn this loop into multiply-add of 16-bit pairs (pmaddwd).
std::int32_t dot(const std::int16_t* a, const std::int16_t* b, std::int64_t count) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += std::int32_t{a[i]} * std::int32_t{b[i]};
  return sum;
}

}  // namespace

void gemm_s16s16_s32(std::int64_t m, std::int64_t n, std::int64_t k, const std::int16_t* a, const std::int16_t* b,
                     std::int32_t* c, std::int64_t c_stride) {
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      std::uint32_t sum = 0;
      for (std::int64_t begin = 0; begin < k; begin += kBlock) {
        sum += static_cast<std::uint32_t>(dot(a + i * k + begin, b + j * k + begin, std::min(kBlock, k - begin)));
      }
      c[i * c_stride + j] = static_cast<std::int32_t>(sum);
    }
  }
}

}  // namespace octavo::execute
