// Functions of one element without attributes.
#include <cmath>

#include "elementwise.h"
#include "octavo/core/rounding.h"
#include "op.h"
#include "vector_math.h"

namespace octavo::execute {
namespace {

/// y = Function()(x) for the element types `Types`.
template <typename Function, typename... Types>
class Unary : public Kernel {
 public:
  void run(RunContext& context) const override {
    for_type_of<Types...>(context, 0, [&]<typename T>() {
      const auto x = context.data<T>(0);
      const auto y = context.output_over<T>(0, 0, to_shape(context.shape(0)));
      map_elements(context, x.data(), y.data(), static_cast<std::int64_t>(x.size()), Function());
    });
  }
};

template <typename Function>
using UnaryFloat = Unary<Function, float, double>;
template <typename Function>
using UnarySigned = Unary<Function, float, double, std::int8_t, std::int16_t, std::int32_t, std::int64_t>;

struct Sigmoid {
  template <typename T>
  T operator()(T x) const {
    return sigmoid_of(x);
  }
};
struct HardSwish {
  template <typename T>
  T operator()(T x) const {
    const T gate = x * (T{1} / T{6}) + T{0.5};
    const T low = gate < T{0} ? T{0} : gate;
    return x * (low > T{1} ? T{1} : low);
  }
};
struct Tanh {
  template <typename T>
  T operator()(T x) const {
    return tanh_of(x);
  }
};
struct Erf {
  template <typename T>
  T operator()(T x) const {
    return erf_of(x);
  }
};
/// log(1 + e^x), without overflow for large x.
struct Softplus {
  template <typename T>
  T operator()(T x) const {
    return (x > T{0} ? x : T{0}) + std::log1p(std::exp(-std::fabs(x)));
  }
};
struct Softsign {
  template <typename T>
  T operator()(T x) const {
    return x / (T{1} + std::fabs(x));
  }
};
struct Mish {
  template <typename T>
  T operator()(T x) const {
    return x * tanh_of(Softplus()(x));
  }
};
struct Sqrt {
  template <typename T>
  T operator()(T x) const {
    return std::sqrt(x);
  }
};
struct Exp {
  template <typename T>
  T operator()(T x) const {
    return exp_of(x);
  }
};
struct Log {
  template <typename T>
  T operator()(T x) const {
    return std::log(x);
  }
};
struct Sin {
  template <typename T>
  T operator()(T x) const {
    return std::sin(x);
  }
};
struct Cos {
  template <typename T>
  T operator()(T x) const {
    return std::cos(x);
  }
};
struct Floor {
  template <typename T>
  T operator()(T x) const {
    return std::floor(x);
  }
};
struct Ceil {
  template <typename T>
  T operator()(T x) const {
    return std::ceil(x);
  }
};
struct Round {
  template <typename T>
  T operator()(T x) const {
    return round_half_even(x);
  }
};
struct Reciprocal {
  template <typename T>
  T operator()(T x) const {
    return T{1} / x;
  }
};
struct Neg {
  template <typename T>
  T operator()(T x) const {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(WrappingType<T>{0} - static_cast<WrappingType<T>>(x));
    else
      return -x;
  }
};
struct Abs {
  template <typename T>
  T operator()(T x) const {
    if constexpr (std::is_unsigned_v<T>)
      return x;
    else if constexpr (std::is_integral_v<T>)
      return x < 0 ? Neg()(x) : x;
    else
      return std::fabs(x);
  }
};
struct Sign {
  template <typename T>
  T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>) {
      if (x != x) return x;
    }
    return static_cast<T>((x > T{0}) - (x < T{0}));
  }
};

class Not : public Kernel {
 public:
  void run(RunContext& context) const override {
    const std::uint8_t* x = bool_data(context, 0);
    const std::int64_t count = context.input(0).size();
    auto* y = static_cast<std::uint8_t*>(context.allocate_over(0, 0, DType::boolean, to_shape(context.shape(0))));
    map_elements(context, x, y, count, [](std::uint8_t v) { return static_cast<std::uint8_t>(v == 0); });
  }
};

}  // namespace

std::unique_ptr<Kernel> make_sigmoid(const NodeContext&) { return std::make_unique<UnaryFloat<Sigmoid>>(); }
std::unique_ptr<Kernel> make_hard_swish(const NodeContext&) { return std::make_unique<UnaryFloat<HardSwish>>(); }
std::unique_ptr<Kernel> make_tanh(const NodeContext&) { return std::make_unique<UnaryFloat<Tanh>>(); }
std::unique_ptr<Kernel> make_erf(const NodeContext&) { return std::make_unique<UnaryFloat<Erf>>(); }
std::unique_ptr<Kernel> make_softplus(const NodeContext&) { return std::make_unique<UnaryFloat<Softplus>>(); }
std::unique_ptr<Kernel> make_softsign(const NodeContext&) { return std::make_unique<UnaryFloat<Softsign>>(); }
std::unique_ptr<Kernel> make_mish(const NodeContext&) { return std::make_unique<UnaryFloat<Mish>>(); }
std::unique_ptr<Kernel> make_sqrt(const NodeContext&) { return std::make_unique<UnaryFloat<Sqrt>>(); }
std::unique_ptr<Kernel> make_exp(const NodeContext&) { return std::make_unique<UnaryFloat<Exp>>(); }
std::unique_ptr<Kernel> make_log(const NodeContext&) { return std::make_unique<UnaryFloat<Log>>(); }
std::unique_ptr<Kernel> make_sin(const NodeContext&) { return std::make_unique<UnaryFloat<Sin>>(); }
std::unique_ptr<Kernel> make_cos(const NodeContext&) { return std::make_unique<UnaryFloat<Cos>>(); }
std::unique_ptr<Kernel> make_floor(const NodeContext&) { return std::make_unique<UnaryFloat<Floor>>(); }
std::unique_ptr<Kernel> make_ceil(const NodeContext&) { return std::make_unique<UnaryFloat<Ceil>>(); }
std::unique_ptr<Kernel> make_round(const NodeContext&) { return std::make_unique<UnaryFloat<Round>>(); }
std::unique_ptr<Kernel> make_reciprocal(const NodeContext&) { return std::make_unique<UnaryFloat<Reciprocal>>(); }
std::unique_ptr<Kernel> make_neg(const NodeContext&) { return std::make_unique<UnarySigned<Neg>>(); }
std::unique_ptr<Kernel> make_abs(const NodeContext&) {
  return std::make_unique<Unary<Abs, float, double, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t,
                                std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>>();
}
std::unique_ptr<Kernel> make_sign(const NodeContext&) { return std::make_unique<UnarySigned<Sign>>(); }
std::unique_ptr<Kernel> make_not(const NodeContext&) { return std::make_unique<Not>(); }

}  // namespace octavo::execute
