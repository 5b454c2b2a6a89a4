// ArgMax and ArgMin.
#include "op.h"

namespace octavo::execute {
namespace {

class ArgReduce : public Kernel {
 public:
  ArgReduce(const NodeContext& context, bool largest)
      : axis_(context.node.int_or("axis", 0)),
        keeps_dims_(context.node.int_or("keepdims", 1) != 0),
        last_(context.node.int_or("select_last_index", 0) != 0),
        largest_(largest) {}

  void run(RunContext& context) const override {
    const Shape shape = to_shape(context.shape(0));
    const std::size_t axis = normalize_axis(context, axis_, shape.size());
    Shape output = shape;
    if (keeps_dims_)
      output[axis] = 1;
    else
      output.erase(output.begin() + static_cast<std::ptrdiff_t>(axis));
    const auto y = context.output<std::int64_t>(0, output);
    if (y.empty()) return;
    if (shape[axis] == 0) context.fail("an empty dimension has no extreme");
    const std::int64_t inner = product(shape, axis + 1, shape.size());
    for_numeric_type_of(context, 0, [&]<typename T>() {
      const T* x = context.data<T>(0).data();
      for (std::size_t i = 0; i < y.size(); ++i) {
        const auto at = static_cast<std::int64_t>(i);
        y[i] = extreme(x + at / inner * shape[axis] * inner + at % inner, inner, shape[axis]);
      }
    });
  }

 private:
  template <typename T>
  std::int64_t extreme(const T* x, std::int64_t step, std::int64_t count) const {
    std::int64_t best = 0;
    for (std::int64_t i = 1; i < count; ++i) {
      const T candidate = x[i * step];
      const T current = x[best * step];
      const bool better = largest_ ? candidate > current : candidate < current;
      if (better || (last_ && candidate == current)) best = i;
    }
    return best;
  }

  const std::int64_t axis_;
  const bool keeps_dims_;
  const bool last_;
  const bool largest_;
};

}  // namespace

std::unique_ptr<Kernel> make_arg_max(const NodeContext& context) { return std::make_unique<ArgReduce>(context, true); }
std::unique_ptr<Kernel> make_arg_min(const NodeContext& context) { return std::make_unique<ArgReduce>(context, false); }

}  // namespace octavo::execute
