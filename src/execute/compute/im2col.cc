#include "compute/im2col.h"

#include <algorithm>
#include <vector>

namespace octavo::execute {
namespace {

/// Counts through a grid of any rank, innermost dimension fastest.
class Grid {
 public:
  Grid(std::vector<std::int64_t> sizes, std::int64_t start) : sizes_(std::move(sizes)), at_(sizes_.size()) {
    for (std::size_t d = sizes_.size(); d-- > 0;) {
      at_[d] = start % sizes_[d];
      start /= sizes_[d];
    }
  }
  std::int64_t operator[](std::size_t d) const { return at_[d]; }
  void advance_row() {
    at_.back() = 0;
    for (std::size_t d = sizes_.size() - 1; d-- > 0;) {
      if (++at_[d] < sizes_[d]) return;
      at_[d] = 0;
    }
  }

 private:
  std::vector<std::int64_t> sizes_;
  std::vector<std::int64_t> at_;
};

std::vector<std::int64_t> sizes_of(const ConvShape& shape, std::int64_t Window::*member) {
  std::vector<std::int64_t> sizes;
  for (const Window& window : shape.windows) sizes.push_back(window.*member);
  return sizes;
}

std::int64_t product_of(const std::vector<std::int64_t>& sizes) {
  std::int64_t result = 1;
  for (const std::int64_t size : sizes) result *= size;
  return result;
}

/// Calls row(column index, image offset of the row's first column, count, first input column, inside) for
/// each run of output positions along the innermost dimension, for one kernel position.
template <typename Row>
void for_rows(const ConvShape& shape, std::int64_t kernel_position, std::int64_t begin, std::int64_t end, Row&& row) {
  const std::size_t last = shape.windows.size() - 1;
  const Grid kernel(sizes_of(shape, &Window::kernel), kernel_position);
  Grid output(sizes_of(shape, &Window::output), begin);
  const std::int64_t width = shape.windows[last].output;
  for (std::int64_t position = begin; position < end;) {
    const std::int64_t count = std::min(end - position, width - output[last]);
    std::int64_t offset = 0;
    bool inside = true;
    for (std::size_t d = 0; d < last; ++d) {
      const Window& window = shape.windows[d];
      const std::int64_t at = output[d] * window.stride + kernel[d] * window.dilation - window.pad_begin;
      inside = inside && at >= 0 && at < shape.input[d];
      offset = offset * shape.input[d] + at;
    }
    const Window& window = shape.windows[last];
    const std::int64_t first = output[last] * window.stride + kernel[last] * window.dilation - window.pad_begin;
    row(position - begin, offset * shape.input[last], count, first, inside);
    position += count;
    output.advance_row();
  }
}

/// The part of `count` steps of `stride` from `first` that lies in [0, size): from, to.
std::pair<std::int64_t, std::int64_t> inner_part(std::int64_t first, std::int64_t count, std::int64_t stride,
                                                 std::int64_t size) {
  const std::int64_t from = first >= 0 ? 0 : std::min(count, (-first + stride - 1) / stride);
  const std::int64_t to = first >= size ? 0 : std::min(count, (size - first + stride - 1) / stride);
  return {from, std::max(from, to)};
}

}  // namespace

template <typename T>
void im2col(const T* image, std::int64_t channels, const ConvShape& shape, std::int64_t begin, std::int64_t end, T pad,
            T* columns) {
  const std::int64_t positions = product_of(sizes_of(shape, &Window::kernel));
  const std::int64_t stride = shape.windows.back().stride;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    const T* plane = image + channel * shape.input_size();
    for (std::int64_t position = 0; position < positions; ++position) {
      for_rows(shape, position, begin, end,
               [&](std::int64_t column, std::int64_t offset, std::int64_t count, std::int64_t first, bool inside) {
                 T* out = columns + column;
                 if (!inside) {
                   std::fill_n(out, count, pad);
                   return;
                 }
                 const auto [from, to] = inner_part(first, count, stride, shape.input.back());
                 std::fill_n(out, from, pad);
                 if (stride == 1) {
                   std::copy_n(plane + offset + first + from, to - from, out + from);
                 } else {
                   for (std::int64_t i = from; i < to; ++i) out[i] = plane[offset + first + i * stride];
                 }
                 std::fill_n(out + to, count - to, pad);
               });
      columns += end - begin;
    }
  }
}

template void im2col(const float*, std::int64_t, const ConvShape&, std::int64_t, std::int64_t, float, float*);
template void im2col(const std::int16_t*, std::int64_t, const ConvShape&, std::int64_t, std::int64_t, std::int16_t,
                     std::int16_t*);

void add_columns(const float* columns, std::int64_t channels, const ConvShape& shape, float* image) {
  const std::int64_t positions = product_of(sizes_of(shape, &Window::kernel));
  const std::int64_t stride = shape.windows.back().stride;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    float* plane = image + channel * shape.input_size();
    for (std::int64_t position = 0; position < positions; ++position) {
      for_rows(shape, position, 0, shape.output_size(),
               [&](std::int64_t column, std::int64_t offset, std::int64_t count, std::int64_t first, bool inside) {
                 if (!inside) return;
                 const auto [from, to] = inner_part(first, count, stride, shape.input.back());
                 for (std::int64_t i = from; i < to; ++i) plane[offset + first + i * stride] += columns[column + i];
               });
      columns += shape.output_size();
    }
  }
}

}  // namespace octavo::execute
