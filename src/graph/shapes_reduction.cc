#include <fmt/format.h>

#include <algorithm>

#include "shape_context.h"

namespace octavo {
namespace {

Dims without(const Dims& x, const std::vector<bool>& reduced, bool keep) {
  Dims y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!reduced[i]) y.push_back(x[i]);
    if (reduced[i] && keep) y.push_back(Dim{1, {}});
  }
  return y;
}

void reduce(ShapeContext& context) {
  const auto& x = context.dims(0);
  if (!x) return context.set(0, context.dtype(0), std::nullopt);
  const bool keep = context.node().int_or("keepdims", 1) != 0;
  const bool lists_axes = context.node().has("axes") || context.has_input(1);
  const auto axes = context.integers("axes", 1);
  if (lists_axes && !axes)
    return context.set(0, context.dtype(0), keep ? std::optional(Dims(x->size())) : std::nullopt);
  std::vector<bool> reduced(x->size(), true);
  if (axes && !axes->empty()) {
    reduced = context.axes(*axes, x->size());
  } else if (context.node().int_or("noop_with_empty_axes", 0) != 0) {
    reduced.assign(x->size(), false);
  }
  context.set(0, context.dtype(0), without(*x, reduced, keep));
}

void arg_reduce(ShapeContext& context) {
  const auto& x = context.dims(0);
  if (!x) return context.set(0, DType::i64, std::nullopt);
  const std::int64_t axis = context.node().int_or("axis", 0);
  context.set(0, DType::i64, without(*x, context.axes({{axis}}, x->size()), context.node().int_or("keepdims", 1) != 0));
}

void top_k(ShapeContext& context) {
  std::optional<Dims> y = context.dims(0);
  if (y) {
    Dim& dim = (*y)[context.axis(context.node().int_or("axis", -1), y->size())];
    const Content* k = context.node().has("k") ? nullptr : context.content(1);
    Dim chosen;
    if (context.node().has("k")) {
      chosen = context.known_dim(context.node().int_or("k", 0));
    } else if (k != nullptr && k->size() == 1) {
      if (k->front().value) context.known_dim(*k->front().value);  // fails where negative
      chosen = dim_of(k->front());
    }
    if (chosen.known() && dim.known() && chosen.size > dim.size) {
      context.fail(fmt::format("the {} largest of {} are asked for", chosen.size, dim.size));
    }
    dim = chosen;
  }
  context.set(0, context.dtype(0), y);
  context.set(1, DType::i64, y);
}

// One row a box that is left: batch, class, box.
void non_max_suppression(ShapeContext& context) { context.set(0, DType::i64, Dims{Dim{}, Dim{3, {}}}); }

constexpr ShapeRule kRules[] = {
    {"ReduceMean", reduce},
    {"ReduceSum", reduce},
    {"ReduceMax", reduce},
    {"ReduceMin", reduce},
    {"ReduceProd", reduce},
    {"ReduceL1", reduce},
    {"ReduceL2", reduce},
    {"ReduceLogSum", reduce},
    {"ReduceLogSumExp", reduce},
    {"ReduceSumSquare", reduce},
    {"ArgMax", arg_reduce},
    {"ArgMin", arg_reduce},
    {"TopK", top_k},
    {"NonMaxSuppression", non_max_suppression},
};

}  // namespace

std::span<const ShapeRule> reduction_shape_rules() { return kRules; }

}  // namespace octavo
