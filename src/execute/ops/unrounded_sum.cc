// UnroundedSum(real, b, a_scale, a_zero_point, b_scale, b_zero_point, y_scale, y_zero_point): an Add in the kernel of
// the convolution that computed `real`, as OpenVINO has it (lower.h, docs/numerics.md). All integers are uint8.
#include "elementwise.h"
#include "quantize_range.h"

namespace octavo::execute {
namespace {

using Range = QuantizeRange<std::uint8_t>;

struct Parameters {
  float scale;
  float zero_point;
};

/// The convolution's real in steps of the other operand, less that one's zero point.
struct Term {
  RangeMap map;
  float low;
  float high;

  float operator()(float real) const {
    const float number = map(real);
    const float bounded = number > low ? number : low;
    return bounded < high ? bounded : high;
  }
};

/// In the order of the runtime's own float operations.
Term term(const Parameters& a, const Parameters& b) {
  const Range range = Range::of(a.scale, a.zero_point);
  const float both_zeros = a.zero_point + b.zero_point * b.scale / a.scale;
  const float ratio = a.scale / b.scale;
  const float low = (0.0F - both_zeros) * ratio;
  const float high = (Range::kSpan - both_zeros) * ratio;
  const float step = (high - low) / Range::kSpan;
  return {{range.factor() * step, range.shift() * step + low, true}, low, Range::kSpan * step + low};
}

/// From steps of b to integers of y.
RangeMap result_map(const Parameters& b, const Parameters& y) {
  const Range range = Range::of(y.scale, y.zero_point);
  return fused_range_map(Range{range.low / b.scale, range.high / b.scale});
}

class UnroundedSum : public Kernel {
 public:
  void run(RunContext& context) const override {
    const auto parameters = [&](std::size_t first) {
      return Parameters{static_cast<float>(context.number(first)), static_cast<float>(context.number(first + 1))};
    };
    const Term left = term(parameters(2), parameters(4));
    const RangeMap map = result_map(parameters(4), parameters(6));
    const auto real = context.data<float>(0);
    const auto b = context.data<std::uint8_t>(1);
    const Shape shape = broadcast_shape(context, 2);
    const Broadcast<2> walk({context.shape(0), context.shape(1)}, shape);
    const auto y = context.output<std::uint8_t>(0, shape);
    combine(context, walk, real.data(), b.data(), y.data(), [=](float p, std::uint8_t q) {
      return saturate_round<std::uint8_t>(map(left(p) + static_cast<float>(q)), 0.0F);
    });
  }
};

}  // namespace

std::unique_ptr<Kernel> make_unrounded_sum(const NodeContext&) { return std::make_unique<UnroundedSum>(); }

}  // namespace octavo::execute
