// ConvInteger and QLinearConv: true integer arithmetic, requantized by one float multiplication.
#include <algorithm>

#include "compute/activation.h"
#include "compute/im2col.h"
#include "compute/integer_gemm.h"
#include "elementwise.h"
#include "exact_convolution.h"
#include "integer_operand.h"
#include "op.h"
#include "requantize.h"

namespace octavo::execute {
namespace {

constexpr std::int64_t kBlockPositions = 256;

class IntegerConvolution : public Kernel {
 public:
  IntegerConvolution(const NodeContext& context, IntegerConvInputs inputs)
      : inputs_(inputs), node_(context.node), groups_(context.node.int_or("group", 1)) {
    if (groups_ < 1) context.fail("attribute group is " + std::to_string(groups_) + ", expected 1 or more");
    exact_ = make_exact_convolution(context, inputs, groups_);
  }

 protected:
  struct Problem {
    ConvShape shape;
    Shape output;
  };

  Problem problem(const RunContext& context) const {
    const auto x = context.shape(inputs_.x);
    const auto w = context.shape(inputs_.w);
    if (w.size() < 3 || x.size() != w.size() || x[1] / groups_ != w[1] || x[1] % groups_ != 0 || w[0] % groups_ != 0) {
      context.fail("input of shape " + shape_text(x) + " does not fit weights of shape " + shape_text(w) + " in " +
                   std::to_string(groups_) + " groups");
    }
    Problem result{{to_shape(x.subspan(2)), {}}, {x[0], w[0]}};
    result.shape.windows = window_geometry(node_, w.subspan(2), result.shape.input);
    for (const Window& window : result.shape.windows) result.output.push_back(window.output);
    return result;
  }

  /// Calls body(sums) with the sums of products, as floats where these are exact. Padding is the zero point, so it is
  /// 0 once that is subtracted.
  template <typename Body>
  void with_sums(RunContext& context, const Problem& problem, const Body& body) const {
    const auto size = checked_element_count(problem.output);
    if (!size) context.fail(ErrorCode::resource_limit, "the output is too large");
    const auto count = static_cast<std::size_t>(*size);
    if (exact_ != nullptr && count > 0 && context.input(inputs_.x).size() > 0) {
      const auto x = centered<float>(context, inputs_.x, inputs_.x_zero, 1);
      const auto sums = context.scratch<float>(count);
      exact_->run(context, problem.shape, problem.output[0], x.data(), sums.data());
      body(std::span<const float>(sums));
    } else {
      const auto sums = context.scratch<std::int32_t>(count);
      accumulate(context, problem, sums);
      body(std::span<const std::int32_t>(sums));
    }
  }

  const IntegerConvInputs inputs_;

 private:
  void accumulate(RunContext& context, const Problem& problem, std::span<std::int32_t> acc) const {
    if (acc.empty()) return;
    const auto x = centered<std::int16_t>(context, inputs_.x, inputs_.x_zero, 1);
    const auto w = centered<std::int16_t>(context, inputs_.w, inputs_.w_zero, 0);
    const auto weights = context.shape(inputs_.w);
    const std::int64_t depth = product(weights, 1, weights.size());
    const std::int64_t channels = weights[0] / groups_;
    const std::int64_t positions = problem.shape.output_size();
    const std::int64_t blocks = (positions + kBlockPositions - 1) / kBlockPositions;
    const auto work = context.scratch<std::int16_t>(static_cast<std::size_t>(2 * depth * kBlockPositions) *
                                                    static_cast<std::size_t>(context.workers()));
    const auto pieces = static_cast<std::size_t>(problem.output[0] * groups_ * blocks);
    context.for_each_worker(pieces, [&](std::size_t piece, int worker) {
      const auto index = static_cast<std::int64_t>(piece);
      const std::int64_t begin = index % blocks * kBlockPositions;
      const std::int64_t count = std::min(kBlockPositions, positions - begin);
      std::int16_t* columns = work.data() + worker * (2 * depth * kBlockPositions);
      std::int16_t* patches = columns + depth * kBlockPositions;
      im2col(x.data() + index / blocks * weights[1] * problem.shape.input_size(), weights[1], problem.shape, begin,
             begin + count, std::int16_t{0}, columns);
      transpose(columns, depth, count, patches);
      gemm_s16s16_s32(channels, count, depth, w.data() + index / blocks % groups_ * channels * depth, patches,
                      acc.data() + index / blocks * channels * positions + begin, positions);
    });
  }

