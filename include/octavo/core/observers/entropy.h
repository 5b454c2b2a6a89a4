#pragma once

#include <algorithm>
#include <cstddef>

#include "octavo/core/observers/histogram.h"
#include "octavo/core/searches/entropy.h"

namespace octavo {

/// ONNX Runtime's entropy calibration (onnxruntime/quantization/calibrate.py). Its 128 bins and 128 levels leave one
/// candidate, the whole range: with them it is min-max by construction. ONNX Runtime adds bins while the range grows;
/// here all are formed over the final [-absmax, absmax].
class EntropyObserver final : public OneHistogramObserver {
 public:
  /// `num_bins` of both signs, `levels` at most as many, both from 2 to 8192 and brought there, and to even numbers.
  explicit EntropyObserver(double num_bins = 128.0, double levels = 128.0, int bins = 4096,
                           const Kernels& kernels = plain_kernels())
      : OneHistogramObserver(bins, kernels), num_bins_(even(num_bins)), levels_(std::min(even(levels), num_bins_)) {}

 private:
  static std::size_t even(double number) {
    return number >= 2.0 ? static_cast<std::size_t>(std::min(number, 8192.0)) / 2 * 2 : 2;
  }

  Range search(const Histogram& histogram, const QScheme&) const override {
    return entropy_range(histogram, num_bins_, levels_);
  }

  std::size_t num_bins_;
  std::size_t levels_;
};

}  // namespace octavo
