#pragma once

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

  QParams compute_qparams(const QScheme& scheme) const override {
    return qparams_from_channels(ranges(scheme), scheme);
  }
};

}  // namespace octavo
