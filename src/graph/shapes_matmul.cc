#include <fmt/format.h>

#include "shape_context.h"

namespace octavo {
namespace {

// numpy.matmul: a vector gets a dimension of one, which the result does not have.
std::optional<Dims> product(const ShapeContext& context, std::size_t left, std::size_t right) {
  if (!context.dims(left) || !context.dims(right)) return std::nullopt;
  Dims a = *context.dims(left);
  Dims b = *context.dims(right);
  if (a.empty() || b.empty()) context.fail("a scalar cannot be multiplied as a matrix");
  const bool a_is_vector = a.size() == 1;
  const bool b_is_vector = b.size() == 1;
  if (a_is_vector) a.insert(a.begin(), Dim{1, {}});
  if (b_is_vector) b.push_back(Dim{1, {}});
  context.merge(a.back(), b[b.size() - 2]);
  Dims y = *context.broadcast(Dims(a.begin(), a.end() - 2), Dims(b.begin(), b.end() - 2));
  if (!a_is_vector) y.push_back(a[a.size() - 2]);
  if (!b_is_vector) y.push_back(b.back());
  return y;
}

void matmul(ShapeContext& context) {
  context.set(0, context.merge(context.dtype(0), context.dtype(1)), product(context, 0, 1));
}
void matmul_integer(ShapeContext& context) { context.set(0, DType::i32, product(context, 0, 1)); }
void qlinear_matmul(ShapeContext& context) { context.set(0, context.dtype(7), product(context, 0, 3)); }

void gemm(ShapeContext& context) {
  const DType dtype = context.merge(context.dtype(0), context.dtype(1));
  const auto& a = context.dims(0);
  const auto& b = context.dims(1);
  for (const auto* matrix : {&a, &b}) {
    if (*matrix && (*matrix)->size() != 2) context.fail(fmt::format("a matrix has {} dimensions", (*matrix)->size()));
  }
  const bool transpose_a = context.node().int_or("transA", 0) != 0;
  const bool transpose_b = context.node().int_or("transB", 0) != 0;
  if (a && b) context.merge((*a)[transpose_a ? 0 : 1], (*b)[transpose_b ? 1 : 0]);
  Dims y(2);
  if (a) y[0] = (*a)[transpose_a ? 1 : 0];
  if (b) y[1] = (*b)[transpose_b ? 0 : 1];
  if (context.dims(2)) context.broadcast(y, context.dims(2));
  context.set(0, dtype, std::move(y));
}

/// LSTM, GRU and RNN: of each step, and of the last step the state, and the cell where there is one.
void recurrent(ShapeContext& context) {
  const auto& x = context.dims(0);
  const auto& r = context.dims(2);
  const bool plain = context.node().int_or("layout", 0) == 0 && x && x->size() == 3 && r && r->size() == 3;
  std::optional<Dims> all, last;
  if (plain) {
    last = Dims{(*r)[0], (*x)[1], (*r)[2]};
    all = Dims{(*x)[0], (*r)[0], (*x)[1], (*r)[2]};
  }
  context.set(0, context.dtype(0), std::move(all));
  context.set(1, context.dtype(0), last);
  context.set(2, context.dtype(0), last);
}

constexpr ShapeRule kRules[] = {
    {"GRU", recurrent},
    {"LSTM", recurrent},
    {"RNN", recurrent},
    {"MatMul", matmul},
    {"MatMulInteger", matmul_integer},
    {"QLinearMatMul", qlinear_matmul},
    {"Gemm", gemm},
};

}  // namespace

std::span<const ShapeRule> matmul_shape_rules() { return kRules; }

}  // namespace octavo
