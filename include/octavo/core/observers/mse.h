#pragma once

#include "octavo/core/observers/histogram.h"
#include "octavo/core/searches/mse.h"

namespace octavo {

/// Clips where the squared error of the quantized values is least.
class MSEObserver final : public OneHistogramObserver {
 public:
  explicit MSEObserver(int bins = 4096, const Kernels& kernels = plain_kernels())
      : OneHistogramObserver(bins, kernels) {}

 private:
  Range search(const Histogram& histogram, const QScheme& scheme) const override {
    return mse_range(histogram, scheme);
  }
};

}  // namespace octavo
