#pragma once

#include <span>

#include "octavo/core/observer.h"
#include "octavo/core/observers/channel_ranges.h"

namespace octavo {

/// What observers have in common whose parameters follow from ranges alone (PyTorch's
/// UniformQuantizationObserverBase): a class that derives from it says what the ranges are.
class UniformQuantizationObserverBase : public ObserverBase {
 public:
  /// The ranges to quantize under `scheme`: one for the tensor, or one for each channel where the observer looks at
  /// channels; no entry, or an empty range, before anything was seen. PyTorch's min_val and max_val.
  virtual ChannelRanges ranges(const QScheme& scheme) const = 0;

  /// Whether `ranges` are those of channels. Those of a tensor hold for all of it under every scheme.
  virtual bool by_channel() const { return false; }

  QParams compute_qparams(const QScheme& scheme) const override { return qparams_by(&qparams_from_ranges, scheme); }

  /// The same by another rule than `qparams_from_ranges`, of like signature.
  QParams qparams_by(QParams (*rule)(std::span<const Range>, const QScheme&), QScheme scheme) const {
    ChannelRanges found = ranges(scheme);
    if (!by_channel() || scheme.axis == QScheme::kPerTensor || found.empty()) {
      Range all;
      for (const Range& range : found) all = all.joined(range);
      found.assign(1, all);
      scheme.axis = QScheme::kPerTensor;
      scheme.group_size = 0;
    }
    return rule(found, scheme);
  }

  const UniformQuantizationObserverBase* uniform() const final { return this; }
};

}  // namespace octavo
