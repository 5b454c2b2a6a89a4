#pragma once

#include <algorithm>
#include <cmath>
#include <memory>

#include "octavo/core/observers/table.h"

namespace example {

/// Quantizes the values within three standard deviations of the mean, as control charts do. The histogram that it
/// reads is counted, merged and saved by its base class.
class ThreeSigmaObserver final : public octavo::OneHistogramObserver {
 public:
  explicit ThreeSigmaObserver(const octavo::ObserverOptions& options)
      : OneHistogramObserver(options.bins, *options.kernels), sigmas_(sigmas_of(options)) {}

 private:
  /// `sigmas: 4` beside the observer's name in a recipe.
  static double sigmas_of(const octavo::ObserverOptions& options) {
    const auto found = options.extra.find("sigmas");
    return found == options.extra.end() ? 3.0 : found->second;
  }

  octavo::Range search(const octavo::Histogram& histogram, const octavo::QScheme&) const override {
    const auto count = static_cast<double>(histogram.count());
    if (count == 0.0) return {};
    double sum = 0.0;
    double squares = 0.0;
    for (int i = 0; i < histogram.bins(); ++i) {
      const double middle = (i + 0.5) * histogram.width();
      const auto bin = static_cast<std::size_t>(i);
      const auto above = static_cast<double>(histogram.positive(bin));
      const auto below = static_cast<double>(histogram.negative(bin));
      sum += middle * (above - below);
      squares += middle * middle * (above + below);
    }
    const double mean = sum / count;
    const double reach = sigmas_ * std::sqrt(std::max(squares / count - mean * mean, 0.0));
    return {std::max(histogram.range().min, static_cast<float>(mean - reach)),
            std::min(histogram.range().max, static_cast<float>(mean + reach))};
  }

  double sigmas_;
};

inline octavo::ObserverEntry three_sigma() {
  return {"ThreeSigmaObserver", [](const octavo::ObserverOptions& options) -> std::unique_ptr<octavo::ObserverBase> {
            return std::make_unique<ThreeSigmaObserver>(options);
          }};
}

}  // namespace example
