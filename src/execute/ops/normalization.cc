// BatchNormalization, InstanceNormalization and LayerNormalization: all are (x - mean) * factor + shift.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "op.h"
#include "requantize.h"

namespace octavo::execute {
namespace {

struct Moments {
  double mean = 0.0;
  double variance = 0.0;
};

/// In double: a float sum over a large plane loses more than the result's own precision.
Moments moments_of(const float* x, std::int64_t count) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < count; ++i) sum += x[i];
  const double mean = sum / static_cast<double>(count);
  double squares = 0.0;
  for (std::int64_t i = 0; i < count; ++i) squares += (x[i] - mean) * (x[i] - mean);
  return {mean, squares / static_cast<double>(count)};
}

std::span<const float> per_channel(const RunContext& context, std::size_t input, std::int64_t channels) {
  const auto values = context.data<float>(input);
  if (static_cast<std::int64_t>(values.size()) != channels) {
    context.fail("input " + std::to_string(input) + " has shape " + shape_text(context.shape(input)) + ", expected " +
                 std::to_string(channels));
  }
  return values;
}

class BatchNormalization : public Kernel {
 public:
  explicit BatchNormalization(const NodeContext& context)
      : epsilon_(context.node.float_or("epsilon", 1e-5F)), centred_(context.arithmetic.centred_normalization) {
    const bool trains = context.opset >= 14 && context.node.int_or("training_mode", 0) != 0;
    if (trains || context.output_count() > 1) context.unsupported("training mode is not implemented");
    if (context.opset < 9 && context.node.int_or("spatial", 1) == 0) {
      context.unsupported("attribute spatial = 0 is not implemented");
    }
  }

  void run(RunContext& context) const override {
    const auto x = context.data<float>(0);
    const Shape shape = to_shape(context.shape(0));
    if (shape.size() < 2) context.fail("input of shape " + shape_text(shape) + " has no channels");
    const auto scale = per_channel(context, 1, shape[1]);
    const auto bias = per_channel(context, 2, shape[1]);
    const auto mean = per_channel(context, 3, shape[1]);
    const auto variance = per_channel(context, 4, shape[1]);
    const auto y = context.output_over<float>(0, 0, shape);
    if (y.empty()) return;
    std::vector<float> factors;
    for (std::size_t c = 0; c < scale.size(); ++c) factors.push_back(scale[c] / std::sqrt(variance[c] + epsilon_));
    const bool normal = std::ranges::all_of(
        factors, [](float factor) { return std::fabs(factor) >= std::numeric_limits<float>::min(); });
    const std::int64_t plane = product(shape, 2, shape.size());
    for (std::int64_t row = 0; row < shape[0] * shape[1]; ++row) {
      const auto channel = static_cast<std::size_t>(row % shape[1]);
      const float factor = factors[channel];
      const float shift = bias[channel] - mean[channel] * factor;
      const float centre = shift / factor;
      const float* in = x.data() + row * plane;
      float* out = y.data() + row * plane;
      if (!centred_) {
        for (std::int64_t i = 0; i < plane; ++i) out[i] = in[i] * factor + shift;
      } else if (normal) {
        for (std::int64_t i = 0; i < plane; ++i) out[i] = (in[i] + centre) * factor;
      } else {
        for (std::int64_t i = 0; i < plane; ++i) out[i] = multiply_add(in[i], factor, shift);
      }
    }
  }

 private:
  const float epsilon_;
  const bool centred_;
};

class InstanceNormalization : public Kernel {
 public:
  explicit InstanceNormalization(const NodeContext& context) : epsilon_(context.node.float_or("epsilon", 1e-5F)) {}

  void run(RunContext& context) const override {
    const auto x = context.data<float>(0);
    const Shape shape = to_shape(context.shape(0));
    if (shape.size() < 2) context.fail("input of shape " + shape_text(shape) + " has no channels");
    const auto scale = per_channel(context, 1, shape[1]);
    const auto bias = per_channel(context, 2, shape[1]);
    const auto y = context.output_over<float>(0, 0, shape);
    if (y.empty()) return;
    const std::int64_t plane = product(shape, 2, shape.size());
    context.for_each(static_cast<std::size_t>(shape[0] * shape[1]), [&](std::size_t row) {
      const std::size_t channel = row % static_cast<std::size_t>(shape[1]);
      const float* in = x.data() + static_cast<std::int64_t>(row) * plane;
      float* out = y.data() + static_cast<std::int64_t>(row) * plane;
      const Moments moments = moments_of(in, plane);
      const auto mean = static_cast<float>(moments.mean);
      const auto factor = static_cast<float>(scale[channel] / std::sqrt(moments.variance + epsilon_));
      for (std::int64_t i = 0; i < plane; ++i) out[i] = (in[i] - mean) * factor + bias[channel];
    });
  }

 private:
  const float epsilon_;
};

class LayerNormalization : public Kernel {
 public:
  explicit LayerNormalization(const NodeContext& context)
      : epsilon_(context.node.float_or("epsilon", 1e-5F)), axis_(context.node.int_or("axis", -1)) {
    if (context.node.int_or("stash_type", 1) != 1) context.unsupported("a stash_type other than 1 is not implemented");
  }

  void run(RunContext& context) const override {
    const auto x = context.data<float>(0);
    const Shape shape = to_shape(context.shape(0));
    const std::size_t axis = normalize_axis(context, axis_, shape.size());
    const std::int64_t rows = product(shape, 0, axis);
    const std::int64_t length = product(shape, axis, shape.size());
    const auto scale = per_channel(context, 1, length);
    const auto bias = context.has_input(2) ? per_channel(context, 2, length) : std::span<const float>();
    Shape reduced(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis));
    reduced.resize(shape.size(), 1);
    const auto y = context.output<float>(0, shape);
    const auto means = context.has_output(1) ? context.output<float>(1, reduced) : std::span<float>();
    const auto factors = context.has_output(2) ? context.output<float>(2, reduced) : std::span<float>();
    if (y.empty()) return;
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* in = x.data() + row * length;
      float* out = y.data() + row * length;
      const Moments moments = moments_of(in, length);
      const auto mean = static_cast<float>(moments.mean);
      const auto factor = static_cast<float>(1.0 / std::sqrt(moments.variance + epsilon_));
      for (std::int64_t i = 0; i < length; ++i) {
        const float normal = (in[i] - mean) * factor * scale[static_cast<std::size_t>(i)];
        out[i] = bias.empty() ? normal : normal + bias[static_cast<std::size_t>(i)];
      }
      if (!means.empty()) means[static_cast<std::size_t>(row)] = mean;
      if (!factors.empty()) factors[static_cast<std::size_t>(row)] = factor;
    }
  }

 private:
  const float epsilon_;
  const std::int64_t axis_;
};

}  // namespace

std::unique_ptr<Kernel> make_batch_normalization(const NodeContext& context) {
  return std::make_unique<BatchNormalization>(context);
}
std::unique_ptr<Kernel> make_instance_normalization(const NodeContext& context) {
  return std::make_unique<InstanceNormalization>(context);
}
std::unique_ptr<Kernel> make_layer_normalization(const NodeContext& context) {
  return std::make_unique<LayerNormalization>(context);
}

}  // namespace octavo::execute
