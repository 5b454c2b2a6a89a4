#pragma once

#include <algorithm>
#include <cstddef>

#include "octavo/core/observers/pictures.h"

namespace octavo {

/// Means of each batch's smallest and of its largest value: NNCF's default for activations. The last batch may be
/// smaller; batches without a number count for nothing.
class MeanMinMaxObserver final : public PicturesObserver {
 public:
  /// `batch_size` pictures in a row are one batch.
  explicit MeanMinMaxObserver(std::size_t batch_size = 1, const Kernels& kernels = plain_kernels())
      : PicturesObserver(kernels), batch_size_(std::max<std::size_t>(batch_size, 1)) {}

 private:
  Range range_of(Pictures pictures, const QScheme&) const override {
    double min = 0.0;
    double max = 0.0;
    double batches = 0.0;
    while (!pictures.empty()) {
      const std::size_t size = std::min(batch_size_, pictures.size());
      const Range range = joined_range(pictures.first(size));
      pictures = pictures.subspan(size);
      if (range.empty()) continue;
      min += range.min;
      max += range.max;
      batches += 1.0;
    }
    if (batches == 0.0) return {};
    return {static_cast<float>(min / batches), static_cast<float>(max / batches)};
  }

  std::size_t batch_size_;
};

}  // namespace octavo
