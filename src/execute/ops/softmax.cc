// Softmax and LogSoftmax.
#include <algorithm>
#include <cmath>

#include "op.h"

namespace octavo::execute {
namespace {

template <typename T>
void softmax_strided(const T* x, T* y, std::int64_t length, std::int64_t stride, bool log) {
  T largest = x[0];
  for (std::int64_t i = 1; i < length; ++i) largest = std::max(largest, x[i * stride]);
  T sum = 0;
  for (std::int64_t i = 0; i < length; ++i) {
    const T power = std::exp(x[i * stride] - largest);
    sum += power;
    if (!log) y[i * stride] = power;
  }
  if (log) {
    const T shift = std::log(sum);
    for (std::int64_t i = 0; i < length; ++i) y[i * stride] = x[i * stride] - largest - shift;
  } else {
    for (std::int64_t i = 0; i < length; ++i) y[i * stride] /= sum;
  }
}

class Softmax : public Kernel {
 public:
  Softmax(const NodeContext& context, bool log)
      : flattens_(context.opset < 13), axis_(context.node.int_or("axis", flattens_ ? 1 : -1)), log_(log) {}

  void run(RunContext& context) const override {
    const Shape shape = to_shape(context.shape(0));
    // Before opset 13 all dimensions from the axis on are one.
    const bool whole = flattens_ && axis_ == static_cast<std::int64_t>(shape.size());
    const std::size_t axis = whole ? shape.size() : normalize_axis(context, axis_, shape.size());
    const std::size_t end = flattens_ ? shape.size() : axis + 1;
    const std::int64_t outer = product(shape, 0, axis);
    const std::int64_t length = product(shape, axis, end);
    const std::int64_t stride = product(shape, end, shape.size());
    for_type_of<float, double>(context, 0, [&]<typename T>() {
      const auto x = context.data<T>(0);
      const auto y = context.output<T>(0, shape);
      if (y.empty()) return;
      for (std::int64_t row = 0; row < outer * stride; ++row) {
        const std::int64_t at = row / stride * length * stride + row % stride;
        softmax_strided(x.data() + at, y.data() + at, length, stride, log_);
      }
    });
  }

 private:
  const bool flattens_;
  const std::int64_t axis_;
  const bool log_;
};

}  // namespace

std::unique_ptr<Kernel> make_softmax(const NodeContext& context) { return std::make_unique<Softmax>(context, false); }
std::unique_ptr<Kernel> make_log_softmax(const NodeContext& context) {
  return std::make_unique<Softmax>(context, true);
}

}  // namespace octavo::execute
