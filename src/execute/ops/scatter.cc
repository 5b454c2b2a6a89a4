// Elements put where indices say: ScatterElements, which was Scatter before opset 11, and ScatterND.
#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "elementwise.h"
#include "indices.h"
#include "op.h"
#include "strided_copy.h"

namespace octavo::execute {
namespace {

/// What becomes of an element that an update meets.
enum class Reduction : std::uint8_t { none, add, mul, max, min };

Reduction reduction_of(const NodeContext& context) {
  const std::string name = context.node.string_or("reduction", "none");
  if (name == "none") return Reduction::none;
  if (name == "add") return Reduction::add;
  if (name == "mul") return Reduction::mul;
  if (name == "max") return Reduction::max;
  if (name == "min") return Reduction::min;
  context.fail("attribute reduction is '" + name + "', expected none, add, mul, max or min");
}

/// Sums and products of integers wrap around, as they do in elementwise operators.
template <typename T>
T reduced(Reduction reduction, T old, T update) {
  using Computed = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;
  const auto a = static_cast<Computed>(old);
  const auto b = static_cast<Computed>(update);
  switch (reduction) {
    case Reduction::none:
      return update;
    case Reduction::add:
      return static_cast<T>(a + b);
    case Reduction::mul:
      return static_cast<T>(a * b);
    case Reduction::max:
      return std::max(old, update);
    case Reduction::min:
      return std::min(old, update);
  }
  return update;
}

/// Copies input 0 to output 0, whatever its type.
std::byte* copied_data(RunContext& context) {
  const TensorView& data = context.input(0);
  void* const y = context.allocate(0, data.dtype(), to_shape(data.shape()));
  if (data.size() > 0) std::memcpy(y, data.bytes(), static_cast<std::size_t>(data.size()) * size_of(data.dtype()));
  return static_cast<std::byte*>(y);
}

/// body.template operator()<T>(): for elements of their type, or of their size where they are only moved.
template <typename Body>
void for_elements(const RunContext& context, Reduction reduction, Body&& body) {
  if (reduction == Reduction::none) return for_size_of(context, context.dtype(0), std::forward<Body>(body));
  for_numeric_type_of(context, 0, std::forward<Body>(body));
}

class ScatterElements : public Kernel {
 public:
  explicit ScatterElements(const NodeContext& context)
      : axis_(context.node.int_or("axis", 0)), reduction_(reduction_of(context)) {}

  void run(RunContext& context) const override {
    const Shape data = to_shape(context.shape(0));
    const Shape places = to_shape(context.shape(1));
    const std::size_t axis = normalize_axis(context, axis_, data.size());
    check(context, data, places, axis);
    std::byte* const bytes = copied_data(context);
    const Indices indices(context, 1);
    const auto strides = contiguous_strides(data);
    for_elements(context, reduction_, [&]<typename T>() {
      T* const y = reinterpret_cast<T*>(bytes);
      const T* const updates = raw_input<T>(context, 2);
      for (std::size_t i = 0; i < indices.size(); ++i) {
        std::int64_t offset = indices.at(i, data[axis]) * strides[axis];
        auto rest = static_cast<std::int64_t>(i);
        for (std::size_t d = places.size(); d-- > 0;) {
          if (d != axis) offset += rest % places[d] * strides[d];
          rest /= places[d];
        }
        y[offset] = reduced(reduction_, y[offset], updates[i]);
      }
    });
  }

 private:
  static void check(const RunContext& context, const Shape& data, const Shape& places, std::size_t axis) {
    context.expect_dtype(2, context.dtype(0));
    if (to_shape(context.shape(2)) != places) {
      context.fail("updates of shape " + shape_text(context.shape(2)) + " for indices of shape " + shape_text(places));
    }
    bool fits = places.size() == data.size();
    for (std::size_t i = 0; fits && i < data.size(); ++i) fits = i == axis || places[i] <= data[i];
    if (fits) return;
    context.fail("indices of shape " + shape_text(places) + " reach beyond data of shape " + shape_text(data));
  }

  const std::int64_t axis_;
  const Reduction reduction_;
};

class ScatterNd : public Kernel {
 public:
  explicit ScatterNd(const NodeContext& context) : reduction_(reduction_of(context)) {}

  void run(RunContext& context) const override {
    const Shape data = to_shape(context.shape(0));
    const Shape places = to_shape(context.shape(1));
    const std::size_t depth = checked_depth(context, data, places);
    std::byte* const bytes = copied_data(context);
    const Indices indices(context, 1);
    const std::int64_t block = product(data, depth, data.size());
    const std::int64_t tuples = product(places, 0, places.size() - 1);
    if (block == 0) return;
    for_elements(context, reduction_, [&]<typename T>() {
      const T* update = raw_input<T>(context, 2);
      for (std::int64_t i = 0; i < tuples; ++i) {
        std::int64_t row = 0;
        for (std::size_t d = 0; d < depth; ++d) {
          row = row * data[d] + indices.at(static_cast<std::size_t>(i) * depth + d, data[d]);
        }
        T* const y = reinterpret_cast<T*>(bytes) + row * block;
        for (std::int64_t e = 0; e < block; ++e) y[e] = reduced(reduction_, y[e], *update++);
      }
    });
  }

 private:
  /// How many dimensions an index names.
  static std::size_t checked_depth(const RunContext& context, const Shape& data, const Shape& places) {
    context.expect_dtype(2, context.dtype(0));
    if (places.empty() || places.back() > static_cast<std::int64_t>(data.size())) {
      context.fail("indices of shape " + shape_text(places) + " do not fit data of shape " + shape_text(data));
    }
    const auto depth = static_cast<std::size_t>(places.back());
    Shape expected(places.begin(), places.end() - 1);
    expected.insert(expected.end(), data.begin() + static_cast<std::ptrdiff_t>(depth), data.end());
    if (to_shape(context.shape(2)) != expected) {
      context.fail("updates of shape " + shape_text(context.shape(2)) + ", expected " + shape_text(expected));
    }
    return depth;
  }

  const Reduction reduction_;
};

}  // namespace

std::unique_ptr<Kernel> make_scatter_elements(const NodeContext& context) {
  return std::make_unique<ScatterElements>(context);
}
std::unique_ptr<Kernel> make_scatter_nd(const NodeContext& context) { return std::make_unique<ScatterNd>(context); }

}  // namespace octavo::execute
