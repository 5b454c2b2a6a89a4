#include <algorithm>

#include "op.h"

namespace octavo::execute {
namespace {

/// Passes its input on, as it does outside training; the mask keeps everything.
class Dropout : public Kernel {
 public:
  explicit Dropout(const NodeContext& context) : mask_is_bool_(context.opset >= 10) {}

  void run(RunContext& context) const override {
    const Shape shape = to_shape(context.shape(0));
    if (trains(context))
      context.fail(ErrorCode::unsupported, "dropping elements at random, as training does, is not implemented");
    context.output_shares_input(0, 0, shape);
    if (!context.has_output(1)) return;
    if (mask_is_bool_) {
      std::ranges::fill(context.output<bool>(1, shape), true);
    } else {
      context.expect_dtype(0, DType::f32);
      std::ranges::fill(context.output<float>(1, shape), 1.0F);
    }
  }

 private:
  static bool trains(const RunContext& context) {
    if (!context.has_input(2)) return false;
    context.expect_dtype(2, DType::boolean);
    if (context.input(2).size() != 1) context.fail("training_mode is not one bool");
    const bool training = *static_cast<const std::uint8_t*>(context.input(2).bytes()) != 0;
    return training && (!context.has_input(1) || context.number(1) != 0.0);
  }

  const bool mask_is_bool_;
};

}  // namespace

std::unique_ptr<Kernel> make_dropout(const NodeContext& context) { return std::make_unique<Dropout>(context); }

}  // namespace octavo::execute
