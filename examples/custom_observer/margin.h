#pragma once

#include <memory>
#include <utility>

#include "octavo/core/fake_quantizers/table.h"

namespace example {

/// Steps a little wider than the observer asks for: room for values that calibration did not see.
class MarginFakeQuantize final : public octavo::FakeQuantizeBase {
 public:
  MarginFakeQuantize(const octavo::QScheme& scheme, std::unique_ptr<octavo::ObserverBase> observer,
                     const octavo::Kernels& kernels)
      : scheme_(scheme), observer_(std::move(observer)), kernels_(&kernels) {
    params_ = with_margin(*observer_, scheme_);
  }

  static octavo::QParams with_margin(const octavo::ObserverBase& observer, const octavo::QScheme& scheme) {
    constexpr float kMargin = 1.02F;
    octavo::QParams params = observer.compute_qparams(scheme);
    for (float& scale : params.scale) scale *= kMargin;
    return params;
  }

  octavo::Tensor forward(const octavo::TensorView& x) override {
    if (observes()) {
      observer_->fold(*observer_->summarize(x));
      params_ = with_margin(*observer_, scheme_);
    }
    if (fake_quantizes()) return octavo::fake_quantize(x, params_, *kernels_);
    return octavo::Tensor::from<float>(octavo::Shape(x.shape().begin(), x.shape().end()), x.data<float>());
  }
  const octavo::QParams& qparams() const override { return params_; }

 private:
  octavo::QScheme scheme_;
  std::unique_ptr<octavo::ObserverBase> observer_;
  octavo::QParams params_;
  const octavo::Kernels* kernels_;
};

inline octavo::FakeQuantizeEntry margin() {
  return {"MarginFakeQuantize", &MarginFakeQuantize::with_margin,
          [](const octavo::QScheme& scheme, std::unique_ptr<octavo::ObserverBase> observer,
             const octavo::Kernels& kernels) -> std::unique_ptr<octavo::FakeQuantizeBase> {
            return std::make_unique<MarginFakeQuantize>(scheme, std::move(observer), kernels);
          }};
}

}  // namespace example
