#pragma once

#include "octavo/core/observers/pictures.h"
#include "octavo/core/searches/clipping.h"

namespace octavo {

/// TNN's MIN_MAX for blobs: the largest magnitude's bin of 2048, cut at its middle, so absmax · 2047.5 / 2048.
class TNNMinMaxObserver final : public PicturesObserver {
 public:
  explicit TNNMinMaxObserver(const Kernels& kernels = plain_kernels()) : PicturesObserver(kernels) {}

 private:
  Range range_of(Pictures pictures, const QScheme& scheme) const override {
    const Range seen = joined_range(pictures);
    return clipped_range(seen, static_cast<float>(2047.5 / double{2048.0F / absmax_of(seen)}), scheme);
  }
};

}  // namespace octavo
