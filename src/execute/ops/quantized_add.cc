// QuantizedAdd(a, b, a_scale, a_zero_point, b_scale, b_zero_point, y_scale, y_zero_point): ONNX Runtime's QLinearAdd,
// which the executor makes of an Add between Q/DQ pairs (lower.cc).
#include "compute/activation.h"
#include "elementwise.h"
#include "op.h"
#include "requantize.h"

namespace octavo::execute {
namespace {

/// One of the two inputs: real = (q - zero_point) * scale.
struct Operand {
  float scale;
  float zero_point;
  float ratio;  ///< its scale by the output's

  float real(float q) const { return (q - zero_point) * scale; }
};

class QuantizedAdd : public Kernel {
 public:
  explicit QuantizedAdd(const NodeContext& context) : activation_(activation_of(context.node)) {}

  void run(RunContext& context) const override {
    for_type_of<std::uint8_t, std::int8_t>(context, 0, [&]<typename T>() { add<T>(context); });
  }

 private:
  static Operand operand(const RunContext& context, std::size_t scale, float y_scale) {
    const auto value = static_cast<float>(context.number(scale));
    return {value, static_cast<float>(context.number(scale + 1)), value / y_scale};
  }

  /// round(a * a_ratio + (b * b_ratio + constant)), the output's zero point inside the rounding. ONNX Runtime's kernel
  /// for x86 rounds each product and sum once, and those of the constant where its compiler fuses them.
  template <typename T>
  void add(RunContext& context) const {
    const auto a = context.data<T>(0);
    const auto b = context.data<T>(1);
    const auto y_scale = static_cast<float>(context.number(6));
    const Operand left = operand(context, 2, y_scale);
    const Operand right = operand(context, 4, y_scale);
    const auto zero_point = static_cast<float>(context.number(7));
    const float constant = zero_point - multiply_add(left.ratio, left.zero_point, right.ratio * right.zero_point);
    const Shape shape = broadcast_shape(context, 2);
    const Broadcast<2> walk({context.shape(0), context.shape(1)}, shape);
    const auto y = context.output<T>(0, shape);
    combine(context, walk, a.data(), b.data(), y.data(), [=](T p, T q) {
      const float sum = multiply_add(static_cast<float>(q), right.ratio, constant);
      return saturate_round<T>(multiply_add(static_cast<float>(p), left.ratio, sum), 0.0F);
    });
    if (!context.has_output(1)) return;
    const auto reals = context.output<float>(1, shape);
    combine(context, walk, a.data(), b.data(), reals.data(),
            [=](T p, T q) { return left.real(static_cast<float>(p)) + right.real(static_cast<float>(q)); });
    apply(activation_, reals);
  }

  const Activation activation_;
};

}  // namespace

std::unique_ptr<Kernel> make_quantized_add(const NodeContext& context) {
  return std::make_unique<QuantizedAdd>(context);
}

}  // namespace octavo::execute
