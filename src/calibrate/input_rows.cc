#include "input_rows.h"

#include <algorithm>

namespace octavo::calibration {
namespace {

/// Spread evenly, begun at a place of the sample's own (multiplicative hashing, Knuth).
std::vector<std::size_t> chosen_positions(std::size_t all, std::size_t count, std::size_t sample) {
  count = std::min(count, all);
  const std::size_t shift = all == 0 ? 0 : sample * 2654435761U % all;
  std::vector<std::size_t> positions(count);
  for (std::size_t i = 0; i < count; ++i) positions[i] = (i * all / count + shift) % all;
  return positions;
}

/// Counts through the places of a box, last dimension fastest.
void advance(std::vector<std::int64_t>& place, std::span<const Window> windows, std::int64_t Window::*size) {
  for (std::size_t d = windows.size(); d-- > 0;) {
    if (++place[d] < windows[d].*size) return;
    place[d] = 0;
  }
}

/// Offset within one image channel, or -1 in the padding.
std::int64_t offset_at(std::span<const Window> windows, std::span<const std::int64_t> sizes,
                       std::span<const std::int64_t> output, std::span<const std::int64_t> tap) {
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < windows.size(); ++d) {
    const std::int64_t i = output[d] * windows[d].stride + tap[d] * windows[d].dilation - windows[d].pad_begin;
    if (i < 0 || i >= sizes[d]) return -1;
    offset = offset * sizes[d] + i;
  }
  return offset;
}

std::vector<float> rows_of_conv(const Node& node, std::span<const std::int64_t> weight, const TensorView& x,
                                std::size_t count, std::size_t sample) {
  const auto sizes = x.shape().subspan(2);
  const auto windows = window_geometry(node, weight.subspan(2), sizes);
  std::size_t places = 1;
  for (const Window& window : windows) places *= static_cast<std::size_t>(window.output);
  const auto channels = static_cast<std::size_t>(x.dim(1));
  const auto taps = static_cast<std::size_t>(element_count(weight.subspan(2)));
  const auto plane = static_cast<std::size_t>(element_count(sizes));
  const float* data = x.data<float>().data();
  std::vector<float> rows;
  for (const std::size_t position : chosen_positions(static_cast<std::size_t>(x.dim(0)) * places, count, sample)) {
    std::vector<std::int64_t> output(windows.size());
    std::size_t rest = position % places;
    for (std::size_t d = windows.size(); d-- > 0;) {
      output[d] = static_cast<std::int64_t>(rest % static_cast<std::size_t>(windows[d].output));
      rest /= static_cast<std::size_t>(windows[d].output);
    }
    const float* image = data + position / places * channels * plane;
    const std::size_t row = rows.size();
    rows.resize(row + channels * taps);
    std::vector<std::int64_t> tap(windows.size());
    for (std::size_t t = 0; t < taps; ++t, advance(tap, windows, &Window::kernel)) {
      const std::int64_t offset = offset_at(windows, sizes, output, tap);
      if (offset < 0) continue;
      for (std::size_t c = 0; c < channels; ++c)
        rows[row + c * taps + t] = image[c * plane + static_cast<std::size_t>(offset)];
    }
  }
  return rows;
}

}  // namespace

WeightLayout weight_layout(const Node& node, std::span<const std::int64_t> weight) {
  const auto dim = [&](std::size_t i) { return static_cast<std::size_t>(weight[i]); };
  if (node.op_type == "Conv") {
    const auto groups = static_cast<std::size_t>(node.int_or("group", 1));
    return {groups, dim(0) / groups, static_cast<std::size_t>(element_count(weight.subspan(1))), false};
  }
  const bool inputs_first = node.op_type == "MatMul" || node.int_or("transB", 0) == 0;
  return inputs_first ? WeightLayout{1, dim(1), dim(0), true} : WeightLayout{1, dim(0), dim(1), false};
}

std::vector<float> input_rows(const Node& node, std::span<const std::int64_t> weight, const TensorView& x,
                              std::size_t count, std::size_t sample) {
  if (node.op_type == "Conv") return rows_of_conv(node, weight, x, count, sample);
  const std::size_t columns = weight_layout(node, weight).inputs;
  const auto data = x.data<float>();
  std::vector<float> rows;
  for (const std::size_t position : chosen_positions(data.size() / columns, count, sample)) {
    const auto row = data.subspan(position * columns, columns);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

}  // namespace octavo::calibration
