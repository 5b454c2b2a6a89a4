#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "elementwise.h"
#include "integers_argument.h"
#include "op.h"
#include "strided_copy.h"

namespace octavo::execute {
namespace {

enum class Mode : std::uint8_t { constant, reflect, edge, wrap };

/// Index that `i`, counted from the input's first element, reads in a dimension of `dim`; -1 for the constant.
std::int64_t source_index(Mode mode, std::int64_t i, std::int64_t dim) {
  if (i >= 0 && i < dim) return i;
  switch (mode) {
    case Mode::constant:
      break;
    case Mode::edge:
      return std::clamp<std::int64_t>(i, 0, dim - 1);
    case Mode::wrap:
      return ((i % dim) + dim) % dim;
    case Mode::reflect: {
      const std::int64_t period = std::max<std::int64_t>(1, 2 * (dim - 1));
      const std::int64_t at = ((i % period) + period) % period;
      return at < dim ? at : period - at;
    }
  }
  return -1;
}

/// One dimension's walk, from places in the output to offsets in the input, -1 for the constant.
using Walk = std::vector<std::int64_t>;

template <typename T>
void fill(const T* x, T* y, const Shape& output, const std::vector<Walk>& walks, T value) {
  const Walk& inner = walks.back();
  const std::int64_t length = output.back();
  for (std::int64_t row = 0; row < product(output, 0, output.size() - 1); ++row, y += length) {
    std::int64_t offset = 0;
    bool outside = false;
    std::int64_t rest = row;
    for (std::size_t d = output.size() - 1; d-- > 0; rest /= output[d]) {
      const std::int64_t at = walks[d][static_cast<std::size_t>(rest % output[d])];
      outside = outside || at < 0;
      offset += at;
    }
    if (outside) {
      std::fill_n(y, length, value);
      continue;
    }
    for (std::int64_t i = 0; i < length; ++i) {
      const std::int64_t at = inner[static_cast<std::size_t>(i)];
      y[i] = at < 0 ? value : x[offset + at];
    }
  }
}

class Pad : public Kernel {
 public:
  explicit Pad(const NodeContext& context)
      : mode_(read_mode(context)),
        pads_(context, "pads", 1, 11),
        axes_(context, "axes", 3, 11),
        value_attribute_(context.node.float_or("value", 0.0F)),
        value_is_input_(context.opset >= 11) {}

  void run(RunContext& context) const override {
    const Shape input = to_shape(context.shape(0));
    std::vector<std::int64_t> begins(input.size());
    const Shape output = read_output(context, input, begins);
    if (input.empty()) return context.output_shares_input(0, 0, {});
    void* y = context.allocate(0, context.dtype(0), output);
    if (element_count(output) == 0) return;
    const auto strides = contiguous_strides(input);
    std::vector<Walk> walks(input.size());
    for (std::size_t d = 0; d < input.size(); ++d) {
      if (input[d] == 0 && mode_ != Mode::constant)
        context.fail("an empty dimension can only be padded with a constant");
      for (std::int64_t i = 0; i < output[d]; ++i) {
        const std::int64_t at = source_index(mode_, i - begins[d], input[d]);
        walks[d].push_back(at < 0 ? -1 : at * strides[d]);
      }
    }
    for_size_of(context, context.dtype(0), [&]<typename T>() {
      fill(raw_input<T>(context, 0), static_cast<T*>(y), output, walks, read_value<T>(context));
    });
  }

 private:
  static Mode read_mode(const NodeContext& context) {
    const std::string mode = context.node.string_or("mode", "constant");
    if (mode == "constant") return Mode::constant;
    if (mode == "reflect") return Mode::reflect;
    if (mode == "edge") return Mode::edge;
    if (mode == "wrap") return Mode::wrap;
    context.fail("mode '" + mode + "' is unknown, expected constant, reflect, edge or wrap");
  }

  /// The output's shape; `begins` are the elements added before each dimension.
  Shape read_output(const RunContext& context, Shape shape, std::vector<std::int64_t>& begins) const {
    const auto pads = pads_.read(context);
    if (!pads) context.fail("no pads are given");
    const auto axes = axes_.read(context);
    const std::size_t count = axes ? axes->size() : shape.size();
    if (pads->size() != 2 * count) context.fail("two pads for each axis are expected");
    if (axes) static_cast<void>(mark_axes(context, *axes, shape.size()));
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t axis = axes ? normalize_axis(context, (*axes)[i], shape.size()) : i;
      begins[axis] = (*pads)[i];
      const bool overflows = __builtin_add_overflow(shape[axis], begins[axis], &shape[axis]) ||
                             __builtin_add_overflow(shape[axis], (*pads)[count + i], &shape[axis]);
      if (overflows || shape[axis] < 0) context.fail("the pads of axis " + std::to_string(axis) + " are out of range");
    }
    return shape;
  }

  template <typename T>
  T read_value(const RunContext& context) const {
    T value{};
    if (value_is_input_ && context.has_input(2) && context.input(2).size() > 0) {
      context.expect_dtype(2, context.dtype(0));
      std::memcpy(&value, context.input(2).bytes(), sizeof(T));
    } else if (!value_is_input_ && value_attribute_ != 0.0F) {
      context.expect_dtype(0, DType::f32);
      std::memcpy(&value, &value_attribute_, std::min(sizeof(T), sizeof(float)));
    }
    return value;
  }

  const Mode mode_;
  const IntegersArgument pads_;
  const IntegersArgument axes_;
  const float value_attribute_;
  const bool value_is_input_;
};

}  // namespace

std::unique_ptr<Kernel> make_pad(const NodeContext& context) { return std::make_unique<Pad>(context); }

}  // namespace octavo::execute
