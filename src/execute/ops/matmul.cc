#include <algorithm>

#include "batched_product.h"
#include "compute/gemm.h"
#include "op.h"

namespace octavo::execute {
namespace {

constexpr std::int64_t kBlockRows = 128;

class MatMul : public Kernel {
 public:
  void run(RunContext& context) const override {
    const auto a = context.data<float>(0);
    const auto b = context.data<float>(1);
    BatchedProduct product = batched_product(context, 0, 1);
    const auto y = context.output<float>(0, product.output);
    if (y.empty()) return;
    if (product.shared_b) {  // the left matrices follow each other: one tall product
      product.m *= static_cast<std::int64_t>(product.a_offset.size());
      product.a_offset.resize(1);
    }
    const std::int64_t blocks = (product.m + kBlockRows - 1) / kBlockRows;
    const auto pieces = product.a_offset.size() * static_cast<std::size_t>(blocks);
    context.for_each(pieces, [&](std::size_t piece) {
      const std::size_t index = piece / static_cast<std::size_t>(blocks);
      const std::int64_t first = static_cast<std::int64_t>(piece) % blocks * kBlockRows;
      const std::int64_t rows = std::min(kBlockRows, product.m - first);
      gemm(rows, product.n, product.k, 1.0F, {a.data() + product.a_offset[index] + first * product.k, product.k, false},
           {b.data() + product.b_offset[index], product.n, false}, 0.0F,
           y.data() + static_cast<std::int64_t>(index) * product.m * product.n + first * product.n, product.n);
    });
  }
};

}  // namespace

std::unique_ptr<Kernel> make_matmul(const NodeContext&) { return std::make_unique<MatMul>(); }

}  // namespace octavo::execute
