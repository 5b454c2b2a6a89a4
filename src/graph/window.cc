#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "octavo/graph.h"

namespace octavo {
namespace {

// Sizes, strides, dilations and paddings up to this keep every sum and product below within int64.
constexpr std::int64_t kMaxSize = std::numeric_limits<std::int32_t>::max();

class WindowReader {
 public:
  WindowReader(const Node& node, std::span<const std::int64_t> kernel, std::span<const std::int64_t> input)
      : node_(node), kernel_(kernel), input_(input) {
    if (kernel.size() != input.size()) {
      fail(fmt::format("its kernel has {} spatial dimensions and its input {}", kernel.size(), input.size()));
    }
    const auto declared = node.ints_or("kernel_shape", {kernel.begin(), kernel.end()});
    if (!std::equal(declared.begin(), declared.end(), kernel.begin(), kernel.end())) {
      fail("kernel_shape is not the size of its kernel");
    }
    strides_ = sizes("strides", 1, 1, rank());
    dilations_ = sizes("dilations", 1, 1, rank());
    pads_ = sizes("pads", 0, 0, 2 * rank());
    auto_pad_ = node.string_or("auto_pad", "NOTSET");
    if (auto_pad_ != "NOTSET" && auto_pad_ != "VALID" && !same()) {
      fail(fmt::format("auto_pad is '{}', expected NOTSET, VALID, SAME_UPPER or SAME_LOWER", auto_pad_));
    }
    if (auto_pad_ != "NOTSET" && std::any_of(pads_.begin(), pads_.end(), [](std::int64_t pad) { return pad != 0; })) {
      fail(fmt::format("auto_pad is {} and pads are given as well: use one of them", auto_pad_));
    }
  }

  std::size_t rank() const { return kernel_.size(); }
  bool same() const { return auto_pad_ == "SAME_UPPER" || auto_pad_ == "SAME_LOWER"; }
  bool same_upper() const { return auto_pad_ == "SAME_UPPER"; }

  std::vector<std::int64_t> sizes(std::string_view attribute, std::int64_t fallback, std::int64_t lowest,
                                  std::size_t count) const {
    auto values = node_.ints_or(attribute, std::vector<std::int64_t>(count, fallback));
    if (values.size() != count) fail(fmt::format("{} has {} entries, expected {}", attribute, values.size(), count));
    for (const std::int64_t value : values) {
      if (value < lowest || value > kMaxSize) {
        fail(fmt::format("{} holds {}, expected {} to {}", attribute, value, lowest, kMaxSize));
      }
    }
    return values;
  }

  Window start(std::size_t axis) const {
    if (kernel_[axis] < 1 || kernel_[axis] > kMaxSize || input_[axis] < 0 || input_[axis] > kMaxSize) {
      fail(fmt::format("a kernel of {} over an input of {} is beyond 1 to {}", kernel_[axis], input_[axis], kMaxSize));
    }
    Window window;
    window.kernel = kernel_[axis];
    window.stride = strides_[axis];
    window.dilation = dilations_[axis];
    window.pad_begin = pads_[axis];
    window.pad_end = pads_[rank() + axis];
    return window;
  }

  void require_output(const Window& window, std::size_t axis) const {
    if (window.output >= 1) return;
    fail(fmt::format(
        "an input of {} (spatial dimension {}) is too small for a kernel of {}, dilation {}, pads {} and {}",
        input_[axis], axis, window.kernel, window.dilation, window.pad_begin, window.pad_end));
  }

  [[noreturn]] void fail(std::string_view what) const {
    throw Error(ErrorCode::bad_model,
                node_.name.empty() ? std::string(what) : fmt::format("{} '{}': {}", node_.op_type, node_.name, what));
  }

 private:
  const Node& node_;
  std::span<const std::int64_t> kernel_;
  std::span<const std::int64_t> input_;
  std::vector<std::int64_t> strides_;
  std::vector<std::int64_t> dilations_;
  std::vector<std::int64_t> pads_;
  std::string auto_pad_;
};

// What the kernel covers from its first to its last element.
std::int64_t extent(const Window& window) { return (window.kernel - 1) * window.dilation + 1; }

void divide_padding(Window& window, std::int64_t total, bool more_at_end) {
  const std::int64_t half = total / 2;
  window.pad_begin = more_at_end ? half : total - half;
  window.pad_end = total - window.pad_begin;
}

// Number of places of the window over `size` elements, padding included; with `ceil_mode` the last may stick
// out at the end, but has to start inside the input or the padding before it.
std::int64_t count_places(const Window& window, std::int64_t input, bool ceil_mode) {
  const std::int64_t free = input + window.pad_begin + window.pad_end - extent(window);
  if (!ceil_mode) return free < 0 ? 0 : free / window.stride + 1;
  const std::int64_t steps = free < 0 ? -(-free / window.stride) : (free + window.stride - 1) / window.stride;
  return steps * window.stride >= input + window.pad_begin ? steps : steps + 1;
}

}  // namespace

std::vector<Window> window_geometry(const Node& node, std::span<const std::int64_t> kernel,
                                    std::span<const std::int64_t> input) {
  const WindowReader reader(node, kernel, input);
  const bool ceil_mode = node.int_or("ceil_mode", 0) != 0;
  std::vector<Window> windows;
  for (std::size_t axis = 0; axis < reader.rank(); ++axis) {
    Window window = reader.start(axis);
    if (reader.same()) {
      window.output = (input[axis] + window.stride - 1) / window.stride;
      const std::int64_t needed = (window.output - 1) * window.stride + extent(window);
      divide_padding(window, std::max<std::int64_t>(0, needed - input[axis]), reader.same_upper());
    } else {
      window.output = count_places(window, input[axis], ceil_mode);
    }
    reader.require_output(window, axis);
    windows.push_back(window);
  }
  return windows;
}

std::vector<Window> transposed_window_geometry(const Node& node, std::span<const std::int64_t> kernel,
                                               std::span<const std::int64_t> input) {
  const WindowReader reader(node, kernel, input);
  const auto output_padding = reader.sizes("output_padding", 0, 0, reader.rank());
  const auto output_shape = reader.sizes("output_shape", 0, 1, node.has("output_shape") ? reader.rank() : 0);
  std::vector<Window> windows;
  for (std::size_t axis = 0; axis < reader.rank(); ++axis) {
    Window window = reader.start(axis);
    const std::int64_t full = window.stride * (input[axis] - 1) + output_padding[axis] + extent(window);
    if (!output_shape.empty()) {
      // Up to a stride more is what output_padding could have asked for: rows that no input reaches.
      if (output_shape[axis] >= full + window.stride) {
        reader.fail(fmt::format("output_shape asks for {}, but only {} are reached", output_shape[axis], full));
      }
      divide_padding(window, std::max<std::int64_t>(0, full - output_shape[axis]), reader.same_upper());
      window.output = output_shape[axis];
    } else if (reader.same()) {
      // A kernel smaller than its stride reaches less than input · stride: nothing is padded then, as in ONNX Runtime.
      const std::int64_t wanted = input[axis] * window.stride;
      divide_padding(window, std::max<std::int64_t>(0, full - wanted), reader.same_upper());
    }
    if (output_shape.empty()) window.output = full - window.pad_begin - window.pad_end;
    reader.require_output(window, axis);
    windows.push_back(window);
  }
  return windows;
}

}  // namespace octavo
