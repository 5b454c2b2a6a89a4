#pragma once

#include <memory>
#include <span>
#include <vector>

#include "octavo/core/observer.h"

namespace octavo {

/// What observers have in common that look at nothing and have no parameters to give. The state is empty.
class ObserverWithoutQParams : public ObserverBase {
 public:
  std::unique_ptr<Summary> summarize(const TensorView&) const final { return std::make_unique<Summary>(); }
  void fold(const Summary&) final {}
  void merge(const ObserverBase&) final {}
  QParams compute_qparams(const QScheme&) const final { return {}; }
  bool has_qparams() const final { return false; }
  bool restore(std::span<const TensorStatistics>) final { return true; }
  void save(std::vector<std::byte>&) const final {}
  bool load(std::span<const std::byte> bytes) final { return bytes.empty(); }
};

/// The value stays float, or is quantized at run time: PyTorch's PlaceholderObserver.
class PlaceholderObserver final : public ObserverWithoutQParams {};

/// The value stays float: PyTorch's NoopObserver.
class NoopObserver final : public ObserverWithoutQParams {};

/// The value takes the parameters of the input that it is made of, by a reshape for example: PyTorch's
/// ReuseInputObserver.
class ReuseInputObserver final : public ObserverWithoutQParams {};

}  // namespace octavo
