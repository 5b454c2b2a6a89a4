#pragma once

#include "octavo/core/observers/histogram.h"
#include "octavo/core/searches/smoothed_kl.h"

namespace octavo {

/// TNN's KL_DIVERGENCE for blobs (tools/quantization/scale_calculator.cc), in 2^(bits-1) steps. TNN counts in 2048 bins
/// of [0, absmax] in a second pass over the pictures; here they are formed from bins of a power of two. TNN takes its
/// MIN_MAX instead where height · width is below 100: a choice of the recipe.
class TNNKLObserver final : public OneHistogramObserver {
 public:
  explicit TNNKLObserver(int bins = 4096, const Kernels& kernels = plain_kernels())
      : OneHistogramObserver(bins, kernels) {}

 private:
  Range search(const Histogram& histogram, const QScheme& scheme) const override {
    return smoothed_kl_range(histogram, scheme, tnn_kl_bins);
  }
};

}  // namespace octavo
