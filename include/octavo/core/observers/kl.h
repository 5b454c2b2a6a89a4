#pragma once

#include "octavo/core/observers/histogram.h"
#include "octavo/core/searches/kl.h"

namespace octavo {

/// Clips where the quantized distribution of magnitudes stays nearest to the original, in 2^(bits-1) steps:
/// TensorRT's entropy calibration, 128 steps for 8 bits.
class KLObserver final : public OneHistogramObserver {
 public:
  explicit KLObserver(int bins = 4096, const Kernels& kernels = plain_kernels())
      : OneHistogramObserver(bins, kernels) {}

 private:
  Range search(const Histogram& histogram, const QScheme& scheme) const override {
    return kl_range(histogram, std::size_t{1} << (scheme.bits - 1));
  }
};

}  // namespace octavo
