#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

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

/// Groups along a dimension as ONNX's block_size has them: `group` elements next to each other along the axis share
/// a scale, for each index of all other dimensions; the last group of an axis may be shorter. Scales are those of a
/// tensor in whose shape the axis is divided by `group`, rounded up.
struct GroupLayout {
  std::size_t outer = 1;
  std::size_t size = 1;  ///< of the axis
  std::size_t inner = 1;
  std::size_t group = 1;

  std::size_t groups() const { return size / group + (size % group != 0 ? 1 : 0); }
  std::size_t scales() const { return outer * groups() * inner; }
  std::size_t scale_index(std::size_t o, std::size_t at, std::size_t i) const {
    return (o * groups() + at / group) * inner + i;
  }
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

/// The layout of groups of `group_size` above 0 along `axis`.
inline GroupLayout group_layout(std::span<const std::int64_t> shape, int axis, int group_size) {
  OCTAVO_REQUIRE(axis >= 0 && group_size > 0, "an axis and a group size above 0");
  const ChannelLayout along = channel_layout(shape, axis);
  return {along.outer, along.channels, along.inner, static_cast<std::size_t>(group_size)};
}

/// Calls run(offset, count, index of the scale) for all elements, in stretches that share a scale.
template <typename Run>
void for_each_in_group(const GroupLayout& layout, const Run& run) {
  for (std::size_t o = 0; o < layout.outer; ++o) {
    const std::size_t row = o * layout.size * layout.inner;
    for (std::size_t at = 0; at < layout.size; at += layout.inner == 1 ? layout.group : 1) {
      if (layout.inner == 1) {
        run(row + at, std::min(layout.group, layout.size - at), layout.scale_index(o, at, 0));
        continue;
      }
      for (std::size_t i = 0; i < layout.inner; ++i) {
        run(row + at * layout.inner + i, std::size_t{1}, layout.scale_index(o, at, i));
      }
    }
  }
}

/// The shape of scales per group.
inline std::vector<std::int64_t> grouped_shape(std::span<const std::int64_t> shape, int axis, int group_size) {
  std::vector<std::int64_t> scales(shape.begin(), shape.end());
  auto& size = scales[static_cast<std::size_t>(axis)];
  size = size / group_size + (size % group_size != 0 ? 1 : 0);
  return scales;
}

}  // namespace octavo
