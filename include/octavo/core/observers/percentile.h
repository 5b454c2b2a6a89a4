#pragma once

#include "octavo/core/observers/histogram.h"
#include "octavo/core/searches/percentile.h"

namespace octavo {

/// Leaves out the outermost values, (100 - percentile) / 2 per cent of all at each end.
class PercentileObserver final : public OneHistogramObserver {
 public:
  explicit PercentileObserver(double percentile = 99.9999, int bins = 4096, const Kernels& kernels = plain_kernels())
      : OneHistogramObserver(bins, kernels), percentile_(percentile) {}

 private:
  Range search(const Histogram& histogram, const QScheme&) const override {
    return percentile_range(histogram, percentile_);
  }

  double percentile_;
};

}  // namespace octavo
