// MatMulInteger and QLinearMatMul.
#include "batched_product.h"
#include "cast.h"
#include "compute/integer_gemm.h"
#include "integer_operand.h"
#include "op.h"

namespace octavo::execute {
namespace {

/// Axis of the zero points: rows of the left matrix, columns of the right one.
std::size_t row_axis(const RunContext& context, std::size_t i) {
  const std::size_t rank = context.shape(i).size();
  return rank < 2 ? 0 : rank - 2;
}
std::size_t column_axis(const RunContext& context, std::size_t i) {
  const std::size_t rank = context.shape(i).size();
  return rank < 2 ? rank : rank - 1;
}

void accumulate(RunContext& context, const BatchedProduct& product, std::size_t a, std::size_t a_zero, std::size_t b,
                std::size_t b_zero, std::span<std::int32_t> acc) {
  if (acc.empty()) return;
  const auto left = centered<std::int16_t>(context, a, a_zero, row_axis(context, a));
  const auto right = centered<std::int16_t>(context, b, b_zero, column_axis(context, b));
  const auto turned = context.scratch<std::int16_t>(static_cast<std::size_t>(product.k * product.n));
  for (std::size_t i = 0; i < product.a_offset.size(); ++i) {
    if (i == 0 || product.b_offset[i] != product.b_offset[i - 1]) {
      transpose(right.data() + product.b_offset[i], product.k, product.n, turned.data());
    }
    gemm_s16s16_s32(product.m, product.n, product.k, left.data() + product.a_offset[i], turned.data(),
                    acc.data() + static_cast<std::int64_t>(i) * product.m * product.n, product.n);
  }
}

class MatMulInteger : public Kernel {
 public:
  void run(RunContext& context) const override {
    const BatchedProduct product = batched_product(context, 0, 1);
    accumulate(context, product, 0, 2, 1, 3, context.output<std::int32_t>(0, product.output));
  }
};

class QLinearMatMul : public Kernel {
 public:
  void run(RunContext& context) const override {
    const BatchedProduct product = batched_product(context, 0, 3);
    const auto a_scale = scales(context, 1, product.m);
    const auto b_scale = scales(context, 4, product.n);
    const float y_scale = scales(context, 6, 1)[0];
    const auto acc = context.scratch<std::int32_t>(static_cast<std::size_t>(element_count(product.output)));
    accumulate(context, product, 0, 2, 3, 5, acc);
    // One multiplier for each element of one result matrix, or one for all.
    std::vector<float> multipliers;
    const bool one = a_scale.size() == 1 && b_scale.size() == 1;
    const std::int64_t rows = one ? 1 : product.m;
    const std::int64_t columns = one ? 1 : product.n;
    for (std::int64_t i = 0; i < rows; ++i) {
      const float left = a_scale[a_scale.size() == 1 ? 0 : static_cast<std::size_t>(i)];
      for (std::int64_t j = 0; j < columns; ++j) {
        multipliers.push_back(left * b_scale[b_scale.size() == 1 ? 0 : static_cast<std::size_t>(j)] / y_scale);
      }
    }
    requantize(context, acc, multipliers, 7, product.output);
  }

 private:
  /// One scale or `size` of them; f16 since opset 21.
  static std::span<const float> scales(RunContext& context, std::size_t input, std::int64_t size) {
    const std::int64_t given = context.input(input).size();
    if (given == 1 || given == size) return as_floats(context, input);
    context.fail("scales of shape " + shape_text(context.shape(input)) + ", expected one or " + std::to_string(size));
  }
};

}  // namespace

std::unique_ptr<Kernel> make_matmul_integer(const NodeContext&) { return std::make_unique<MatMulInteger>(); }
std::unique_ptr<Kernel> make_qlinear_matmul(const NodeContext&) { return std::make_unique<QLinearMatMul>(); }

}  // namespace octavo::execute
