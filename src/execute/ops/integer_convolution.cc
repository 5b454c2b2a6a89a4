#include "integer_convolution.h"

#include <algorithm>

#include "compute/im2col.h"
#include "compute/integer_gemm.h"
#include "integer_operand.h"

namespace octavo::execute {
namespace {

constexpr std::int64_t kBlockPositions = 256;

}  // namespace

IntegerConvolution::IntegerConvolution(const NodeContext& context, IntegerConvInputs inputs)
    : inputs_(inputs), node_(context.node), groups_(context.node.int_or("group", 1)) {
  if (groups_ < 1) context.fail("attribute group is " + std::to_string(groups_) + ", expected 1 or more");
  exact_ = make_exact_convolution(context, inputs, groups_);
}

IntegerConvolution::Problem IntegerConvolution::problem(const RunContext& context) const {
  const auto x = context.shape(inputs_.x);
  const auto w = context.shape(inputs_.w);
  if (w.size() < 2 || x.size() != w.size() || x[1] / groups_ != w[1] || x[1] % groups_ != 0 || w[0] % groups_ != 0) {
    context.fail("input of shape " + shape_text(x) + " does not fit weights of shape " + shape_text(w) + " in " +
                 std::to_string(groups_) + " groups");
  }
  Problem result{{to_shape(x.subspan(2)), {}}, {x[0], w[0]}};
  if (x.size() == 2) {
    result.shape = {{1}, {Window{.output = 1}}};
    return result;
  }
  result.shape.windows = window_geometry(node_, w.subspan(2), result.shape.input);
  for (const Window& window : result.shape.windows) result.output.push_back(window.output);
  return result;
}

std::vector<float> IntegerConvolution::by_channel(const RunContext& context, std::size_t input, std::int64_t channels,
                                                  std::string_view what) {
  const auto numbers = context.data<float>(input);
  if (numbers.size() != 1 && static_cast<std::int64_t>(numbers.size()) != channels) {
    context.fail(std::string(what) + " of shape " + shape_text(context.shape(input)) + " do not fit " +
                 std::to_string(channels) + " channels");
  }
  std::vector<float> result(numbers.begin(), numbers.end());
  if (result.size() == 1) result.resize(static_cast<std::size_t>(channels), result.front());
  return result;
}

std::size_t IntegerConvolution::output_count(const RunContext& context, const Problem& problem) {
  const auto size = checked_element_count(problem.output);
  if (!size) context.fail(ErrorCode::resource_limit, "the output is too large");
  return static_cast<std::size_t>(*size);
}

void IntegerConvolution::accumulate_exactly(RunContext& context, const Problem& problem, std::span<float> sums) const {
  const auto x = centered<float>(context, inputs_.x, inputs_.x_zero, 1);
  exact_->run(context, problem.shape, problem.output[0], x.data(), sums.data());
}

void IntegerConvolution::accumulate(RunContext& context, const Problem& problem, std::span<std::int32_t> acc) const {
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

}  // namespace octavo::execute
