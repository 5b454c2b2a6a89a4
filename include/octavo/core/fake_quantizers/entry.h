#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "octavo/core/fake_quantize.h"

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

}  // namespace detail

/// What a plan takes where nobody chose.
inline constexpr FakeQuantizeEntry kPlainFakeQuantize{"FakeQuantize", &detail::qparams_of_observer,
                                                      &detail::made_fake_quantizer<FakeQuantize>};

}  // namespace octavo
