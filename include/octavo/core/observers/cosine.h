#pragma once

#include "octavo/core/observers/histogram.h"
#include "octavo/core/searches/cosine.h"

namespace octavo {

/// Clips where the quantized values keep the original ones' direction best, near where ncnn's KL does: EasyQuant's
/// search on the values themselves.
class CosineObserver final : public OneHistogramObserver {
 public:
  explicit CosineObserver(int bins = 4096, const Kernels& kernels = plain_kernels())
      : OneHistogramObserver(bins, kernels) {}

 private:
  Range search(const Histogram& histogram, const QScheme& scheme) const override {
    return cosine_range(histogram, scheme);
  }
};

}  // namespace octavo
