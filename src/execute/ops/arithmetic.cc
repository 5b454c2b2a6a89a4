// Two operands, broadcast against each other: Add, Sub, Mul, Div, Mod, PRelu.
#include <cmath>
#include <limits>

#include "elementwise.h"
#include "half.h"
#include "op.h"

namespace octavo::execute {
namespace {

template <typename Function, typename T>
void run_binary(RunContext& context, const Shape& shape) {
  const auto a = context.data<T>(0);
  const auto b = context.data<T>(1);
  const Broadcast<2> walk({context.shape(0), context.shape(1)}, shape);
  combine(context, walk, a.data(), b.data(), output_over_either<T>(context, shape), Function());
}

template <typename Function>
class Arithmetic : public Kernel {
 public:
  void run(RunContext& context) const override {
    for_numeric_type_of(context, 0,
                        [&]<typename T>() { run_binary<Function, T>(context, broadcast_shape(context, 2)); });
  }
};

struct Add {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<WrappingType<T>>(a) + static_cast<WrappingType<T>>(b));
  }
};
struct Sub {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<WrappingType<T>>(a) - static_cast<WrappingType<T>>(b));
  }
};
struct Mul {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<WrappingType<T>>(a) * static_cast<WrappingType<T>>(b));
  }
};
/// Integers are cut towards zero; x / 0, which ONNX leaves open, is 0, and the lowest one / -1 wraps.
struct Div {
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      if (b == 0) return 0;
      if constexpr (std::is_signed_v<T>) {
        if (b == T{-1}) return Sub()(T{0}, a);
      }
    }
    return static_cast<T>(a / b);
  }
};
/// The remainder with the divisor's sign; 0 where the divisor is 0.
struct IntegerMod {
  template <typename T>
  T operator()(T a, T b) const {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>) {
      if (b == T{-1}) return 0;  // lowest % -1 traps
      const T rest = static_cast<T>(a % b);
      return static_cast<T>(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
    }
    return static_cast<T>(a % b);
  }
};
/// The remainder with the dividend's sign, as C's fmod.
struct TruncatedMod {
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      if (b == 0) return 0;
      if constexpr (std::is_signed_v<T>) {
        if (b == T{-1}) return 0;
      }
      return static_cast<T>(a % b);
    } else if constexpr (std::is_floating_point_v<T>) {
      return std::fmod(a, b);
    } else {
      return T(std::fmod(static_cast<float>(a), static_cast<float>(b)));
    }
  }
};

class Mod : public Kernel {
 public:
  explicit Mod(bool truncates) : truncates_(truncates) {}

  void run(RunContext& context) const override {
    const Shape shape = broadcast_shape(context, 2);
    if (truncates_) {
      for_type_of<float, double, Float16, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t,
                  std::uint32_t, std::int64_t, std::uint64_t>(
          context, 0, [&]<typename T>() { run_binary<TruncatedMod, T>(context, shape); });
    } else {
      for_type_of<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t,
                  std::uint64_t>(context, 0, [&]<typename T>() { run_binary<IntegerMod, T>(context, shape); });
    }
  }

 private:
  const bool truncates_;
};

struct SlopeBelowZero {
  template <typename T>
  T operator()(T x, T slope) const {
    return x < T{0} ? Mul()(x, slope) : x;
  }
};

class PRelu : public Kernel {
 public:
  void run(RunContext& context) const override {
    const Shape shape = broadcast_shape(context, 2);
    if (!std::ranges::equal(shape, context.shape(0))) {
      context.fail("the slope of shape " + shape_text(context.shape(1)) +
                   " cannot be broadcast to the input, of shape " + shape_text(context.shape(0)));
    }
    for_type_of<float, double, std::int32_t, std::int64_t>(
        context, 0, [&]<typename T>() { run_binary<SlopeBelowZero, T>(context, shape); });
  }
};

}  // namespace

std::unique_ptr<Kernel> make_add(const NodeContext&) { return std::make_unique<Arithmetic<Add>>(); }
std::unique_ptr<Kernel> make_sub(const NodeContext&) { return std::make_unique<Arithmetic<Sub>>(); }
std::unique_ptr<Kernel> make_mul(const NodeContext&) { return std::make_unique<Arithmetic<Mul>>(); }
std::unique_ptr<Kernel> make_div(const NodeContext&) { return std::make_unique<Arithmetic<Div>>(); }
std::unique_ptr<Kernel> make_mod(const NodeContext& context) {
  return std::make_unique<Mod>(context.node.int_or("fmod", 0) != 0);
}
std::unique_ptr<Kernel> make_prelu(const NodeContext&) { return std::make_unique<PRelu>(); }

}  // namespace octavo::execute
