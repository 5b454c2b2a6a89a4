#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "octavo/core/qscheme.h"
#include "octavo/core/require.h"

namespace octavo {

/// How the elements of one index of a dimension lie in memory: `outer` runs of `inner` elements, run o of
/// channel c beginning at (o * channels + c) * inner.
struct ChannelLayout {
  std::size_t outer = 1;
  std::size_t channels = 1;
  std::size_t inner = 1;

  std::size_t offset(std::size_t o, std::size_t channel) const { return (o * channels + channel) * inner; }
};

/// The layout along `axis`; for kPerTensor one channel of all elements.
inline ChannelLayout channel_layout(std::span<const std::int64_t> shape, int axis) {
  ChannelLayout layout;
  OCTAVO_REQUIRE(axis < static_cast<int>(shape.size()), "an axis below the tensor's rank");
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const auto size = static_cast<std::size_t>(shape[d]);
    if (static_cast<int>(d) < axis) {
      layout.outer *= size;
    } else if (static_cast<int>(d) == axis) {
      layout.channels = size;
    } else {
      layout.inner *= size;
    }
  }
  return layout;
}

}  // namespace octavo
