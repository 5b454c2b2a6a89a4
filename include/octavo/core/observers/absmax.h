#pragma once

#include "octavo/core/observers/pictures.h"
#include "octavo/core/searches/clipping.h"

namespace octavo {

/// The largest magnitude over all pictures, on both sides of zero.
class AbsMaxObserver final : public PicturesObserver {
 public:
  explicit AbsMaxObserver(const Kernels& kernels = plain_kernels()) : PicturesObserver(kernels) {}

 private:
  Range range_of(Pictures pictures, const QScheme&) const override {
    const Range seen = joined_range(pictures);
    return seen.empty() ? seen : Range{-absmax_of(seen), absmax_of(seen)};
  }
};

}  // namespace octavo
