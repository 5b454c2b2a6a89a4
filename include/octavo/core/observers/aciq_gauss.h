#pragma once

#include "octavo/core/observers/pictures.h"
#include "octavo/core/searches/aciq.h"
#include "octavo/core/searches/clipping.h"

namespace octavo {

/// Clips as is best for normal values: TNN's ACIQ_GAUS and ncnn2table's method=aciq, from the largest magnitude of all
/// pictures and the number of values in the last. For 2 to 8 bits; with others nothing is clipped.
class ACIQGaussObserver final : public PicturesObserver {
 public:
  explicit ACIQGaussObserver(const Kernels& kernels = plain_kernels()) : PicturesObserver(kernels) {}

 private:
  Range range_of(Pictures pictures, const QScheme& scheme) const override {
    const Range seen = joined_range(pictures);
    if (seen.empty()) return seen;
    const float threshold = aciq_gauss_threshold(absmax_of(seen), pictures.back().count, scheme.bits);
    return threshold > 0.0F ? clipped_range(seen, threshold, scheme) : seen;
  }
};

}  // namespace octavo
