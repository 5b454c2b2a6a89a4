#pragma once

#include "octavo/core/histogram.h"
#include "octavo/core/qparams.h"
#include "octavo/core/searches/clipping.h"
#include "octavo/core/searches/quantization_error.h"
#include "octavo/core/searches/smoothed_kl.h"

namespace octavo {

/// The range whose quantized values point in the direction of the original ones: EasyQuant's criterion (Wu et al. 2020,
/// arXiv 2006.16669) and its search, the inverse scale at 100 steps of [S/2, 2S) around S, of ncnn's KL as in
/// ncnn2table. The paper compares a layer's outputs; this compares the values themselves. Above 8 bits a step is finer
/// than a bin, so the cosine cannot be seen: the whole range is kept.
inline Range cosine_range(const Histogram& histogram, const QScheme& scheme) {
  const Range& seen = histogram.range();
  if (seen.empty() || scheme.bits > 8) return seen;
  constexpr int kSteps = 100;
  const Range start = smoothed_kl_range(histogram, scheme, ncnn_kl_bins);
  const float threshold = absmax_of(start);
  const QuantizationError error(histogram);
  Range best = start;
  double best_cosine = -1.0;
  for (int step = 0; step < kSteps; ++step) {
    const double factor = 0.5 + 1.5 * step / kSteps;
    const Range range = clipped_range(seen, static_cast<float>(threshold / factor), scheme);
    const double cosine = error.cosine(affine_map(qparams_from_range(range, scheme), 0));
    if (cosine <= best_cosine) continue;  // of equals the wider range, which came first
    best_cosine = cosine;
    best = range;
  }
  return best;
}

}  // namespace octavo
