#pragma once

#include "octavo/core/observers/pictures.h"
#include "octavo/core/searches/aciq.h"
#include "octavo/core/searches/clipping.h"

namespace octavo {

/// Clips as is best for Laplace-distributed values: TNN's ACIQ_LAPLACE, from the mean over pictures of each one's mean
/// magnitude, taken from a histogram. For 2 to 8 bits; with others nothing is clipped.
class ACIQLaplaceObserver final : public PicturesObserver {
 public:
  explicit ACIQLaplaceObserver(const Kernels& kernels = plain_kernels()) : PicturesObserver(kernels) {}

 private:
  bool needs_magnitudes() const override { return true; }
  Range range_of(Pictures pictures, const QScheme& scheme) const override {
    const Range seen = joined_range(pictures);
    if (seen.empty()) return seen;
    double sum = 0.0;
    for (const PictureStatistics& picture : pictures) sum += picture.mean_magnitude;
    const auto mean = static_cast<float>(sum / static_cast<double>(pictures.size()));
    const float threshold = aciq_laplace_threshold(mean, scheme.bits);
    return threshold > 0.0F ? clipped_range(seen, threshold, scheme) : seen;
  }
};

}  // namespace octavo
