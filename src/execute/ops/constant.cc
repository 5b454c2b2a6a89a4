// Tensors from attributes, sizes and numbers: Constant, ConstantOfShape, Range, Shape, Size.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

#include "elementwise.h"
#include "op.h"

namespace octavo::execute {
namespace {

class Constant : public Kernel {
 public:
  explicit Constant(Tensor value) : value_(std::move(value)) {}

  void run(RunContext& context) const override {
    void* y = context.allocate(0, value_.dtype(), value_.shape());
    if (value_.byte_size() > 0) std::memcpy(y, value_.bytes(), value_.byte_size());
  }

 private:
  const Tensor value_;
};

template <typename T>
Tensor vector_of(const std::vector<T>& values) {
  return Tensor::from(Shape{static_cast<std::int64_t>(values.size())}, std::span<const T>(values));
}

Tensor constant_value(const NodeContext& context) {
  const Node& node = context.node;
  if (const Tensor* value = node.tensor("value")) return *value;
  if (node.has("value_float")) return Tensor::scalar(node.float_or("value_float", 0));
  if (node.has("value_int")) return Tensor::scalar(node.int_or("value_int", 0));
  if (node.has("value_floats")) return vector_of(node.floats_or("value_floats", {}));
  if (node.has("value_ints")) return vector_of(node.ints_or("value_ints", {}));
  context.unsupported("only constants that are tensors, numbers or lists of numbers are implemented");
}

class ConstantOfShape : public Kernel {
 public:
  explicit ConstantOfShape(const NodeContext& context) {
    if (const Tensor* value = context.node.tensor("value"))
      value_ = *value;
    else if (context.node.has("value"))
      context.unsupported("value is of a type that is not implemented");
    if (value_.size() != 1) context.fail("value has shape " + shape_text(value_.shape()) + ", expected one element");
  }

  void run(RunContext& context) const override {
    Shape shape = context.integers(0);
    const auto count = checked_element_count(shape);
    if (!count) context.fail("shape " + shape_text(shape) + " is impossible");
    void* y = context.allocate(0, value_.dtype(), std::move(shape));
    for_size_of(context, value_.dtype(), [&]<typename T>() {
      T element;
      std::memcpy(&element, value_.bytes(), sizeof(T));
      std::fill_n(static_cast<T*>(y), *count, element);
    });
  }

 private:
  Tensor value_ = Tensor::from<float>({1}, {0.0F});
};

/// Number of values start, start + delta … before limit; nothing where it is beyond counting.
template <typename T>
std::optional<std::int64_t> range_length(T start, T limit, T delta) {
  if (!(delta > 0 ? start < limit : start > limit)) return 0;
  if constexpr (std::is_integral_v<T>) {
    const auto low = static_cast<std::uint64_t>(delta > 0 ? start : limit);
    const auto high = static_cast<std::uint64_t>(delta > 0 ? limit : start);
    const std::uint64_t step = delta > 0 ? static_cast<std::uint64_t>(delta) : 0 - static_cast<std::uint64_t>(delta);
    const std::uint64_t count = (high - low - 1) / step + 1;
    return count <= (std::uint64_t{1} << 62) ? std::optional(static_cast<std::int64_t>(count)) : std::nullopt;
  } else {
    const double count =
        std::ceil((static_cast<double>(limit) - static_cast<double>(start)) / static_cast<double>(delta));
    return count < 0x1p62 ? std::optional(static_cast<std::int64_t>(count)) : std::nullopt;
  }
}

class Range : public Kernel {
 public:
  void run(RunContext& context) const override {
    for_type_of<float, double, std::int16_t, std::int32_t, std::int64_t>(context, 0, [&]<typename T>() {
      const T start = single<T>(context, 0);
      const T delta = single<T>(context, 2);
      if (delta == 0) context.fail("the step is 0");
      const auto count = range_length(start, single<T>(context, 1), delta);
      if (!count) context.fail(ErrorCode::resource_limit, "the range is too long");
      const auto y = context.output<T>(0, {*count});
      using Wide = WrappingType<T>;
      for (std::size_t i = 0; i < y.size(); ++i) {
        y[i] = static_cast<T>(static_cast<Wide>(start) + static_cast<Wide>(i) * static_cast<Wide>(delta));
      }
    });
  }

 private:
  template <typename T>
  static T single(const RunContext& context, std::size_t i) {
    const auto values = context.data<T>(i);
    if (values.size() != 1) context.fail("input " + std::to_string(i) + " is not one number");
    return values[0];
  }
};

class ShapeOf : public Kernel {
 public:
  explicit ShapeOf(const NodeContext& context)
      : start_(context.node.int_or("start", 0)), end_(context.node.int_or("end", std::int64_t{1} << 32)) {}

  void run(RunContext& context) const override {
    const auto shape = context.shape(0);
    const auto rank = static_cast<std::int64_t>(shape.size());
    const std::int64_t begin = std::clamp<std::int64_t>(start_ < 0 ? start_ + rank : start_, 0, rank);
    const std::int64_t end = std::clamp<std::int64_t>(end_ < 0 ? end_ + rank : end_, begin, rank);
    const auto y = context.output<std::int64_t>(0, {end - begin});
    std::copy_n(shape.begin() + begin, end - begin, y.begin());
  }

 private:
  const std::int64_t start_;
  const std::int64_t end_;
};

class SizeOf : public Kernel {
 public:
  void run(RunContext& context) const override { context.output<std::int64_t>(0, {})[0] = context.input(0).size(); }
};

}  // namespace

std::unique_ptr<Kernel> make_constant(const NodeContext& context) {
  return std::make_unique<Constant>(constant_value(context));
}
std::unique_ptr<Kernel> make_constant_of_shape(const NodeContext& context) {
  return std::make_unique<ConstantOfShape>(context);
}
std::unique_ptr<Kernel> make_range(const NodeContext&) { return std::make_unique<Range>(); }
std::unique_ptr<Kernel> make_shape(const NodeContext& context) { return std::make_unique<ShapeOf>(context); }
std::unique_ptr<Kernel> make_size(const NodeContext&) { return std::make_unique<SizeOf>(); }

}  // namespace octavo::execute
