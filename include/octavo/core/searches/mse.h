#pragma once

#include "octavo/core/histogram.h"
#include "octavo/core/qparams.h"
#include "octavo/core/searches/quantization_error.h"

namespace octavo {

/// The range of least squared error under `scheme`, each end tried at all 1/128 of itself: first both together,
/// then one at a time until neither gains. Above 8 bits a step is finer than a bin, so the error cannot be seen:
/// the whole range is kept.
inline Range mse_range(const Histogram& histogram, const QScheme& scheme) {
  const Range whole = histogram.range();
  if (whole.empty() || scheme.bits > 8) return whole;
  constexpr int kSteps = 128;
  constexpr int kMostRounds = 8;
  const QuantizationError error(histogram);
  const auto ranged = [&](int low, int high) {
    return Range{whole.min * static_cast<float>(low) / kSteps, whole.max * static_cast<float>(high) / kSteps};
  };
  int best_low = kSteps;
  int best_high = kSteps;
  const auto error_at = [&](int low, int high) {
    return error.of(affine_map(qparams_from_range(ranged(low, high), scheme), 0));
  };
  double best = error_at(best_low, best_high);
  bool gained = false;
  const auto consider = [&](int low, int high) {
    const double candidate = error_at(low, high);
    if (candidate >= best) return;  // of equals the wider one, which came first
    best = candidate;
    best_low = low;
    best_high = high;
    gained = true;
  };
  for (int i = kSteps - 1; i >= 1; --i) consider(i, i);
  gained = whole.min < 0.0F && whole.max > 0.0F;
  for (int round = 0; round < kMostRounds && gained; ++round) {
    gained = false;
    for (int i = kSteps, high = best_high; i >= 1; --i) consider(i, high);
    for (int i = kSteps, low = best_low; i >= 1; --i) consider(low, i);
  }
  return ranged(best_low, best_high);
}

}  // namespace octavo
