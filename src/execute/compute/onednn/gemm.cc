#ifdef OCTAVO_WITH_ONEDNN

#include "compute/gemm.h"

#include <dnnl.h>

#include <algorithm>

#include "compute/onednn/one_thread.h"
#include "octavo/error.h"
#include "octavo/execute.h"

namespace octavo {

namespace execute {

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const Matrix& a, const Matrix& b, float beta,
          float* c, std::int64_t c_stride) {
  if (m == 0 || n == 0) return;
  if (k == 0) {  // oneDNN leaves c as it was
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) c[i * c_stride + j] = beta == 0.0F ? 0.0F : beta * c[i * c_stride + j];
    }
    return;
  }
  const OneThread one_thread;
  const auto at_least_one = [](std::int64_t stride) { return std::max<std::int64_t>(stride, 1); };
  const dnnl_status_t status =
      dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', m, n, k, alpha, a.data, at_least_one(a.stride),
                 b.data, at_least_one(b.stride), beta, c, at_least_one(c_stride));
  if (status != dnnl_success) throw Error(ErrorCode::internal, "oneDNN refused a matrix product");
}

}  // namespace execute

std::string_view compute_library() { return "oneDNN"; }

}  // namespace octavo

#endif
