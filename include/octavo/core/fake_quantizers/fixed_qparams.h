#pragma once

#include <memory>

#include "octavo/core/fake_quantize.h"

namespace octavo {

/// PyTorch's FixedQParamsFakeQuantize: the parameters are those that the observer gives at the beginning, a
/// FixedQParamsObserver as a rule; it sees nothing.
class FixedQParamsFakeQuantize final : public FakeQuantize {
 public:
  FixedQParamsFakeQuantize(const QScheme& scheme, const std::unique_ptr<ObserverBase>& observer,
                           const Kernels& kernels = plain_kernels())
      : FakeQuantize(observer->compute_qparams(scheme), kernels) {}
};

}  // namespace octavo
