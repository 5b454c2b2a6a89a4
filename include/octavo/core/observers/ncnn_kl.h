#pragma once

#include "octavo/core/observers/histogram.h"
#include "octavo/core/searches/smoothed_kl.h"

namespace octavo {

/// ncnn2table's method=kl, in 2^(bits-1) steps, on 2048 bins formed as for TNNKLObserver.
class NcnnKLObserver final : public OneHistogramObserver {
 public:
  explicit NcnnKLObserver(int bins = 4096, const Kernels& kernels = plain_kernels())
      : OneHistogramObserver(bins, kernels) {}

 private:
  Range search(const Histogram& histogram, const QScheme& scheme) const override {
    return smoothed_kl_range(histogram, scheme, ncnn_kl_bins);
  }
};

}  // namespace octavo
