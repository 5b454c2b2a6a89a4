#include "compute/conv.h"

#include <optional>
#include <utility>

#include "op.h"

namespace octavo::execute {
namespace {

/// Conv of floats. Weights and bias that are constant are packed once, others for every run.
class Conv : public Kernel {
 public:
  explicit Conv(const NodeContext& context)
      : node_(context.node), groups_(context.node.int_or("group", 1)), activation_(activation_of(context.node)) {
    if (groups_ < 1) context.fail("attribute group is " + std::to_string(groups_) + ", expected 1 or more");
    const Tensor* weights = context.constant(1);
    const Tensor* bias = context.constant(2);
    if (weights == nullptr || (context.has_input(2) && bias == nullptr)) return;
    const auto fail = [&](const std::string& problem) { context.fail(problem); };
    constant_ =
        make_convolution(parameters(*weights, bias == nullptr ? std::nullopt : std::optional(bias->view()), fail));
  }

  void run(RunContext& context) const override {
    const auto x = context.data<float>(0);
    const Shape weights = to_shape(context.shape(1));
    const Shape input = to_shape(context.shape(0));
    if (weights.size() < 3 || input.size() != weights.size() || input[1] != weights[1] * groups_) {
      context.fail("input of shape " + shape_text(input) + " does not fit weights of shape " + shape_text(weights) +
                   " in " + std::to_string(groups_) + " groups");
    }
    std::unique_ptr<Convolution> own;
    if (constant_ == nullptr) own = make_convolution(run_parameters(context));

    ConvShape shape{{input.begin() + 2, input.end()}, {}};
    shape.windows = window_geometry(node_, std::span(weights).subspan(2), shape.input);
    Shape output{input[0], weights[0]};
    for (const Window& window : shape.windows) output.push_back(window.output);
    const auto y = context.output<float>(0, output);
    if (y.empty()) return;
    if (x.empty()) context.fail("the input of shape " + shape_text(input) + " is empty");
    (own ? *own : *constant_).run(context, shape, input[0], x.data(), y.data());
  }

 private:
  template <typename Fail>
  ConvParameters parameters(Tensor weights, std::optional<TensorView> bias, const Fail& fail) const {
    if (weights.dtype() != DType::f32 || (bias && bias->dtype() != DType::f32)) {
      fail("weights and bias must be of type f32");
    }
    if (weights.rank() < 3 || weights.size() == 0 || weights.dim(0) % groups_ != 0) {
      fail("weights of shape " + shape_text(weights.shape()) + " do not fit " + std::to_string(groups_) + " groups");
    }
    if (bias && (bias->rank() != 1 || bias->dim(0) != weights.dim(0))) {
      fail("bias of shape " + shape_text(bias->shape()) + " does not fit weights of shape " +
           shape_text(weights.shape()));
    }
    ConvParameters result{std::move(weights), {}, groups_, activation_};
    if (bias) result.bias.assign(bias->data<float>().begin(), bias->data<float>().end());
    return result;
  }

  ConvParameters run_parameters(RunContext& context) const {
    const auto fail = [&](const std::string& problem) { context.fail(problem); };
    Tensor weights = Tensor::from(to_shape(context.shape(1)), context.data<float>(1));
    return parameters(std::move(weights), context.has_input(2) ? std::optional(context.input(2)) : std::nullopt, fail);
  }

  const Node node_;
  const std::int64_t groups_;
  const Activation activation_;
  std::unique_ptr<Convolution> constant_;
};

}  // namespace

std::unique_ptr<Kernel> make_conv(const NodeContext& context) { return std::make_unique<Conv>(context); }

}  // namespace octavo::execute
