// AveragePool, MaxPool and their global forms, in any number of spatial dimensions.
#include <algorithm>
#include <limits>
#include <optional>

#include "op.h"

namespace octavo::execute {
namespace {

/// The part of a window that lies inside the input: first and last + 1 step along one dimension.
struct Inside {
  std::int64_t from = 0, to = 0;
};

Inside inside(const Window& window, std::int64_t output, std::int64_t input) {
  const std::int64_t first = output * window.stride - window.pad_begin;
  Inside result;
  result.from = first >= 0 ? 0 : (-first + window.dilation - 1) / window.dilation;
  result.to = first >= input ? 0 : std::min(window.kernel, (input - first + window.dilation - 1) / window.dilation);
  result.to = std::max(result.from, result.to);
  return result;
}

struct Geometry {
  Shape input;   // spatial
  Shape output;  // spatial
  std::vector<Window> windows;
  std::int64_t input_size = 1;
  std::int64_t output_size = 1;
};

/// Calls visit(index in the plane) for all elements of the window at the output position, the last dimension
/// by rows: row(first index, count, step).
template <typename Row>
void for_window(const Geometry& geometry, std::span<const std::int64_t> at, std::size_t d, std::int64_t offset,
                const Row& row) {
  const Window& window = geometry.windows[d];
  const Inside range = inside(window, at[d], geometry.input[d]);
  const std::int64_t first = at[d] * window.stride - window.pad_begin;
  if (d + 1 == geometry.windows.size()) {
    row(offset * geometry.input[d] + first + range.from * window.dilation, range.to - range.from, window.dilation);
    return;
  }
  for (std::int64_t i = range.from; i < range.to; ++i) {
    for_window(geometry, at, d + 1, offset * geometry.input[d] + first + i * window.dilation, row);
  }
}

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return a <= 0 ? 0 : (a + b - 1) / b; }

/// out[o] = combine(out[o], in[…]) for every element of the windows that lies inside one row of the input: one
/// pass over the output row for each column of the kernel, which vectorizes.
template <typename T, typename Combine>
void combine_row(const Window& window, std::int64_t input, const T* in, T* out, const Combine& combine) {
  const std::int64_t begin = divide_up(window.pad_begin - (window.output - 1) * window.stride, window.dilation);
  const std::int64_t end = std::min(window.kernel, divide_up(input + window.pad_begin, window.dilation));
  for (std::int64_t k = begin; k < end; ++k) {
    const std::int64_t offset = k * window.dilation - window.pad_begin;
    const std::int64_t from = divide_up(-offset, window.stride);
    const std::int64_t to = std::min(window.output, divide_up(input - offset, window.stride));
    if (window.stride == 1) {
      for (std::int64_t o = from; o < to; ++o) out[o] = combine(out[o], in[o + offset]);
    } else {
      for (std::int64_t o = from; o < to; ++o) out[o] = combine(out[o], in[o * window.stride + offset]);
    }
  }
}

/// Calls row(first output position, coordinates) for every row of outputs of one plane.
template <typename Row>
void for_output_rows(const Geometry& geometry, const Row& row) {
  std::vector<std::int64_t> at(geometry.output.size());
  for (std::int64_t position = 0; position < geometry.output_size; position += geometry.output.back()) {
    row(position, std::span<const std::int64_t>(at));
    for (std::size_t d = at.size() - 1; d-- > 0;) {
      if (++at[d] < geometry.output[d]) break;
      at[d] = 0;
    }
  }
}

/// Calls row(offset) for every row of the input that the windows of the output row at `at` reach.
template <typename Row>
void for_input_rows(const Geometry& geometry, std::span<const std::int64_t> at, std::size_t d, std::int64_t offset,
                    const Row& row) {
  if (d + 1 == geometry.windows.size()) {
    row(offset * geometry.input[d]);
    return;
  }
  const Window& window = geometry.windows[d];
  const Inside range = inside(window, at[d], geometry.input[d]);
  const std::int64_t first = at[d] * window.stride - window.pad_begin;
  for (std::int64_t i = range.from; i < range.to; ++i) {
    for_input_rows(geometry, at, d + 1, offset * geometry.input[d] + first + i * window.dilation, row);
  }
}

/// One plane: every output starts as `start` and is combined with its window's elements.
template <typename T, typename Combine>
void combine_plane(const Geometry& geometry, const T* in, T* out, T start, const Combine& combine) {
  std::fill_n(out, geometry.output_size, start);
  for_output_rows(geometry, [&](std::int64_t position, std::span<const std::int64_t> at) {
    for_input_rows(geometry, at, 0, 0, [&](std::int64_t offset) {
      combine_row(geometry.windows.back(), geometry.input.back(), in + offset, out + position, combine);
    });
  });
}

/// Calls body(position, coordinates) for every output position of one plane.
template <typename Body>
void for_positions(const Geometry& geometry, const Body& body) {
  std::vector<std::int64_t> at(geometry.output.size());
  for (std::int64_t position = 0; position < geometry.output_size; ++position) {
    body(position, std::span<const std::int64_t>(at));
    for (std::size_t d = at.size(); d-- > 0;) {
      if (++at[d] < geometry.output[d]) break;
      at[d] = 0;
    }
  }
}

class Pool : public Kernel {
 public:
  explicit Pool(const NodeContext& context) : node_(context.node), kernel_(context.node.ints_or("kernel_shape", {})) {
    if (kernel_.empty()) context.fail("attribute kernel_shape is missing");
  }

