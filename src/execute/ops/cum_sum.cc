#include "elementwise.h"
#include "op.h"

namespace octavo::execute {
namespace {

class CumSum : public Kernel {
 public:
  explicit CumSum(const NodeContext& context)
      : exclusive_(context.node.int_or("exclusive", 0) != 0), reverse_(context.node.int_or("reverse", 0) != 0) {}

  void run(RunContext& context) const override {
    const Shape shape = to_shape(context.shape(0));
    const auto given = context.integers(1);
    if (given.size() != 1) context.fail("the axis is not one number");
    const std::size_t axis = normalize_axis(context, given[0], shape.size());
    const std::int64_t inner = product(shape, axis + 1, shape.size());
    for_type_of<float, double, std::int32_t, std::int64_t>(context, 0, [&]<typename T>() {
      const T* x = context.data<T>(0).data();
      const auto y = context.output<T>(0, shape);
      if (y.empty()) return;
      const std::int64_t last = (shape[axis] - 1) * inner;
      for (std::int64_t row = 0; row < static_cast<std::int64_t>(y.size()) / shape[axis]; ++row) {
        const std::int64_t first = row / inner * shape[axis] * inner + row % inner;
        WrappingType<T> sum = 0;
        for (std::int64_t i = 0; i <= last; i += inner) {
          const std::int64_t at = first + (reverse_ ? last - i : i);
          const auto before = sum;
          sum += static_cast<WrappingType<T>>(x[at]);
          y[static_cast<std::size_t>(at)] = static_cast<T>(exclusive_ ? before : sum);
        }
      }
    });
  }

 private:
  const bool exclusive_;
  const bool reverse_;
};

}  // namespace

std::unique_ptr<Kernel> make_cum_sum(const NodeContext& context) { return std::make_unique<CumSum>(context); }

}  // namespace octavo::execute
