// Local response normalization: x / (bias + alpha / size * sum of squares over neighbouring channels) ^ beta.
#include <algorithm>
#include <cmath>

#include "op.h"

namespace octavo::execute {
namespace {

class Lrn : public Kernel {
 public:
  explicit Lrn(const NodeContext& context)
      : size_(context.node.int_or("size", 0)),
        alpha_(context.node.float_or("alpha", 1e-4F)),
        beta_(context.node.float_or("beta", 0.75F)),
        bias_(context.node.float_or("bias", 1.0F)) {
    if (size_ < 1) context.fail("attribute size is " + std::to_string(size_) + ", expected 1 or more");
  }

  void run(RunContext& context) const override {
    const auto x = context.data<float>(0);
    const Shape shape = to_shape(context.shape(0));
    if (shape.size() < 2) context.fail("input of shape " + shape_text(shape) + " has no channels");
    const auto y = context.output<float>(0, shape);
    if (y.empty()) return;
    const std::int64_t channels = shape[1];
    const std::int64_t plane = product(shape, 2, shape.size());
    context.for_each(static_cast<std::size_t>(shape[0] * channels), [&](std::size_t row) {
      const auto channel = static_cast<std::int64_t>(row) % channels;
      const float* const sample = x.data() + (static_cast<std::int64_t>(row) - channel) * plane;
      float* const out = y.data() + static_cast<std::int64_t>(row) * plane;
      const std::int64_t first = std::max<std::int64_t>(channel - (size_ - 1) / 2, 0);
      const std::int64_t last = std::min(channel + size_ / 2, channels - 1);
      for (std::int64_t i = 0; i < plane; ++i) {
        double squares = 0.0;
        for (std::int64_t c = first; c <= last; ++c) squares += std::pow(static_cast<double>(sample[c * plane + i]), 2);
        const double divisor = bias_ + alpha_ / static_cast<double>(size_) * squares;
        out[i] = static_cast<float>(sample[channel * plane + i] / std::pow(divisor, static_cast<double>(beta_)));
      }
    });
  }

 private:
  const std::int64_t size_;
  const float alpha_;
  const float beta_;
  const float bias_;
};

}  // namespace

std::unique_ptr<Kernel> make_lrn(const NodeContext& context) { return std::make_unique<Lrn>(context); }

}  // namespace octavo::execute
