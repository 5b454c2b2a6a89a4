#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "octavo/core/histogram.h"
#include "octavo/core/qparams.h"

namespace octavo {

/// The range that leaves out at most (100 - percentile) / 200 of all values at each end (ONNX Runtime's
/// meaning), to the bin. Zero is never left out. `percentile` in [0, 100]. Empty for an empty histogram.
inline Range percentile_range(const Histogram& histogram, double percentile) {
  if (histogram.range().empty()) return {};
  const double share = std::clamp((100.0 - percentile) / 200.0, 0.0, 0.5);
  const auto allowed = static_cast<std::uint64_t>(static_cast<double>(histogram.count()) * share);
  const auto edge = [&](const BinCounts& counts) {
    std::uint64_t outside = 0;
    std::size_t end = counts.bins();
    while (end > 0 && outside + counts.at(end - 1) <= allowed) outside += counts.at(--end);
    return static_cast<float>(static_cast<double>(end) * histogram.width());
  };
  return {std::max(histogram.range().min, -edge(histogram.negative())),
          std::min(histogram.range().max, edge(histogram.positive()))};
}

}  // namespace octavo
