#include <algorithm>
#include <numeric>

#include "op.h"

namespace octavo::execute {
namespace {

/// A strict order of all values: NaN comes after every number.
template <typename T>
bool less(T a, T b) {
  return a < b || (a == a && b != b);
}

/// The number of elements was an attribute before opset 10. The result is sorted whether asked for or not.
class TopK : public Kernel {
 public:
  explicit TopK(const NodeContext& context)
      : axis_(context.node.int_or("axis", -1)),
        largest_(context.node.int_or("largest", 1) != 0),
        count_attribute_(context.node.int_or("k", -1)),
        count_is_input_(context.opset >= 10) {}

  void run(RunContext& context) const override {
    const Shape shape = to_shape(context.shape(0));
    const std::size_t axis = normalize_axis(context, axis_, shape.size());
    const std::int64_t count = read_count(context, shape[axis]);
    Shape output = shape;
    output[axis] = count;
    const std::int64_t rows = product(output, 0, axis) * product(output, axis + 1, output.size());
    for_numeric_type_of(context, 0, [&]<typename T>() {
      const T* x = context.data<T>(0).data();
      T* values = context.has_output(0) ? context.output<T>(0, output).data() : nullptr;
      std::int64_t* places = context.has_output(1) ? context.output<std::int64_t>(1, output).data() : nullptr;
      if (count == 0) return;
      const std::int64_t inner = product(shape, axis + 1, shape.size());
      const auto order = context.scratch<std::int64_t>(static_cast<std::size_t>(shape[axis]));
      for (std::int64_t row = 0; row < rows; ++row) {
        const T* source = x + row / inner * shape[axis] * inner + row % inner;
        sort_first(source, inner, order, count);
        std::int64_t at = row / inner * count * inner + row % inner;
        for (std::int64_t i = 0; i < count; ++i, at += inner) {
          const std::int64_t place = order[static_cast<std::size_t>(i)];
          if (values != nullptr) values[at] = source[place * inner];
          if (places != nullptr) places[at] = place;
        }
      }
    });
  }

 private:
  std::int64_t read_count(const RunContext& context, std::int64_t dim) const {
    std::int64_t count = count_attribute_;
    if (count_is_input_) {
      const auto given = context.integers(1);
      if (given.size() != 1) context.fail("k is not one number");
      count = given[0];
    }
    if (count < 0 || count > dim)
      context.fail("k is " + std::to_string(count) + ", of a dimension of " + std::to_string(dim));
    return count;
  }

  /// Puts the places of the `count` first elements to the front of `order`; equal ones by place.
  template <typename T>
  void sort_first(const T* x, std::int64_t step, std::span<std::int64_t> order, std::int64_t count) const {
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](std::int64_t a, std::int64_t b) {
      const T left = x[a * step];
      const T right = x[b * step];
      if (largest_ ? less(right, left) : less(left, right)) return true;
      if (largest_ ? less(left, right) : less(right, left)) return false;
      return a < b;
    });
  }

  const std::int64_t axis_;
  const bool largest_;
  const std::int64_t count_attribute_;
  const bool count_is_input_;
};

}  // namespace

std::unique_ptr<Kernel> make_top_k(const NodeContext& context) { return std::make_unique<TopK>(context); }

}  // namespace octavo::execute
