#pragma once

#include <memory>
#include <utility>

#include "octavo/core/observer.h"
#include "octavo/core/quantize.h"

namespace octavo {

/// Quantizes and dequantizes in float, as a step of a network would meet it: PyTorch's FakeQuantize, forward.
/// Watches what passes and follows it, until told otherwise.
class FakeQuantize {
 public:
  /// Parameters follow `observer` from the first tensor on.
  FakeQuantize(const QScheme& scheme, std::unique_ptr<Observer> observer, const Kernels& kernels = plain_kernels())
      : scheme_(scheme), observer_(std::move(observer)), kernels_(&kernels) {
    OCTAVO_REQUIRE(observer_ != nullptr, "an observer");
    params_ = observer_->compute_qparams(scheme_);
  }
  /// Fixed parameters, no observer.
  explicit FakeQuantize(QParams params, const Kernels& kernels = plain_kernels())
      : observing_(false), params_(std::move(params)), kernels_(&kernels) {}

  /// Lets the observer see `x` (f32) where that is enabled, then gives `x` fake-quantized where that is.
  Tensor forward(const TensorView& x) {
    if (observing_) {
      observer_->fold(*observer_->summarize(x));
      params_ = observer_->compute_qparams(scheme_);
    }
    if (!quantizing_) return Tensor::from<float>(Shape(x.shape().begin(), x.shape().end()), x.data<float>());
    return fake_quantize(x, params_, *kernels_);
  }

  /// Has no effect where there is no observer.
  void enable_observer(bool on) { observing_ = on && observer_ != nullptr; }
  void enable_fake_quant(bool on) { quantizing_ = on; }
  /// The parameters stay what they are from now on: the observer is given up.
  void freeze() {
    observing_ = false;
    observer_.reset();
  }

  bool observes() const { return observing_; }
  bool fake_quantizes() const { return quantizing_; }
  const QParams& qparams() const { return params_; }

 private:
  QScheme scheme_;
  std::unique_ptr<Observer> observer_;
  bool observing_ = true;
  bool quantizing_ = true;
  QParams params_;
  const Kernels* kernels_;
};

}  // namespace octavo
