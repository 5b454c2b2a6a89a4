// QuantizeLinear, DequantizeLinear and both in one step (FakeQuantize).
#include <type_traits>

#include "op.h"
#include "quantize_parameters.h"
#include "quantize_range.h"
#include "requantize.h"

namespace octavo::execute {
namespace {

template <typename Q>
std::span<const Q> zero_points(const RunContext& context) {
  return context.has_input(2) ? context.data<Q>(2) : std::span<const Q>();
}

template <typename Q>
Q at_or_zero(std::span<const Q> zero_points, std::int64_t i) {
  return zero_points.empty() ? Q{0} : zero_points[static_cast<std::size_t>(i)];
}

/// Calls row(first element, count, index of the scale) for runs of elements that share one scale.
template <typename Row>
void for_runs(const QuantizeLayout& layout, const Row& row) {
  for (std::int64_t r = 0; r < layout.rows; ++r) {
    const std::int64_t scale = layout.scale_index(r);
    if (layout.block == 0) {
      row(r * layout.length, layout.length, scale);
      continue;
    }
    for (std::int64_t i = 0; i < layout.length; ++i) row(r * layout.length + i, 1, scale + i);
  }
}

/// How many steps from the zero point a real becomes.
template <Rounding rule, bool reciprocal>
struct Steps {
  float scale;  ///< or its reciprocal
  StepLimits limits;

  float operator()(float x) const { return quantized_steps<rule>(reciprocal ? x * scale : x / scale, limits); }
};

class Quantize : public Kernel {
 public:
  Quantize(const NodeContext& context, bool dequantizes)
      : axis_(context.node.int_or("axis", 1)),
        block_size_(context.node.int_or("block_size", 0)),
        arithmetic_(context.arithmetic),
        ends_convolution_(context.node.int_or("ends_convolution", 0) != 0),
        dequantizes_(dequantizes) {
    // ONNX's numbers of its element types; 0: that of the zero point, or u8.
    switch (context.node.int_or("output_dtype", 0)) {
      case 0:
      case 2:
        break;
      case 3:
        without_zero_point_ = DType::i8;
        break;
      case 4:
        without_zero_point_ = DType::u16;
        break;
      case 5:
        without_zero_point_ = DType::i16;
        break;
      case 21:
        without_zero_point_ = DType::u4;
        break;
      case 22:
        without_zero_point_ = DType::i4;
        break;
      default:
        context.unsupported("attribute output_dtype is " + std::to_string(context.node.int_or("output_dtype", 0)) +
                            ", expected an integer type of 4, 8 or 16 bits");
    }
  }

  void run(RunContext& context) const override {
    const DType dtype = context.has_input(2) ? context.dtype(2) : without_zero_point_;
    const bool known =
        with_type<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, UInt4, Int4>(dtype, [&]<typename Q>() {
          for_type_of<float, std::int32_t>(context, 0, [&]<typename X>() {
            if (dequantizes_)
              fake_quantize<X, Q>(context);
            else
              quantize<X, Q>(context);
          });
        });
    if (!known) context.fail(ErrorCode::unsupported, "cannot quantize to type " + std::string(name_of(dtype)));
  }

 private:
  /// Calls body(first element, count, Steps, scale, zero point) for runs of elements that share one scale.
  template <typename Q, typename Body>
  void for_steps(const RunContext& context, const Body& body) const {
    const QuantizeLayout layout = quantize_layout(context, axis_, block_size_);
    const auto scales = context.data<float>(1);
    const auto zeros = zero_points<Q>(context);
    with_rounding(arithmetic_.rounding, [&]<Rounding rule>() {
      for_runs(layout, [&](std::int64_t first, std::int64_t count, std::int64_t s) {
        const float scale = scales[static_cast<std::size_t>(s)];
        const auto zero = static_cast<float>(at_or_zero(zeros, s));
        const StepLimits limits = step_limits<Q>(zero, arithmetic_.narrow_int8);
        if (arithmetic_.by_range) {
          const auto range = QuantizeRange<Q>::of(scale, zero);
          const RangeMap map = ends_convolution_ ? fused_range_map(range) : range_map(range);
          body(first, count, RangeSteps{map, zero, limits}, scale, zero);
        } else if (arithmetic_.reciprocal_scales) {
          body(first, count, Steps<rule, true>{1.0F / scale, limits}, scale, zero);
        } else {
          body(first, count, Steps<rule, false>{scale, limits}, scale, zero);
        }
      });
    });
  }

