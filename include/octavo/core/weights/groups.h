#pragma once

#include <algorithm>

#include "octavo/core/channels.h"
#include "octavo/core/qscheme.h"
#include "octavo/core/tensor.h"

namespace octavo {

/// The groups of an f32 weight as the rows of a matrix, in the order of their scales, so that whatever looks at
/// channels (axis 0) looks at groups. What a short last group lacks is filled with zeros, which every scheme holds
/// exactly.
inline Tensor group_rows(const TensorView& weight, int axis, int group_size) {
  const GroupLayout layout = group_layout(weight.shape(), axis, group_size);
  const std::size_t width = std::min(layout.group, layout.size);
  Tensor rows(DType::f32, {static_cast<std::int64_t>(layout.scales()), static_cast<std::int64_t>(width)});
  const auto from = weight.data<float>();
  const auto to = rows.mutable_data<float>();
  for (std::size_t o = 0; o < layout.outer; ++o) {
    for (std::size_t at = 0; at < layout.size; ++at) {
      for (std::size_t i = 0; i < layout.inner; ++i) {
        to[layout.scale_index(o, at, i) * width + at % layout.group] = from[(o * layout.size + at) * layout.inner + i];
      }
    }
  }
  return rows;
}

/// A scheme per group as the one of `group_rows`.
inline QScheme scheme_of_rows(QScheme scheme) {
  scheme.axis = 0;
  scheme.group_size = 0;
  return scheme;
}

/// Parameters found for `group_rows` under `scheme_of_rows` as those of the weight itself.
inline QParams params_of_groups(QParams rows, const QScheme& scheme) {
  if (!rows.per_channel()) return rows;  // from an observer that looks at the whole tensor
  rows.axis = scheme.axis;
  rows.group_size = scheme.group_size;
  return rows;
}

}  // namespace octavo
