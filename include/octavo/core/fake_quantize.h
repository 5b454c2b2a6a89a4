#pragma once

#include <memory>
#include <utility>

#include "octavo/core/observer.h"
#include "octavo/core/quantize.h"

namespace octavo {

/// The interface of every fake-quantizer (PyTorch's FakeQuantizeBase): a step of a network that quantizes and
/// dequantizes in float, and may watch what passes.
class FakeQuantizeBase {
 public:
  FakeQuantizeBase() = default;
  FakeQuantizeBase(const FakeQuantizeBase&) = delete;
  FakeQuantizeBase& operator=(const FakeQuantizeBase&) = delete;
  virtual ~FakeQuantizeBase() = default;

  /// Lets the observer see `x` (f32) where that is enabled, then gives `x` fake-quantized where that is.
  virtual Tensor forward(const TensorView& x) = 0;
  /// What it quantizes with at present.
  virtual const QParams& qparams() const = 0;

  /// Has no effect where there is no observer.
  virtual void enable_observer(bool on) { observing_ = on; }
  void enable_fake_quant(bool on) { quantizing_ = on; }
  /// The parameters stay what they are from now on.
  virtual void freeze() { observing_ = false; }
  bool observes() const { return observing_; }
  bool fake_quantizes() const { return quantizing_; }

 protected:
  bool observing_ = true;
  bool quantizing_ = true;
};

namespace detail {

inline Tensor copy_of(const TensorView& x) {
  return Tensor::from<float>(Shape(x.shape().begin(), x.shape().end()), x.data<float>());
}

}  // namespace detail

/// Quantizes and dequantizes in float, as a step of a network would meet it: PyTorch's FakeQuantize, forward.
/// Watches what passes and follows it, until told otherwise. `fake_quantize_gradient` is its gradient.
class FakeQuantize : public FakeQuantizeBase {
 public:
  /// Parameters follow `observer` from the first tensor on. With one that has none everything passes as it is.
  FakeQuantize(const QScheme& scheme, std::unique_ptr<ObserverBase> observer, const Kernels& kernels = plain_kernels())
      : FakeQuantize(scheme, std::move(observer), &observers_own, kernels) {}
  /// Fixed parameters, no observer.
  explicit FakeQuantize(QParams params, const Kernels& kernels = plain_kernels())
      : params_(std::move(params)), kernels_(&kernels) {
    observing_ = false;
  }

  Tensor forward(const TensorView& x) override {
    if (observing_) {
      observer_->fold(*observer_->summarize(x));
      params_ = rule_(*observer_, scheme_);
    }
    return quantizing_ && !params_.scale.empty() ? fake_quantize(x, params_, *kernels_) : detail::copy_of(x);
  }

  const QParams& qparams() const override { return params_; }
  void enable_observer(bool on) override { observing_ = on && observer_ != nullptr; }
  /// Gives the observer up.
  void freeze() override {
    observing_ = false;
    observer_.reset();
  }

 protected:
  /// From what an observer saw to parameters.
  using Rule = QParams (*)(const ObserverBase& observer, const QScheme& scheme);

  FakeQuantize(const QScheme& scheme, std::unique_ptr<ObserverBase> observer, Rule rule, const Kernels& kernels)
      : scheme_(scheme), observer_(std::move(observer)), rule_(rule), kernels_(&kernels) {
    OCTAVO_REQUIRE(observer_ != nullptr, "an observer");
    params_ = rule_(*observer_, scheme_);
  }

 private:
  static QParams observers_own(const ObserverBase& observer, const QScheme& scheme) {
    return observer.compute_qparams(scheme);
  }

  QScheme scheme_;
  std::unique_ptr<ObserverBase> observer_;
  Rule rule_ = &observers_own;
  QParams params_;
  const Kernels* kernels_;
};

}  // namespace octavo
