// ConvInteger and QLinearConv, and what the executor makes of a Conv or Gemm between DequantizeLinear and
// QuantizeLinear (lower.h): true integer arithmetic, requantized by one float multiplication.
#include <algorithm>
#include <cmath>
#include <limits>

#include "compute/activation.h"
#include "integer_convolution.h"
#include "requantize.h"

namespace octavo::execute {
namespace {

class ConvInteger : public IntegerConvolution {
 public:
  explicit ConvInteger(const NodeContext& context) : IntegerConvolution(context, {0, 2, 1, 3}) {}
  void run(RunContext& context) const override {
    const Problem shapes = problem(context);
    const auto y = context.output<std::int32_t>(0, shapes.output);
    with_sums(context, shapes, [&](const auto& sums) {
      std::transform(sums.begin(), sums.end(), y.begin(), [](auto sum) { return static_cast<std::int32_t>(sum); });
    });
  }
};

/// What the sums of one output channel become.
struct Requantization {
  std::int32_t bias;
  float unit;        ///< what a step of the sums stands for
  float multiplier;  ///< to steps of the output
  StepLimits limits;

  /// The accumulator, modulo 2^32.
  template <typename Sum>
  float total(Sum sum) const {
    const auto wide = static_cast<std::uint32_t>(static_cast<std::int32_t>(sum)) + static_cast<std::uint32_t>(bias);
    return static_cast<float>(static_cast<std::int32_t>(wide));
  }
};

/// Where an operator has what it needs, and how it has the unit of the sums of each channel.
struct RequantizingInputs {
  IntegerConvInputs sums;
  std::size_t y_scale, y_zero, bias;
  /// Of unit or weight scale, and of the input's scale where the unit is the product of both.
  std::size_t scale;
  std::optional<std::size_t> x_scale;
};

constexpr RequantizingInputs kQLinearConv{{0, 2, 3, 5}, 6, 7, 8, 4, 1};
constexpr RequantizingInputs kRequantizedConv{{0, 1, 2, 3}, 5, 6, 7, 4, std::nullopt};

class RequantizedConv : public IntegerConvolution {
 public:
  RequantizedConv(const NodeContext& context, const RequantizingInputs& inputs, Rounding rounding, bool narrow_int8)
      : IntegerConvolution(context, inputs.sums),
        in_(inputs),
        rounding_(rounding),
        narrow_int8_(narrow_int8),
        activation_(activation_of(context.node)) {}

  void run(RunContext& context) const override {
    const Problem shapes = problem(context);
    const float zero_point = static_cast<float>(context.number(in_.y_zero));
    std::vector<Requantization> channels;
    with_sums(context, shapes, [&](const auto& sums) {
      for_type_of<std::uint8_t, std::int8_t>(context, in_.y_zero, [&]<typename T>() {
        channels = requantizations(context, shapes.output[1], step_limits<T>(zero_point, narrow_int8_));
        const auto y = context.output<T>(0, shapes.output);
        with_rounding(rounding_, [&]<Rounding rule>() {
          map_planes(channels, shapes.plane(), sums, y, [=](const auto& channel, auto sum) {
            return integer_at<T>(quantized_steps<rule>(channel.total(sum) * channel.multiplier, channel.limits),
                                 zero_point);
          });
        });
      });
      if (!context.has_output(1)) return;
      const auto reals = context.output<float>(1, shapes.output);
      map_planes(channels, shapes.plane(), sums, reals,
                 [](const auto& channel, auto sum) { return channel.total(sum) * channel.unit; });
      apply(activation_, reals);
    });
  }