 protected:
  Geometry geometry(const RunContext& context) const {
    const auto shape = context.shape(0);
    if (shape.size() != kernel_.size() + 2) {
      context.fail("input of shape " + shape_text(shape) + " does not fit a kernel of " +
                   std::to_string(kernel_.size()) + " dimensions");
    }
    Geometry result;
    result.input = to_shape(shape.subspan(2));
    result.windows = window_geometry(node_, kernel_, result.input);
    for (const Window& window : result.windows) result.output.push_back(window.output);
    const auto input_size = checked_element_count(result.input);
    const auto output_size = checked_element_count(result.output);
    if (!input_size || !output_size) context.fail(ErrorCode::resource_limit, "the output is too large");
    result.input_size = *input_size;
    result.output_size = *output_size;
    return result;
  }
  static Shape output_shape(const RunContext& context, const Geometry& geometry) {
    Shape shape{context.shape(0)[0], context.shape(0)[1]};
    shape.insert(shape.end(), geometry.output.begin(), geometry.output.end());
    return shape;
  }
  static std::size_t planes(const RunContext& context) {
    return static_cast<std::size_t>(context.shape(0)[0] * context.shape(0)[1]);
  }

  const Node node_;
  const std::vector<std::int64_t> kernel_;
};

class MaxPool : public Pool {
 public:
  explicit MaxPool(const NodeContext& context)
      : Pool(context), column_major_(context.node.int_or("storage_order", 0) != 0) {}

  void run(RunContext& context) const override {
    const Geometry shape = geometry(context);
    for_type_of<float, double, std::int8_t, std::uint8_t>(context, 0, [&]<typename T>() {
      const auto x = context.data<T>(0);
      const auto y = context.output<T>(0, output_shape(context, shape));
      const auto indices = context.has_output(1) ? context.output<std::int64_t>(1, output_shape(context, shape))
                                                 : std::span<std::int64_t>();
      if (y.empty()) return;
      context.for_each(planes(context), [&](std::size_t plane) {
        const T* in = x.data() + static_cast<std::int64_t>(plane) * shape.input_size;
        const std::int64_t start = static_cast<std::int64_t>(plane) * shape.output_size;
        if (!indices.empty()) {
          run_plane_indexed(shape, in, y.data() + start, indices.data() + start,
                            static_cast<std::int64_t>(plane) * shape.input_size);
        } else {
          combine_plane(shape, in, y.data() + start, lowest<T>(), [](T a, T b) { return a < b ? b : a; });
        }
      });
    });
  }

 private:
  template <typename T>
  static constexpr T lowest() {
    return std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                : std::numeric_limits<T>::lowest();
  }

  template <typename T>
  void run_plane_indexed(const Geometry& shape, const T* in, T* out, std::int64_t* indices, std::int64_t base) const {
    for_positions(shape, [&](std::int64_t position, std::span<const std::int64_t> at) {
      T best = lowest<T>();
      std::int64_t where = -1;
      for_window(shape, at, 0, 0, [&](std::int64_t first, std::int64_t count, std::int64_t step) {
        for (std::int64_t i = 0; i < count; ++i) {
          if (where >= 0 && !(in[first + i * step] > best)) continue;
          best = in[first + i * step];
          where = first + i * step;
        }
      });
      out[position] = best;
      indices[position] = where < 0 ? -1 : base + stored_index(shape, where);
    });
  }

