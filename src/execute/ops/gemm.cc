#include "compute/gemm.h"

#include <algorithm>

#include "compute/activation.h"
#include "op.h"

namespace octavo::execute {
namespace {

/// Rows of one piece when a product is split; fixed, so that the split follows from the shape alone.
constexpr std::int64_t kBlockRows = 128;

class Gemm : public Kernel {
 public:
  explicit Gemm(const NodeContext& context)
      : trans_a_(context.node.int_or("transA", 0) != 0),
        trans_b_(context.node.int_or("transB", 0) != 0),
        alpha_(context.node.float_or("alpha", 1.0F)),
        beta_(context.node.float_or("beta", 1.0F)),
        activation_(activation_of(context.node)) {}

  void run(RunContext& context) const override {
    context.expect_rank(0, 2);
    context.expect_rank(1, 2);
    const auto a = context.data<float>(0);
    const auto b = context.data<float>(1);
    const auto a_shape = context.shape(0);
    const auto b_shape = context.shape(1);
    const std::int64_t m = a_shape[trans_a_ ? 1 : 0];
    const std::int64_t k = a_shape[trans_a_ ? 0 : 1];
    const std::int64_t n = b_shape[trans_b_ ? 0 : 1];
    if (b_shape[trans_b_ ? 1 : 0] != k) {
      context.fail("matrices of shape " + shape_text(a_shape) + " and " + shape_text(b_shape) + " do not fit together");
    }
    const auto y = context.output<float>(0, {m, n});
    const bool adds = context.has_input(2);
    if (adds) spread_bias(context, m, n, y);
    context.for_each(static_cast<std::size_t>((m + kBlockRows - 1) / kBlockRows), [&](std::size_t block) {
      const std::int64_t first = static_cast<std::int64_t>(block) * kBlockRows;
      const std::int64_t rows = std::min(kBlockRows, m - first);
      const Matrix left{a.data() + first * (trans_a_ ? 1 : k), a_shape[1], trans_a_};
      float* out = y.data() + first * n;
      gemm(rows, n, k, alpha_, left, {b.data(), b_shape[1], trans_b_}, adds ? 1.0F : 0.0F, out, n);
      apply(activation_, {out, static_cast<std::size_t>(rows * n)});
    });
  }

 private:
  /// y = beta * c, broadcast.
  void spread_bias(RunContext& context, std::int64_t m, std::int64_t n, std::span<float> y) const {
    const auto c = context.data<float>(2);
    const auto shape = context.shape(2);
    const std::int64_t columns = shape.empty() ? 1 : shape.back();
    const std::int64_t rows = shape.size() < 2 ? 1 : shape[0];
    if (shape.size() > 2 || (columns != 1 && columns != n) || (rows != 1 && rows != m)) {
      context.fail("bias of shape " + shape_text(shape) + " cannot be broadcast to " + shape_text(Shape{m, n}));
    }
    for (std::int64_t i = 0; i < m; ++i) {
      const float* row = c.data() + (rows == 1 ? 0 : i * columns);
      float* out = y.data() + i * n;
      for (std::int64_t j = 0; j < n; ++j) out[j] = beta_ * row[columns == 1 ? 0 : j];
    }
  }

  const bool trans_a_;
  const bool trans_b_;
  const float alpha_;
  const float beta_;
  const Activation activation_;
};

}  // namespace

std::unique_ptr<Kernel> make_gemm(const NodeContext& context) { return std::make_unique<Gemm>(context); }

}  // namespace octavo::execute
