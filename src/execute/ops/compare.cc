// Comparisons and logic: two broadcast operands give a bool.
#include "elementwise.h"
#include "op.h"

namespace octavo::execute {
namespace {

template <typename T, typename Function>
void run_predicate(RunContext& context, const T* a, const T* b, const Function& function) {
  const Shape shape = broadcast_shape(context, 2);
  const Broadcast<2> walk({context.shape(0), context.shape(1)}, shape);
  auto* y = static_cast<std::uint8_t*>(context.allocate(0, DType::boolean, shape));
  combine(context, walk, a, b, y, [&](T left, T right) { return static_cast<std::uint8_t>(function(left, right)); });
}

template <typename Function>
class Compare : public Kernel {
 public:
  void run(RunContext& context) const override {
    for_numeric_type_of(context, 0, [&]<typename T>() {
      run_predicate(context, context.data<T>(0).data(), context.data<T>(1).data(), Function());
    });
  }
};

/// Of bools, and Equal of numbers.
template <typename Function, bool kNumbersToo>
class Logic : public Kernel {
 public:
  void run(RunContext& context) const override {
    if constexpr (kNumbersToo) {
      if (context.dtype(0) != DType::boolean) return Compare<Function>().run(context);
    }
    run_predicate(context, bool_data(context, 0), bool_data(context, 1),
                  [](std::uint8_t a, std::uint8_t b) { return Function()(a != 0, b != 0); });
  }
};

struct Equal {
  template <typename T>
  bool operator()(T a, T b) const {
    return a == b;
  }
};
struct Less {
  template <typename T>
  bool operator()(T a, T b) const {
    return a < b;
  }
};
struct LessOrEqual {
  template <typename T>
  bool operator()(T a, T b) const {
    return a <= b;
  }
};
struct Greater {
  template <typename T>
  bool operator()(T a, T b) const {
    return a > b;
  }
};
struct GreaterOrEqual {
  template <typename T>
  bool operator()(T a, T b) const {
    return a >= b;
  }
};
struct And {
  bool operator()(bool a, bool b) const { return a && b; }
};
struct Or {
  bool operator()(bool a, bool b) const { return a || b; }
};
struct Xor {
  bool operator()(bool a, bool b) const { return a != b; }
};

}  // namespace

std::unique_ptr<Kernel> make_equal(const NodeContext&) { return std::make_unique<Logic<Equal, true>>(); }
std::unique_ptr<Kernel> make_less(const NodeContext&) { return std::make_unique<Compare<Less>>(); }
std::unique_ptr<Kernel> make_less_or_equal(const NodeContext&) { return std::make_unique<Compare<LessOrEqual>>(); }
std::unique_ptr<Kernel> make_greater(const NodeContext&) { return std::make_unique<Compare<Greater>>(); }
std::unique_ptr<Kernel> make_greater_or_equal(const NodeContext&) {
  return std::make_unique<Compare<GreaterOrEqual>>();
}
std::unique_ptr<Kernel> make_and(const NodeContext&) { return std::make_unique<Logic<And, false>>(); }
std::unique_ptr<Kernel> make_or(const NodeContext&) { return std::make_unique<Logic<Or, false>>(); }
std::unique_ptr<Kernel> make_xor(const NodeContext&) { return std::make_unique<Logic<Xor, false>>(); }

}  // namespace octavo::execute
