#include "tap_sums.h"

#include <algorithm>
#include <cstddef>

namespace octavo::calibration {
namespace {

/// Adds up x[place · stride + offset] over the places where that lies inside.
double sum_along(const float* x, std::int64_t size, std::int64_t places, std::int64_t stride, std::int64_t offset) {
  double sum = 0.0;
  for (std::int64_t place = 0; place < places; ++place) {
    const std::int64_t i = place * stride + offset;
    if (i >= 0 && i < size) sum += x[i];
  }
  return sum;
}

/// One image channel of `height` rows: sums for each kernel position, rows first.
void add_channel(const float* x, std::int64_t height, std::int64_t width, const Window& rows, const Window& columns,
                 double* sums) {
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t kx = 0; kx < columns.kernel; ++kx) {
      const double sum =
          sum_along(x + y * width, width, columns.output, columns.stride, kx * columns.dilation - columns.pad_begin);
      for (std::int64_t ky = 0; ky < rows.kernel; ++ky) {
        const std::int64_t from_start = y + rows.pad_begin - ky * rows.dilation;
        const bool used = from_start >= 0 && from_start % rows.stride == 0 && from_start / rows.stride < rows.output;
        if (used) sums[ky * columns.kernel + kx] += sum;
      }
    }
  }
}

TapSums sums_of_conv(const Node& node, std::span<const std::int64_t> weight, const TensorView& x) {
  const auto windows = window_geometry(node, weight.subspan(2), x.shape().subspan(2));
  const Window single{.output = 1};
  const Window& rows = windows.size() == 2 ? windows[0] : single;
  const Window& columns = windows.back();
  const std::int64_t height = windows.size() == 2 ? x.dim(2) : 1;
  const std::int64_t width = x.shape().back();
  const std::int64_t taps = rows.kernel * columns.kernel;
  TapSums result{std::vector<double>(static_cast<std::size_t>(x.dim(1) * taps)),
                 static_cast<double>(x.dim(0) * rows.output * columns.output)};
  const float* data = x.data<float>().data();
  for (std::int64_t image = 0; image < x.dim(0); ++image) {
    for (std::int64_t c = 0; c < x.dim(1); ++c) {
      add_channel(data + (image * x.dim(1) + c) * height * width, height, width, rows, columns,
                  result.sums.data() + c * taps);
    }
  }
  return result;
}

/// Every kernel position of a channel sees the same mean.
TapSums sums_without_borders(std::span<const std::int64_t> weight, const TensorView& x) {
  const std::int64_t taps = element_count(weight.subspan(2));
  const std::int64_t inner = x.size() / std::max<std::int64_t>(1, x.dim(0) * x.dim(1));
  TapSums result{std::vector<double>(static_cast<std::size_t>(x.dim(1) * taps)), static_cast<double>(x.dim(0) * inner)};
  const auto data = x.data<float>();
  for (std::int64_t row = 0; row < x.dim(0) * x.dim(1); ++row) {
    double sum = 0.0;
    for (std::int64_t i = row * inner; i < (row + 1) * inner; ++i) sum += data[static_cast<std::size_t>(i)];
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      result.sums[static_cast<std::size_t>(row % x.dim(1) * taps + tap)] += sum;
    }
  }
  return result;
}

}  // namespace

TapSums tap_sums(const Node& node, std::span<const std::int64_t> weight, const TensorView& x) {
  const bool conv = node.op_type == "Conv";
  if (conv && (x.rank() == 3 || x.rank() == 4)) return sums_of_conv(node, weight, x);
  const Shape column_weight{1, 1};
  return sums_without_borders(conv ? weight : std::span<const std::int64_t>(column_weight), x);
}

}  // namespace octavo::calibration