 private:
  std::vector<Requantization> requantizations(const RunContext& context, std::int64_t count,
                                              const StepLimits& limits) const {
    const auto bias =
        context.has_input(in_.bias) ? context.data<std::int32_t>(in_.bias) : std::span<const std::int32_t>();
    if (context.has_input(in_.bias) && static_cast<std::int64_t>(bias.size()) != count) {
      context.fail("bias of shape " + shape_text(context.shape(in_.bias)) + " does not fit " + std::to_string(count) +
                   " channels");
    }
    std::vector<float> units = by_channel(context, in_.scale, count, "weight scales");
    if (in_.x_scale) {
      const auto x_scale = static_cast<float>(context.number(*in_.x_scale));
      for (float& unit : units) unit = x_scale * unit;
    }
    const std::vector<float> y_scales = by_channel(context, in_.y_scale, count, "output scales");
    std::vector<Requantization> result;
    for (std::size_t c = 0; c < units.size(); ++c) {
      result.push_back({bias.empty() ? 0 : bias[c], units[c], units[c] / y_scales[c], bounded(limits, y_scales[c])});
    }
    return result;
  }

  /// The steps that the activation leaves: rounding keeps order, so that rounded bounds do what the activation does
  /// before rounding.
  StepLimits bounded(StepLimits limits, float y_scale) const {
    using Kind = Activation::Kind;
    if (activation_.kind != Kind::relu && activation_.kind != Kind::clip) return limits;
    const bool relu = activation_.kind == Kind::relu;
    with_rounding(rounding_, [&]<Rounding rule>() {
      const float low = quantized_steps<rule>(relu ? 0.0F : activation_.alpha / y_scale, limits);
      limits.high = relu ? limits.high : quantized_steps<rule>(activation_.beta / y_scale, limits);
      limits.low = low;
    });
    return limits;
  }

  const RequantizingInputs in_;
  const Rounding rounding_;
  const bool narrow_int8_;
  const Activation activation_;
};

/// Sums as reals: what a runtime computes that adds biases in float.
class ScaledConv : public IntegerConvolution {
 public:
  explicit ScaledConv(const NodeContext& context)
      : IntegerConvolution(context, {0, 1, 2, 3}),
        fused_bias_(context.node.int_or("fused_bias", 0) != 0),
        activation_(activation_of(context.node)) {}

  void run(RunContext& context) const override {
    const Problem shapes = problem(context);
    const std::int64_t count = shapes.output[1];
    const auto units = by_channel(context, 4, count, "units");
    const auto biases = context.has_input(5) ? by_channel(context, 5, count, "biases") : std::vector<float>();
    std::vector<Scaling> channels;
    for (std::size_t c = 0; c < units.size(); ++c) channels.push_back({units[c], biases.empty() ? 0.0F : biases[c]});
    const auto y = context.output<float>(0, shapes.output);
    with_sums(context, shapes, [&](const auto& sums) {
      if (biases.empty()) {
        map_planes(channels, shapes.plane(), sums, y,
                   [](const Scaling& channel, auto sum) { return static_cast<float>(sum) * channel.unit; });
      } else if (fused_bias_) {
        map_planes(channels, shapes.plane(), sums, y, [](const Scaling& channel, auto sum) {
          return multiply_add(static_cast<float>(sum), channel.unit, channel.bias);
        });
      } else {
        map_planes(channels, shapes.plane(), sums, y, [](const Scaling& channel, auto sum) {
          return static_cast<float>(sum) * channel.unit + channel.bias;
        });
      }
    });
    apply(activation_, y);
  }

 private:
  struct Scaling {
    float unit;
    float bias;
  };

  const bool fused_bias_;
  const Activation activation_;
};

}  // namespace

std::unique_ptr<Kernel> make_conv_integer(const NodeContext& context) { return std::make_unique<ConvInteger>(context); }
std::unique_ptr<Kernel> make_qlinear_conv(const NodeContext& context) {
  return std::make_unique<RequantizedConv>(context, kQLinearConv, Rounding::half_even, false);
}
std::unique_ptr<Kernel> make_requantized_conv(const NodeContext& context) {
  return std::make_unique<RequantizedConv>(context, kRequantizedConv, context.arithmetic.rounding,
                                           context.arithmetic.narrow_int8);
}
std::unique_ptr<Kernel> make_scaled_conv(const NodeContext& context) { return std::make_unique<ScaledConv>(context); }

}  // namespace octavo::execute
