// Any number of broadcast operands: Min, Max, Sum, Mean.
#include "elementwise.h"
#include "half.h"
#include "op.h"

namespace octavo::execute {
namespace {

/// y = (((x0 f x1) f x2) …); the mean is divided by the number of inputs at the end.
template <typename Function, typename T>
void fold_inputs(RunContext& context, bool mean) {
  const std::size_t count = context.input_count();
  const Shape shape = broadcast_shape(context, count);
  for (std::size_t i = 0; i < count; ++i) context.expect_dtype(i, dtype_of<T>);
  const T* first = context.data<T>(0).data();
  const Broadcast<2> start({context.shape(0), context.shape(1)}, shape);
  // Only input 0 is read no later than written: the others still wait while y is filled.
  T* y = nullptr;
  if (std::ranges::equal(context.shape(0), shape))
    y = context.output_over<T>(0, 0, shape).data();
  else
    y = context.output<T>(0, shape).data();
  combine(context, start, first, context.data<T>(1).data(), y, Function());
  for (std::size_t i = 2; i < count; ++i) {
    const Broadcast<2> walk({shape, context.shape(i)}, shape);
    combine(context, walk, static_cast<const T*>(y), context.data<T>(i).data(), y, Function());
  }
  if (!mean) return;
  const T divisor = static_cast<T>(static_cast<double>(count));
  map_elements(context, static_cast<const T*>(y), y, element_count(shape), [divisor](T x) { return x / divisor; });
}

template <typename Function, typename... Types>
class Variadic : public Kernel {
 public:
  explicit Variadic(bool mean) : mean_(mean) {}

  void run(RunContext& context) const override {
    if (context.input_count() == 1) return context.output_shares_input(0, 0, to_shape(context.shape(0)));
    for_type_of<Types...>(context, 0, [&]<typename T>() { fold_inputs<Function, T>(context, mean_); });
  }

 private:
  const bool mean_;
};

struct Add {
  template <typename T>
  T operator()(T a, T b) const {
    return a + b;
  }
};
/// NaN in either operand is the result.
struct Min {
  template <typename T>
  T operator()(T a, T b) const {
    return a < b || a != a ? a : b;
  }
};
struct Max {
  template <typename T>
  T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};

template <typename Function>
using OfNumbers = Variadic<Function, float, double, Float16, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t,
                           std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>;

}  // namespace

std::unique_ptr<Kernel> make_min(const NodeContext&) { return std::make_unique<OfNumbers<Min>>(false); }
std::unique_ptr<Kernel> make_max(const NodeContext&) { return std::make_unique<OfNumbers<Max>>(false); }
std::unique_ptr<Kernel> make_sum(const NodeContext&) { return std::make_unique<Variadic<Add, float, double>>(false); }
std::unique_ptr<Kernel> make_mean(const NodeContext&) { return std::make_unique<Variadic<Add, float, double>>(true); }

}  // namespace octavo::execute
