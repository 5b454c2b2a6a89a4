#pragma once

#include <cstdint>

namespace octavo::execute {

/// One row-major matrix as it lies in memory; `transposed` says that it is to be read as its transpose.
struct Matrix {
  const float* data = nullptr;
  std::int64_t stride = 0;  ///< elements from one stored row to the next
  bool transposed = false;
};

/// c[m x n] = alpha * a[m x k] * b[k x n] + beta * c, on the calling thread alone. Where beta is 0, c may
/// hold anything. Implemented by oneDNN or by Eigen, as the build has it.
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const Matrix& a, const Matrix& b, float beta,
          float* c, std::int64_t c_stride);

}  // namespace octavo::execute