  template <typename X, typename Q>
  void quantize(RunContext& context) const {
    const auto x = context.data<X>(0);
    const auto y = context.output<Q>(0, to_shape(context.shape(0)));
    for_steps<Q>(context, [&](std::int64_t first, std::int64_t count, const auto steps, float, const float zero) {
      const X* in = x.data() + first;
      Q* out = y.data() + first;
      for (std::int64_t i = 0; i < count; ++i) out[i] = integer_at<Q>(steps(static_cast<float>(in[i])), zero);
    });
  }

  template <typename X, typename Q>
  void fake_quantize(RunContext& context) const {
    const auto x = context.data<X>(0);
    const auto y = context.output_over<float>(0, 0, to_shape(context.shape(0)));
    for_steps<Q>(context, [&](std::int64_t first, std::int64_t count, const auto steps, const float scale, float) {
      const X* in = x.data() + first;
      float* out = y.data() + first;
      // + 0 turns the -0 that rounding leaves into the 0 that an integer would be.
      for (std::int64_t i = 0; i < count; ++i) out[i] = (steps(static_cast<float>(in[i])) + 0.0F) * scale;
    });
  }

  const std::int64_t axis_;
  const std::int64_t block_size_;
  const Arithmetic arithmetic_;
  const bool ends_convolution_;
  const bool dequantizes_;
  DType without_zero_point_ = DType::u8;
};

class Dequantize : public Kernel {
 public:
  explicit Dequantize(const NodeContext& context)
      : axis_(context.node.int_or("axis", 1)), block_size_(context.node.int_or("block_size", 0)) {}

  void run(RunContext& context) const override {
    for_type_of<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::int32_t, UInt4, Int4>(
        context, 0, [&]<typename Q>() { dequantize<Q>(context); });
  }

 private:
  template <typename Q>
  void dequantize(RunContext& context) const {
    // The difference of two 8- or 16-bit integers is exact in float; that of 32-bit ones needs 64 bits first.
    using Wide = std::conditional_t<sizeof(Q) == 4, std::int64_t, std::int32_t>;
    const QuantizeLayout layout = quantize_layout(context, axis_, block_size_);
    const auto x = context.data<Q>(0);
    const auto scales = context.data<float>(1);
    const auto zeros = zero_points<Q>(context);
    const auto y = context.output<float>(0, to_shape(context.shape(0)));
    for_runs(layout, [&](std::int64_t first, std::int64_t count, std::int64_t s) {
      const float scale = scales[static_cast<std::size_t>(s)];
      const Wide zero = at_or_zero(zeros, s);
      const Q* in = x.data() + first;
      float* out = y.data() + first;
      for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<float>(Wide{in[i]} - zero) * scale;
    });
  }

  const std::int64_t axis_;
  const std::int64_t block_size_;
};

class DynamicQuantize : public Kernel {
 public:
  void run(RunContext& context) const override {
    const auto x = context.data<float>(0);
    float low = 0.0F;
    float high = 0.0F;
    for (const float value : x) {
      low = value < low ? value : low;
      high = value > high ? value : high;
    }
    const float scale = high == low ? 1.0F : (high - low) / 255.0F;
    const auto zero = saturate_round<std::uint8_t>(-low / scale, 0.0F);
    const auto y = context.output<std::uint8_t>(0, to_shape(context.shape(0)));
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = saturate_round<std::uint8_t>(x[i] / scale, zero);
    context.output<float>(1, {})[0] = scale;
    context.output<std::uint8_t>(2, {})[0] = zero;
  }
};

}  // namespace

std::unique_ptr<Kernel> make_quantize_linear(const NodeContext& context) {
  return std::make_unique<Quantize>(context, false);
}
std::unique_ptr<Kernel> make_fake_quantize(const NodeContext& context) {
  return std::make_unique<Quantize>(context, true);
}
std::unique_ptr<Kernel> make_dequantize_linear(const NodeContext& context) {
  return std::make_unique<Dequantize>(context);
}
std::unique_ptr<Kernel> make_dynamic_quantize_linear(const NodeContext&) { return std::make_unique<DynamicQuantize>(); }

}  // namespace octavo::execute
