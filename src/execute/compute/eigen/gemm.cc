#ifndef OCTAVO_WITH_ONEDNN

// Splitting is ours: Eigen's own would depend on the number of threads.
#define EIGEN_DONT_PARALLELIZE
#include "compute/gemm.h"

#include <Eigen/Core>

#include "octavo/execute.h"

namespace octavo {

namespace execute {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstMap = Eigen::Map<const RowMajor, 0, Eigen::OuterStride<>>;

ConstMap stored(const Matrix& matrix, std::int64_t rows, std::int64_t columns) {
  return matrix.transposed ? ConstMap(matrix.data, columns, rows, Eigen::OuterStride<>(matrix.stride))
                           : ConstMap(matrix.data, rows, columns, Eigen::OuterStride<>(matrix.stride));
}

}  // namespace

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const Matrix& a, const Matrix& b, float beta,
          float* c, std::int64_t c_stride) {
  Eigen::Map<RowMajor, 0, Eigen::OuterStride<>> result(c, m, n, Eigen::OuterStride<>(c_stride));
  if (beta == 0.0F)
    result.setZero();
  else if (beta != 1.0F)
    result *= beta;
  if (k == 0) return;
  const ConstMap left = stored(a, m, k);
  const ConstMap right = stored(b, k, n);
  if (a.transposed && b.transposed)
    result.noalias() += alpha * left.transpose() * right.transpose();
  else if (a.transposed)
    result.noalias() += alpha * left.transpose() * right;
  else if (b.transposed)
    result.noalias() += alpha * left * right.transpose();
  else
    result.noalias() += alpha * left * right;
}

}  // namespace execute

std::string_view compute_library() { return "Eigen"; }

}  // namespace octavo

#endif
