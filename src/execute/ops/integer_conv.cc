// ConvInteger and QLinearConv: true integer arithmetic, requantized by one float multiplication.
#include <algorithm>

#include "compute/im2col.h"
#include "compute/integer_gemm.h"
#include "integer_operand.h"
#include "op.h"

namespace octavo::execute {
namespace {

/// Where the two operators have their inputs.
struct Inputs {
  std::size_t x, x_zero, w, w_zero;
};

constexpr std::int64_t kBlockPositions = 256;

class IntegerConvolution : public Kernel {
 public:
  IntegerConvolution(const NodeContext& context, Inputs inputs)
      : inputs_(inputs), node_(context.node), groups_(context.node.int_or("group", 1)) {
    if (groups_ < 1) context.fail("attribute group is " + std::to_string(groups_) + ", expected 1 or more");
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

  /// Padding is the zero point, so it is 0 once that is subtracted.
  void accumulate(RunContext& context, const Problem& problem, std::span<std::int32_t> acc) const {
    if (acc.empty()) return;
    const auto x = centered(context, inputs_.x, inputs_.x_zero, 1);
    const auto w = centered(context, inputs_.w, inputs_.w_zero, 0);
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
      std::int16_t* columns = work.data() + worker * 2 * depth * kBlockPositions;
      std::int16_t* patches = columns + depth * kBlockPositions;
      im2col(x.data() + index / blocks * weights[1] * problem.shape.input_size(), weights[1], problem.shape, begin,
             begin + count, std::int16_t{0}, columns);
      transpose(columns, depth, count, patches);
      gemm_s16s16_s32(channels, count, depth, w.data() + index / blocks % groups_ * channels * depth, patches,
                      acc.data() + index / blocks * channels * positions + begin, positions);
    });
  }

  const Inputs inputs_;

 private:
  const Node node_;
  const std::int64_t groups_;
};

class ConvInteger : public IntegerConvolution {
 public:
  explicit ConvInteger(const NodeContext& context) : IntegerConvolution(context, {0, 2, 1, 3}) {}
  void run(RunContext& context) const override {
    const Problem shapes = problem(context);
    accumulate(context, shapes, context.output<std::int32_t>(0, shapes.output));
  }
};

class QLinearConv : public IntegerConvolution {
 public:
  explicit QLinearConv(const NodeContext& context) : IntegerConvolution(context, {0, 2, 3, 5}) {}
  void run(RunContext& context) const override {
    const Problem shapes = problem(context);
    const auto size = checked_element_count(shapes.output);
    if (!size) context.fail(ErrorCode::resource_limit, "the output is too large");
    const auto acc = context.scratch<std::int32_t>(static_cast<std::size_t>(*size));
    accumulate(context, shapes, acc);
    const std::int64_t channels = shapes.output[1];
    const std::int64_t positions = shapes.shape.output_size();
    if (context.has_input(8)) add_bias(context, channels, positions, acc);
    const auto w_scale = context.data<float>(4);
    if (w_scale.size() != 1 && static_cast<std::int64_t>(w_scale.size()) != channels) {
      context.fail("weight scales of shape " + shape_text(context.shape(4)) + " do not fit " +
                   std::to_string(channels) + " channels");
    }
    std::vector<float> multipliers;
    const auto x_scale = static_cast<float>(context.number(1));
    const auto y_scale = static_cast<float>(context.number(6));
    for (const float scale : w_scale) multipliers.push_back(x_scale * scale / y_scale);
    requantize(context, acc, multipliers, positions, 7, shapes.output);
  }

 private:
  static void add_bias(const RunContext& context, std::int64_t channels, std::int64_t positions,
                       std::span<std::int32_t> acc) {
    const auto bias = context.data<std::int32_t>(8);
    if (static_cast<std::int64_t>(bias.size()) != channels) {
      context.fail("bias of shape " + shape_text(context.shape(8)) + " does not fit " + std::to_string(channels) +
                   " channels");
    }
    for (std::size_t i = 0; i < acc.size(); ++i) {
      const auto sum = static_cast<std::uint32_t>(acc[i]) +
                       static_cast<std::uint32_t>(bias[i / static_cast<std::size_t>(positions) % bias.size()]);
      acc[i] = static_cast<std::int32_t>(sum);
    }
  }
};

}  // namespace

std::unique_ptr<Kernel> make_conv_integer(const NodeContext& context) { return std::make_unique<ConvInteger>(context); }
std::unique_ptr<Kernel> make_qlinear_conv(const NodeContext& context) { return std::make_unique<QLinearConv>(context); }

}  // namespace octavo::execute