  std::int64_t stored_index(const Geometry& shape, std::int64_t index) const {
    if (!column_major_) return index;
    std::int64_t result = 0;
    std::int64_t stride = shape.input_size;
    for (std::size_t d = shape.input.size(); d-- > 0;) {
      stride /= shape.input[d];
      result += index % shape.input[d] * stride;
      index /= shape.input[d];
    }
    return result;
  }

  const bool column_major_;
};

class AveragePool : public Pool {
 public:
  explicit AveragePool(const NodeContext& context)
      : Pool(context), counts_padding_(context.node.int_or("count_include_pad", 0) != 0) {}

  void run(RunContext& context) const override {
    const Geometry shape = geometry(context);
    for_type_of<float, double>(context, 0, [&]<typename T>() {
      const auto x = context.data<T>(0);
      const auto y = context.output<T>(0, output_shape(context, shape));
      if (y.empty()) return;
      context.for_each(planes(context), [&](std::size_t plane) {
        run_plane(shape, x.data() + static_cast<std::int64_t>(plane) * shape.input_size,
                  y.data() + static_cast<std::int64_t>(plane) * shape.output_size);
      });
    });
  }

 private:
  template <typename T>
  void run_plane(const Geometry& shape, const T* in, T* out) const {
    combine_plane(shape, in, out, T{0}, [](T a, T b) { return a + b; });
    for_positions(shape, [&](std::int64_t position, std::span<const std::int64_t> at) {
      const std::int64_t divisor = elements(shape, at);
      out[position] = divisor == 0 ? T{0} : out[position] / static_cast<T>(divisor);
    });
  }

  /// What the sum is divided by: elements inside the input, or inside the padded input. The extra positions
  /// that ceil_mode lets a window reach beyond the padding never count.
  std::int64_t elements(const Geometry& shape, std::span<const std::int64_t> at) const {
    std::int64_t count = 1;
    for (std::size_t d = 0; d < at.size(); ++d) {
      Window window = shape.windows[d];
      std::int64_t size = shape.input[d];
      if (counts_padding_) {
        size += window.pad_begin + window.pad_end;
        window.pad_begin = 0;
      }
      const Inside range = inside(window, at[d], size);
      count *= range.to - range.from;
    }
    return count;
  }

  const bool counts_padding_;
};

class GlobalPool : public Kernel {
 public:
  explicit GlobalPool(bool averages) : averages_(averages) {}

  void run(RunContext& context) const override {
    Shape shape = to_shape(context.shape(0));
    if (shape.size() < 3) context.fail("input of shape " + shape_text(shape) + " has no spatial dimensions");
    const std::int64_t plane = product(shape, 2, shape.size());
    if (plane == 0) context.fail("input of shape " + shape_text(shape) + " is empty");
    std::fill(shape.begin() + 2, shape.end(), 1);
    for_type_of<float, double>(context, 0, [&]<typename T>() {
      const auto x = context.data<T>(0);
      const auto y = context.output<T>(0, shape);
      for (std::size_t row = 0; row < y.size(); ++row) {
        const T* in = x.data() + static_cast<std::int64_t>(row) * plane;
        if (averages_) {
          double sum = 0.0;
          for (std::int64_t i = 0; i < plane; ++i) sum += in[i];
          y[row] = static_cast<T>(sum / static_cast<double>(plane));
        } else {
          y[row] = *std::max_element(in, in + plane);
        }
      }
    });
  }

 private:
  const bool averages_;
};

}  // namespace

std::unique_ptr<Kernel> make_max_pool(const NodeContext& context) { return std::make_unique<MaxPool>(context); }
std::unique_ptr<Kernel> make_average_pool(const NodeContext& context) { return std::make_unique<AveragePool>(context); }
std::unique_ptr<Kernel> make_global_average_pool(const NodeContext&) { return std::make_unique<GlobalPool>(true); }
std::unique_ptr<Kernel> make_global_max_pool(const NodeContext&) { return std::make_unique<GlobalPool>(false); }

}  // namespace octavo::execute
