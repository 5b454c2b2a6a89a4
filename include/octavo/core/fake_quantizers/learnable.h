#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "octavo/core/fake_quantize.h"
#include "octavo/core/fake_quantizers/gradients.h"

namespace octavo {

/// Scales and zero points that are learned: MMRazor's LearnableFakeQuantize. They start from the observer, LSQObserver
/// as a rule, follow it while it is enabled, and are the training's afterwards: LSQ, and under affine schemes, where
/// the zero point is learned too, LSQ+.
class LearnableFakeQuantize final : public FakeQuantizeBase {
 public:
  LearnableFakeQuantize(const QScheme& scheme, std::unique_ptr<ObserverBase> observer,
                        const Kernels& kernels = plain_kernels())
      : scheme_(scheme), observer_(std::move(observer)), kernels_(&kernels) {
    OCTAVO_REQUIRE(observer_ != nullptr && observer_->has_qparams(), "an observer that has parameters");
    OCTAVO_REQUIRE(!scheme.per_group(), "a scheme per tensor or per channel");
    follow();
  }

  /// Where learning starts: the observer's parameters, but zero point 0 under all symmetric schemes, unsigned ones
  /// included, as MMRazor has it.
  static QParams start(const ObserverBase& observer, const QScheme& scheme) {
    QParams params = observer.compute_qparams(scheme);
    if (scheme.symmetric) std::fill(params.zero_point.begin(), params.zero_point.end(), 0);
    return params;
  }

  Tensor forward(const TensorView& x) override {
    if (observing_) {
      observer_->fold(*observer_->summarize(x));
      follow();
    }
    return quantizing_ ? fake_quantize(x, params_, *kernels_) : detail::copy_of(x);
  }
  /// Gradients at `x` for the present parameters, scaled as LSQ does.
  LearnableGradients backward(const TensorView& x, const TensorView& dy) const {
    const auto elements = static_cast<std::size_t>(x.size());
    if (elements == 0) return learnable_gradients(x, dy, learned_, 1.0F);
    return learnable_gradients(x, dy, learned_,
                               lsq_gradient_factor(elements / learned_.scale.size(), learned_.quant_max));
  }

  /// With the zero points rounded.
  const QParams& qparams() const override { return params_; }
  const LearnableQParams& learned() const { return learned_; }

  /// Takes what a step of training made of them, as many as there are. Scales lose their sign and are no smaller than
  /// the scheme's eps; zero points are brought into the limits, to 0 under symmetric schemes.
  void learn(std::vector<float> scale, std::vector<float> zero_point) {
    OCTAVO_REQUIRE(scale.size() == learned_.scale.size() && zero_point.size() == learned_.zero_point.size(),
                   "as many scales and zero points as before");
    for (float& s : scale) s = std::isfinite(s) ? std::max(std::fabs(s), scheme_.eps) : scheme_.eps;
    const auto low = static_cast<float>(learned_.quant_min);
    const auto high = static_cast<float>(learned_.quant_max);
    for (float& z : zero_point) z = scheme_.symmetric || std::isnan(z) ? 0.0F : std::clamp(z, low, high);
    learned_.scale = std::move(scale);
    learned_.zero_point = std::move(zero_point);
    params_.scale = learned_.scale;
    for (std::size_t i = 0; i < params_.zero_point.size(); ++i) {
      params_.zero_point[i] = static_cast<std::int32_t>(
          detail::rounded_zero_point(learned_.zero_point[i], learned_.quant_min, learned_.quant_max));
    }
  }

 private:
  void follow() {
    params_ = start(*observer_, scheme_);
    learned_.scale = params_.scale;
    learned_.zero_point.assign(params_.zero_point.begin(), params_.zero_point.end());
    learned_.axis = params_.axis;
    learned_.quant_min = params_.quant_min;
    learned_.quant_max = params_.quant_max;
  }

  QScheme scheme_;
  std::unique_ptr<ObserverBase> observer_;
  QParams params_;
  LearnableQParams learned_;
  const Kernels* kernels_;
};

}  // namespace octavo
