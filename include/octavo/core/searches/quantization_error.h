#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "octavo/core/histogram.h"
#include "octavo/core/rounding.h"

namespace octavo {

/// How near a histogram's values stay to their quantized ones, each taken at the middle of its bin, as a function of
/// the parameters: prefix sums of counts, first and second moments make it cost a step per integer level.
class QuantizationError {
 public:
  explicit QuantizationError(const Histogram& histogram)
      : bins_(histogram.bins()), width_(histogram.width()), moments_(2 * static_cast<std::size_t>(bins_) + 1) {
    std::vector<double> weights(2 * static_cast<std::size_t>(bins_));
    histogram.positive().for_each(
        [&](std::size_t i, std::uint64_t n) { weights[index(static_cast<int>(i))] = static_cast<double>(n); });
    histogram.negative().for_each(
        [&](std::size_t i, std::uint64_t n) { weights[index(-1 - static_cast<int>(i))] = static_cast<double>(n); });
    for (int i = -bins_; i < bins_; ++i) {
      const double weight = weights[index(i)];
      const double middle = i + 0.5;  // in bins: the width enters at the end
      const Moments& before = moments_[index(i)];
      moments_[index(i + 1)] = {before.count + weight, before.first + weight * middle,
                                before.second + weight * middle * middle};
    }
  }

  /// Sum over all values of (x - dequantize(quantize(x)))^2.
  double of(const AffineMap& map) const {
    double sum = 0.0;
    for_each_level(map, [&](double real, const Moments& held) {
      sum += held.second - 2.0 * real * held.first + real * real * held.count;
    });
    return sum * width_ * width_;
  }

  /// Cosine of the angle between all values and their quantized ones; 0 where either are all zero.
  double cosine(const AffineMap& map) const {
    double product = 0.0;
    double square = 0.0;
    for_each_level(map, [&](double real, const Moments& held) {
      product += real * held.first;
      square += real * real * held.count;
    });
    const double own = moments_.back().second;
    return square > 0.0 && own > 0.0 ? product / std::sqrt(square * own) : 0.0;
  }

 private:
  struct Moments {
    double count = 0.0;
    double first = 0.0;
    double second = 0.0;
  };

  /// Calls visit(real, held) for every integer that values become: what it stands for and their moments, in bins.
  template <typename Visit>
  void for_each_level(const AffineMap& map, const Visit& visit) const {
    const double step = map.scale / width_;
    int begin = -bins_;
    for (std::int32_t q = map.quant_min; q <= map.quant_max && begin < bins_; ++q) {
      const double real = (q - map.zero_point) * step;
      // The bins nearest to this level; all that is left for the last one. A middle half way goes up.
      const int end = q == map.quant_max ? bins_ : first_bin_not_below(real + step / 2.0);
      if (end <= begin) continue;
      const Moments& low = moments_[index(begin)];
      const Moments& high = moments_[index(end)];
      visit(real, Moments{high.count - low.count, high.first - low.first, high.second - low.second});
      begin = end;
    }
  }

  std::size_t index(int bin) const { return static_cast<std::size_t>(bin + bins_); }
  int first_bin_not_below(double position) const {
    const double bound = std::clamp(position - 0.5, -static_cast<double>(bins_), static_cast<double>(bins_));
    return static_cast<int>(std::ceil(bound));
  }

  int bins_;
  double width_;
  std::vector<Moments> moments_;
};

}  // namespace octavo
