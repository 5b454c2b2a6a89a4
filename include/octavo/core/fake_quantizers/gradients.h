#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "octavo/core/channels.h"
#include "octavo/core/qparams.h"
#include "octavo/core/quantize.h"
#include "octavo/core/require.h"
#include "octavo/core/rounding.h"
#include "octavo/core/tensor.h"

namespace octavo {

/// Parameters that are trained: the zero point is real, and rounded where it is used.
struct LearnableQParams {
  std::vector<float> scale;       ///< one, or one for each index of `axis`; above zero
  std::vector<float> zero_point;  ///< as many
  int axis = QScheme::kPerTensor;
  std::int32_t quant_min = 0;
  std::int32_t quant_max = 255;
};

/// What a loss whose gradient by the output is dy depends on: by the input, by scales and by zero points.
struct LearnableGradients {
  Tensor x;
  std::vector<float> scale;
  std::vector<float> zero_point;
};

/// The gradient of `fake_quantize(x, params)` by x: dy where x was not clipped, 0 where it was and where it is NaN; as
/// PyTorch's fake_quantize_per_tensor_affine and _per_channel_affine have it (Bengio et al. 2013, straight-through
/// estimator). Both tensors are f32 of one shape.
inline Tensor fake_quantize_gradient(const TensorView& x, const TensorView& dy, const QParams& params) {
  OCTAVO_REQUIRE(x.size() == dy.size(), "as many gradients as values");
  Tensor dx(DType::f32, Shape(x.shape().begin(), x.shape().end()), true);
  const float* from = x.data<float>().data();
  const float* given = dy.data<float>().data();
  float* to = dx.mutable_data<float>().data();
  detail::for_each_stretch(x.shape(), params, [&](std::size_t offset, std::size_t count, const AffineMap& map) {
    const float inverse = 1.0F / map.scale;
    const auto low = static_cast<float>(map.quant_min - map.zero_point);
    const auto high = static_cast<float>(map.quant_max - map.zero_point);
    for (std::size_t i = offset; i < offset + count; ++i) {
      const float steps = round_half_even(from[i] * inverse);
      to[i] = steps >= low && steps <= high ? given[i] : 0.0F;
    }
  });
  return dx;
}

/// The factor that LSQ scales its gradients by, so that scales learn as fast as weights: 1 / sqrt(elements that share
/// a scale · quant_max).
inline float lsq_gradient_factor(std::size_t elements, std::int32_t quant_max) {
  OCTAVO_REQUIRE(elements > 0 && quant_max > 0, "elements, and integers above zero");
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(elements) * quant_max));
}

namespace detail {

/// A zero point as forward uses it.
inline float rounded_zero_point(float zero_point, std::int32_t quant_min, std::int32_t quant_max) {
  if (std::isnan(zero_point)) return 0.0F;
  return std::clamp(round_half_even(zero_point), static_cast<float>(quant_min), static_cast<float>(quant_max));
}

/// Gradients of one channel's elements, in PyTorch's order of float operations; sums are in double.
class ChannelGradient {
 public:
  ChannelGradient(float scale, float zero_point, const LearnableQParams& params, float factor)
      : scale_(scale),
        inverse_(1.0F / scale),
        zero_point_(rounded_zero_point(zero_point, params.quant_min, params.quant_max)),
        low_(static_cast<float>(params.quant_min)),
        high_(static_cast<float>(params.quant_max)),
        factor_(factor) {}

  /// Adds one element; returns the gradient by it. NaN counts as clipped, with no part in the sums.
  float add(float x, float dy) {
    const float q = round_half_even(x * inverse_ + zero_point_);
    if (q >= low_ && q <= high_) {
      by_scale_ += double{dy * ((q - zero_point_) * scale_ - x) * inverse_ * factor_};
      return dy;
    }
    if (std::isnan(q)) return 0.0F;
    by_scale_ += double{dy * ((q < low_ ? low_ : high_) - zero_point_) * factor_};
    by_zero_point_ -= double{dy * scale_ * factor_};
    return 0.0F;
  }
  float by_scale() const { return static_cast<float>(by_scale_); }
  float by_zero_point() const { return static_cast<float>(by_zero_point_); }

 private:
  float scale_;
  float inverse_;
  float zero_point_;
  float low_;
  float high_;
  float factor_;
  double by_scale_ = 0.0;
  double by_zero_point_ = 0.0;
};

}  // namespace detail

/// Gradients of fake quantization by x, scale and zero point (LSQ: Esser et al. 2020; LSQ+: Bhalgat et al. 2020), as
/// PyTorch's _fake_quantize_learnable_per_tensor_affine and _per_channel_affine have them; those by scale and zero
/// point are multiplied by `factor`. PyTorch 1.13 takes negative zero points one too high on the way back per tensor;
/// here they are those of the way forward. Both tensors are f32 of one shape.
inline LearnableGradients learnable_gradients(const TensorView& x, const TensorView& dy, const LearnableQParams& params,
                                              float factor) {
  const ChannelLayout layout = channel_layout(x.shape(), params.axis);
  OCTAVO_REQUIRE(x.size() == dy.size(), "as many gradients as values");
  OCTAVO_REQUIRE(params.scale.size() == layout.channels && params.zero_point.size() == layout.channels,
                 "a scale and a zero point for each channel, or one for the tensor");
  LearnableGradients gradients;
  gradients.x = Tensor(DType::f32, Shape(x.shape().begin(), x.shape().end()), true);
  const auto from = x.data<float>();
  const auto given = dy.data<float>();
  const auto to = gradients.x.mutable_data<float>();
  for (std::size_t c = 0; c < layout.channels; ++c) {
    detail::ChannelGradient channel(params.scale[c], params.zero_point[c], params, factor);
    for (std::size_t o = 0; o < layout.outer; ++o) {
      const std::size_t begin = layout.offset(o, c);
      for (std::size_t i = begin; i < begin + layout.inner; ++i) to[i] = channel.add(from[i], given[i]);
    }
    gradients.scale.push_back(channel.by_scale());
    gradients.zero_point.push_back(channel.by_zero_point());
  }
  return gradients;
}

}  // namespace octavo