  const Node node_;
  const std::int64_t groups_;
  std::unique_ptr<Convolution> exact_;
};

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
  float multiplier;  ///< to steps of the output
  float real;        ///< … and to what they stand for

  /// The accumulator, modulo 2^32.
  template <typename Sum>
  float total(Sum sum) const {
    const auto wide = static_cast<std::uint32_t>(static_cast<std::int32_t>(sum)) + static_cast<std::uint32_t>(bias);
    return static_cast<float>(static_cast<std::int32_t>(wide));
  }
};

/// The executor makes these of Q/DQ graphs too (lower.cc), then perhaps with the value before rounding as second
/// output.
class QLinearConv : public IntegerConvolution {
 public:
  explicit QLinearConv(const NodeContext& context)
      : IntegerConvolution(context, {0, 2, 3, 5}), activation_(activation_of(context.node)) {}

  void run(RunContext& context) const override {
    const Problem shapes = problem(context);
    const std::vector<Requantization> channels = requantizations(context, shapes.output[1]);
    const float zero_point = static_cast<float>(context.number(7));
    const auto plane = static_cast<std::size_t>(shapes.shape.output_size());
    with_sums(context, shapes, [&](const auto& sums) {
      for_type_of<std::uint8_t, std::int8_t>(context, 7, [&]<typename T>() {
        map_planes(channels, plane, sums, context.output<T>(0, shapes.output), [=](const auto& channel, auto sum) {
          return saturate_round<T>(channel.total(sum) * channel.multiplier, zero_point);
        });
      });
      if (!context.has_output(1)) return;
      const auto reals = context.output<float>(1, shapes.output);
      map_planes(channels, plane, sums, reals,
                 [](const auto& channel, auto sum) { return channel.total(sum) * channel.real; });
      apply(activation_, reals);
    });
  }

 private:
  /// y = f(channel, sum) plane by plane.
  template <typename Sum, typename T, typename F>
  static void map_planes(const std::vector<Requantization>& channels, std::size_t plane, std::span<const Sum> sums,
                         std::span<T> y, const F& f) {
    for (std::size_t first = 0, index = 0; first < y.size(); first += plane, ++index) {
      const Requantization channel = channels[index % channels.size()];
      const Sum* from = sums.data() + first;
      T* to = y.data() + first;
      OCTAVO_INDEPENDENT
      for (std::size_t i = 0; i < plane; ++i) to[i] = f(channel, from[i]);
    }
  }

  static std::vector<Requantization> requantizations(const RunContext& context, std::int64_t channels) {
    const auto bias = context.has_input(8) ? context.data<std::int32_t>(8) : std::span<const std::int32_t>();
    if (context.has_input(8) && static_cast<std::int64_t>(bias.size()) != channels) {
      context.fail("bias of shape " + shape_text(context.shape(8)) + " does not fit " + std::to_string(channels) +
                   " channels");
    }
    const auto w_scale = context.data<float>(4);
    if (w_scale.size() != 1 && static_cast<std::int64_t>(w_scale.size()) != channels) {
      context.fail("weight scales of shape " + shape_text(context.shape(4)) + " do not fit " +
                   std::to_string(channels) + " channels");
    }
    const auto x_scale = static_cast<float>(context.number(1));
    const auto y_scale = static_cast<float>(context.number(6));
    std::vector<Requantization> result;
    for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
      const float real = x_scale * w_scale[w_scale.size() == 1 ? 0 : c];
      result.push_back({bias.empty() ? 0 : bias[c], real / y_scale, real});
    }
    return result;
  }

  const Activation activation_;
};

}  // namespace

std::unique_ptr<Kernel> make_conv_integer(const NodeContext& context) { return std::make_unique<ConvInteger>(context); }
std::unique_ptr<Kernel> make_qlinear_conv(const NodeContext& context) { return std::make_unique<QLinearConv>(context); }

}  // namespace octavo::execute
