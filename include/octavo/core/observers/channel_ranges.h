#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "octavo/core/channels.h"
#include "octavo/core/kernels.h"
#include "octavo/core/observer.h"

namespace octavo {

/// One range for each index of a dimension.
using ChannelRanges = std::vector<Range>;

struct ChannelRangesSummary final : Summary {
  ChannelRanges ranges;
};

/// Range of each index of `axis` of an f32 tensor.
inline ChannelRanges channel_ranges(const TensorView& x, int axis, const Kernels& kernels) {
  const ChannelLayout layout = channel_layout(x.shape(), axis);
  const auto values = x.data<float>();
  ChannelRanges ranges(layout.channels);
  for (std::size_t o = 0; o < layout.outer; ++o) {
    for (std::size_t c = 0; c < layout.channels; ++c) {
      ranges[c] = ranges[c].joined(kernels.min_max_f32(values.data() + layout.offset(o, c), layout.inner));
    }
  }
  return ranges;
}

/// Under a scheme per tensor the channels' ranges become one. Before anything was seen the number of channels is
/// not known: then the parameters are per tensor too. Under a scheme per group `ranges` are those of the groups.
inline QParams qparams_from_channels(const ChannelRanges& ranges, const QScheme& scheme) {
  if (scheme.axis != QScheme::kPerTensor && !ranges.empty()) return qparams_from_ranges(ranges, scheme);
  Range all;
  for (const Range& range : ranges) all = all.joined(range);
  return qparams_from_range(all, scheme);
}

}  // namespace octavo
