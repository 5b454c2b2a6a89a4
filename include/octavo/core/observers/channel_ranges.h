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

}  // namespace octavo
