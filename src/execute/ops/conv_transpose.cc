#include <algorithm>

#include "compute/gemm.h"
#include "compute/im2col.h"
#include "op.h"

namespace octavo::execute {
namespace {

/// The transpose of im2col and gemm: one product gives what each input position adds to all its outputs, then
/// these columns are added up where a convolution would have read them.
class ConvTranspose : public Kernel {
 public:
  explicit ConvTranspose(const NodeContext& context) : node_(context.node), groups_(context.node.int_or("group", 1)) {
    if (groups_ < 1) context.fail("attribute group is " + std::to_string(groups_) + ", expected 1 or more");
  }

  void run(RunContext& context) const override {
    const auto x = context.data<float>(0);
    const auto w = context.data<float>(1);
    const auto input = context.shape(0);
    const auto weights = context.shape(1);
    if (weights.size() < 3 || input.size() != weights.size() || input[1] != weights[0] || input[1] % groups_ != 0) {
      context.fail("input of shape " + shape_text(input) + " does not fit weights of shape " + shape_text(weights) +
                   " in " + std::to_string(groups_) + " groups");
    }
    Shape output{input[0], weights[1] * groups_};
    const ConvShape shape = reversed_shape(input.subspan(2), weights.subspan(2), output);
    const auto y = context.output<float>(0, output);
    if (y.empty()) return;
    start_with_bias(context, output[1], shape.input_size(), y);
    if (x.empty()) return;

    const std::int64_t positions = shape.output_size();
    const std::int64_t depth = product(weights, 1, weights.size());
    const std::int64_t in_channels = input[1] / groups_;
    const auto column_size = checked_element_count(Shape{depth, positions, context.workers()});
    if (!column_size) context.fail(ErrorCode::resource_limit, "its columns are too large");
    const auto columns = context.scratch<float>(static_cast<std::size_t>(*column_size));
    context.for_each_worker(static_cast<std::size_t>(input[0] * groups_), [&](std::size_t piece, int worker) {
      const auto index = static_cast<std::int64_t>(piece);
      float* own = columns.data() + worker * depth * positions;
      gemm(depth, positions, in_channels, 1.0F, {w.data() + index % groups_ * in_channels * depth, depth, true},
           {x.data() + index * in_channels * positions, positions, false}, 0.0F, own, positions);
      add_columns(own, weights[1], shape, y.data() + index * weights[1] * shape.input_size());
    });
  }

 private:
  /// The convolution that goes the other way: from our output to our input. Completes `output`.
  ConvShape reversed_shape(std::span<const std::int64_t> input, std::span<const std::int64_t> kernel,
                           Shape& output) const {
    ConvShape shape;
    shape.windows = transposed_window_geometry(node_, kernel, input);
    for (std::size_t d = 0; d < input.size(); ++d) {
      shape.input.push_back(shape.windows[d].output);
      output.push_back(shape.windows[d].output);
      shape.windows[d].output = input[d];
    }
    return shape;
  }

  static void start_with_bias(const RunContext& context, std::int64_t channels, std::int64_t plane,
                              std::span<float> y) {
    if (!context.has_input(2)) {
      std::fill(y.begin(), y.end(), 0.0F);
      return;
    }
    const auto bias = context.data<float>(2);
    if (static_cast<std::int64_t>(bias.size()) != channels) {
      context.fail("bias of shape " + shape_text(context.shape(2)) + " does not fit " + std::to_string(channels) +
                   " channels");
    }
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = bias[i / static_cast<std::size_t>(plane) % bias.size()];
  }

  const Node node_;
  const std::int64_t groups_;
};

}  // namespace

std::unique_ptr<Kernel> make_conv_transpose(const NodeContext& context) {
  return std::make_unique<ConvTranspose>(context);
}

}  // namespace octavo::execute
