#pragma once

#include <array>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "octavo/core/fake_quantize.h"
#include "octavo/core/fake_quantizers/fixed_qparams.h"
#include "octavo/core/fake_quantizers/fused_moving_avg.h"
#include "octavo/core/fake_quantizers/learnable.h"

namespace octavo {

/// One fake-quantizer by the name its users know.
struct FakeQuantizeEntry {
  std::string_view name;
  /// The parameters it would quantize with, of what `observer` saw under `scheme`: what a calibration takes over.
  QParams (*compute_qparams)(const ObserverBase& observer, const QScheme& scheme);
  /// One for training, with an observer of its own.
  std::unique_ptr<FakeQuantizeBase> (*make)(const QScheme& scheme, std::unique_ptr<ObserverBase> observer,
                                            const Kernels& kernels);
};

namespace detail {

template <typename FakeQuantizer>
std::unique_ptr<FakeQuantizeBase> made_fake_quantizer(const QScheme& scheme, std::unique_ptr<ObserverBase> observer,
                                                      const Kernels& kernels) {
  return std::make_unique<FakeQuantizer>(scheme, std::move(observer), kernels);
}
inline QParams qparams_of_observer(const ObserverBase& observer, const QScheme& scheme) {
  return observer.compute_qparams(scheme);
}

inline constexpr std::array kFakeQuantizers = {
    FakeQuantizeEntry{"FakeQuantize", &qparams_of_observer, &made_fake_quantizer<FakeQuantize>},
    FakeQuantizeEntry{"FixedQParamsFakeQuantize", &qparams_of_observer, &made_fake_quantizer<FixedQParamsFakeQuantize>},
    FakeQuantizeEntry{"FusedMovingAvgObsFakeQuantize", &FusedMovingAvgObsFakeQuantize::qparams_of,
                      &made_fake_quantizer<FusedMovingAvgObsFakeQuantize>},
    FakeQuantizeEntry{"LearnableFakeQuantize", &LearnableFakeQuantize::start,
                      &made_fake_quantizer<LearnableFakeQuantize>},
};

}  // namespace detail

/// Every fake-quantizer there is.
inline std::span<const FakeQuantizeEntry> fake_quantizers() { return detail::kFakeQuantizers; }

}  // namespace octavo
