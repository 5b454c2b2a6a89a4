#include <cmath>

#include "cast.h"
#include "elementwise.h"
#include "op.h"

namespace octavo::execute {
namespace {

template <typename T>
T integer_power(T base, std::int64_t exponent) {
  using Wide = WrappingType<T>;
  if (exponent < 0) {  // the reciprocal, cut towards zero; 1 / 0 is given as 0
    if (base == 1) return 1;
    if (base == T{-1}) return exponent % 2 == 0 ? T{1} : T{-1};
    return 0;
  }
  Wide result = 1;
  for (auto square = static_cast<Wide>(base); exponent > 0; exponent >>= 1, square *= square) {
    if ((exponent & 1) != 0) result *= square;
  }
  return static_cast<T>(result);
}

/// The exponent may have a type of its own; the result has the base's.
class Pow : public Kernel {
 public:
  void run(RunContext& context) const override {
    const Shape shape = broadcast_shape(context, 2);
    for_type_of<float, double, std::int32_t, std::int64_t>(context, 0, [&]<typename T>() {
      const DType exponent = context.dtype(1);
      const bool whole = exponent != DType::f32 && exponent != DType::f64;
      if constexpr (std::is_floating_point_v<T>) {
        run_float<T>(context, shape);
      } else if (whole) {
        run_with<T, std::int64_t>(context, shape, [](T a, std::int64_t b) { return integer_power(a, b); });
      } else {
        run_with<T, double>(context, shape,
                            [](T a, double b) { return saturate<T>(std::pow(static_cast<double>(a), b)); });
      }
    });
  }

 private:
  template <typename T>
  static void run_float(RunContext& context, const Shape& shape) {
    const bool single = context.input(1).size() == 1;
    const double exponent = single ? context.number(1) : 0.0;
    if (exponent == 2.0 || exponent == 3.0) {  // what composed normalizations and GELU ask for
      const bool cube = exponent == 3.0;
      run_with<T, T>(context, shape, [cube](T a, T) { return cube ? a * a * a : a * a; });
    } else {
      run_with<T, T>(context, shape, [](T a, T b) { return std::pow(a, b); });
    }
  }

  template <typename T, typename Exponent, typename Function>
  static void run_with(RunContext& context, const Shape& shape, const Function& function) {
    const auto base = context.data<T>(0);
    const Exponent* exponent = nullptr;
    if (context.dtype(1) == dtype_of<Exponent>) {
      exponent = context.data<Exponent>(1).data();
    } else {
      const auto converted = context.scratch<Exponent>(static_cast<std::size_t>(context.input(1).size()));
      cast_elements(context, context.input(1), dtype_of<Exponent>, converted.data());
      exponent = converted.data();
    }
    const Broadcast<2> walk({context.shape(0), context.shape(1)}, shape);
    combine(context, walk, base.data(), exponent, output_over_either<T>(context, shape), function);
  }
};

}  // namespace

std::unique_ptr<Kernel> make_pow(const NodeContext&) { return std::make_unique<Pow>(); }

}  // namespace octavo::execute
