#include "batched_product.h"

#include <algorithm>

namespace octavo::execute {

namespace {

Shape with_rank(const Shape& shape, std::size_t rank) {
  Shape result(rank - shape.size(), 1);
  result.insert(result.end(), shape.begin(), shape.end());
  return result;
}

}  // namespace

BatchedProduct batched_product(const RunContext& context, std::size_t a, std::size_t b) {
  Shape left = to_shape(context.shape(a));
  Shape right = to_shape(context.shape(b));
  const auto misfit = [&] {
    context.fail("matrices of shape " + shape_text(context.shape(a)) + " and " + shape_text(context.shape(b)) +
                 " do not fit together");
  };
  if (left.empty() || right.empty()) misfit();
  const bool left_vector = left.size() == 1;
  const bool right_vector = right.size() == 1;
  if (left_vector) left = {1, left[0]};
  if (right_vector) right = {right[0], 1};

  BatchedProduct result;
  result.m = left[left.size() - 2];
  result.k = left.back();
  result.n = right.back();
  if (right[right.size() - 2] != result.k) misfit();

  const std::size_t rank = std::max(left.size(), right.size()) - 2;
  left = with_rank(left, rank + 2);
  right = with_rank(right, rank + 2);
  Shape batch;
  for (std::size_t d = 0; d < rank; ++d) {
    if (left[d] != right[d] && left[d] != 1 && right[d] != 1) misfit();
    batch.push_back(left[d] == 1 ? right[d] : left[d]);
  }
  result.output = batch;
  if (!left_vector) result.output.push_back(result.m);
  if (!right_vector) result.output.push_back(result.n);

  const auto elements = checked_element_count(result.output);
  const auto count = checked_element_count(batch);
  if (!elements || !count) misfit();
  // Without elements in the result there is nothing to list: a hostile shape like 0 x 2^40 ends here.
  if (*elements == 0) return result;
  for (std::int64_t i = 0; i < *count; ++i) {
    std::int64_t rest = i, a_at = 0, b_at = 0, a_step = result.m * result.k, b_step = result.k * result.n;
    for (std::size_t d = rank; d-- > 0;) {
      const std::int64_t at = rest % batch[d];
      rest /= batch[d];
      a_at += left[d] == 1 ? 0 : at * a_step;
      b_at += right[d] == 1 ? 0 : at * b_step;
      a_step *= left[d];
      b_step *= right[d];
    }
    result.a_offset.push_back(a_at);
    result.b_offset.push_back(b_at);
  }
  const bool one_b = std::all_of(right.begin(), right.end() - 2, [](std::int64_t dim) { return dim == 1; });
  result.shared_b = one_b && *count > 1;
  return result;
}

}  // namespace octavo::execute
