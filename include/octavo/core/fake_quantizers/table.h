#pragma once

#include <array>
#include <memory>
#include <span>
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

inline constexpr std::array kFakeQuantizers = {
    FakeQuantizeEntry{
        "FakeQuantize",
        [](const ObserverBase& observer, const QScheme& scheme) { return observer.compute_qparams(scheme); },
        [](const QScheme& scheme, std::unique_ptr<ObserverBase> observer,
           const Kernels& kernels) -> std::unique_ptr<FakeQuantizeBase> {
          return std::make_unique<FakeQuantize>(scheme, std::move(observer), kernels);
        }},
};

}  // namespace detail

/// Every fake-quantizer there is.
inline std::span<const FakeQuantizeEntry> fake_quantizers() { return detail::kFakeQuantizers; }

}  // namespace octavo
