// Resize and Upsample of every opset: one pass for each axis that changes.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string_view>

#include "op.h"
#include "resize_axis.h"

namespace octavo::execute {
namespace {

/// x[outer x input x inner] to y[outer x output x inner] by copying elements of `size` bytes.
void copy_axis(const ResizeTaps& taps, const ResizeAxis& axis, std::int64_t outer, std::int64_t row_bytes,
               const std::byte* x, std::byte* y) {
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t at = 0; at < axis.output; ++at) {
      std::memcpy(y, x + (o * axis.input + taps.index[static_cast<std::size_t>(at)]) * row_bytes,
                  static_cast<std::size_t>(row_bytes));
      y += row_bytes;
    }
  }
}

/// The same by weighted sums.
void filter_axis(const ResizeTaps& taps, const ResizeAxis& axis, std::int64_t outer, std::int64_t inner, const float* x,
                 float* y) {
  for (std::int64_t o = 0; o < outer; ++o) {
    const float* source = x + o * axis.input * inner;
    for (std::size_t at = 0; at < static_cast<std::size_t>(axis.output); ++at) {
      std::fill_n(y, inner, 0.0F);
      for (auto t = static_cast<std::size_t>(taps.first[at]); t < static_cast<std::size_t>(taps.first[at + 1]); ++t) {
        const float* row = source + taps.index[t] * inner;
        for (std::int64_t i = 0; i < inner; ++i) y[i] += taps.weight[t] * row[i];
      }
      y += inner;
    }
  }
}

class Resize : public Kernel {
 public:
  explicit Resize(const NodeContext& context)
      : method_(read_method(context)),
        extrapolation_(context.node.float_or("extrapolation_value", 0.0F)),
        axes_(context.node.ints_or("axes", {})),
        policy_(context.node.string_or("keep_aspect_ratio_policy", "stretch")),
        attribute_scales_(context.node.floats_or("scales", {})) {
    const bool four_inputs = context.node.op_type == "Resize" && context.opset >= 11;
    scales_input_ = four_inputs ? 2 : 1;
    sizes_input_ = four_inputs ? 3 : std::numeric_limits<std::size_t>::max();
    constexpr std::array<std::string_view, 3> kPolicies = {"stretch", "not_larger", "not_smaller"};
    if (std::find(kPolicies.begin(), kPolicies.end(), policy_) == kPolicies.end()) {
      context.fail("keep_aspect_ratio_policy '" + policy_ + "' is unknown");
    }
  }

  void run(RunContext& context) const override {
    const Shape input = to_shape(context.shape(0));
    std::vector<ResizeAxis> axes = read_axes(context, input);
    Shape output = input;
    for (const ResizeAxis& axis : axes) output[axis.axis] = axis.output;
    const DType dtype = context.dtype(0);
    if (method_.filter != ResizeMethod::Filter::nearest) context.expect_dtype(0, DType::f32);
    auto* y = static_cast<std::byte*>(context.allocate(0, dtype, output));
    if (element_count(output) == 0) return;
    if (element_count(input) == 0) context.fail("the input of shape " + shape_text(input) + " is empty");
    const bool crops = method_.coordinates == "tf_crop_and_resize";
    std::erase_if(axes, [&](const ResizeAxis& axis) { return !crops && axis.input == axis.output && axis.scale == 1; });
    // Shrinking first leaves less to do for the others.
    std::stable_sort(axes.begin(), axes.end(),
                     [](const ResizeAxis& a, const ResizeAxis& b) { return a.scale < b.scale; });
    resample(context, axes, input, size_of(dtype), y);
    if (crops) fill_outside(axes, output, dtype, y);
  }

 private:
  static ResizeMethod read_method(const NodeContext& context) {
    const Node& node = context.node;
    ResizeMethod method;
    const std::string mode = node.string_or("mode", "nearest");
    if (mode == "linear" || mode == "bilinear")
      method.filter = ResizeMethod::Filter::linear;
    else if (mode == "cubic")
      method.filter = ResizeMethod::Filter::cubic;
    else if (mode != "nearest")
      context.fail("mode '" + mode + "' is unknown");
    if (node.op_type == "Upsample" || context.opset < 11) return method;
    method.coordinates = node.string_or("coordinate_transformation_mode", "half_pixel");
    method.nearest = node.string_or("nearest_mode", "round_prefer_floor");
    method.cubic_a = node.float_or("cubic_coeff_a", -0.75F);
    method.exclude_outside = node.int_or("exclude_outside", 0) != 0;
    method.antialias = node.int_or("antialias", 0) != 0;
    constexpr std::array<std::string_view, 7> kCoordinates = {
        "half_pixel",           "pytorch_half_pixel",   "align_corners",     "asymmetric",
        "tf_half_pixel_for_nn", "half_pixel_symmetric", "tf_crop_and_resize"};
    constexpr std::array<std::string_view, 4> kNearest = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    if (std::find(kCoordinates.begin(), kCoordinates.end(), method.coordinates) == kCoordinates.end()) {
      context.fail("coordinate_transformation_mode '" + method.coordinates + "' is unknown");
    }
    if (std::find(kNearest.begin(), kNearest.end(), method.nearest) == kNearest.end()) {
      context.fail("nearest_mode '" + method.nearest + "' is unknown");
    }
    return method;
  }

  bool has_values(const RunContext& context, std::size_t i) const {
    return context.has_input(i) && context.input(i).size() > 0;
  }

  std::vector<ResizeAxis> read_axes(const RunContext& context, const Shape& input) const {
    std::vector<ResizeAxis> axes;
    for (const std::int64_t axis : listed_axes(input.size())) {
      axes.push_back({normalize_axis(context, axis, input.size())});
      axes.back().input = input[axes.back().axis];
    }
    if (has_values(context, sizes_input_))
      read_sizes(context, axes);
    else
      read_scales(context, axes);
    if (method_.coordinates == "tf_crop_and_resize") read_roi(context, axes);
    return axes;
  }

  std::vector<std::int64_t> listed_axes(std::size_t rank) const {
    if (!axes_.empty()) return axes_;
    std::vector<std::int64_t> all(rank);
    std::iota(all.begin(), all.end(), 0);
    return all;
  }

  void read_sizes(const RunContext& context, std::vector<ResizeAxis>& axes) const {
    const auto sizes = context.integers(sizes_input_);
    if (sizes.size() != axes.size()) context.fail("as many sizes as axes are expected");
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (sizes[i] < 0 || sizes[i] > kLargest) context.fail("size " + std::to_string(sizes[i]) + " is out of range");
      axes[i].output = sizes[i];
      axes[i].scale = static_cast<float>(sizes[i]) / static_cast<float>(std::max<std::int64_t>(axes[i].input, 1));
    }
    if (policy_ == "stretch" || axes.empty()) return;
    const auto less = [](const ResizeAxis& a, const ResizeAxis& b) { return a.scale < b.scale; };
    const float scale = (policy_ == "not_larger" ? std::min_element(axes.begin(), axes.end(), less)
                                                 : std::max_element(axes.begin(), axes.end(), less))
                            ->scale;
    for (ResizeAxis& axis : axes) {
      axis.scale = scale;
      axis.output = scaled(context, axis.input, scale, 0.5F);
    }
  }

  void read_scales(const RunContext& context, std::vector<ResizeAxis>& axes) const {
    if (attribute_scales_.empty() && !has_values(context, scales_input_))
      context.fail("neither scales nor sizes are given");
    const std::span<const float> scales =
        attribute_scales_.empty() ? context.data<float>(scales_input_) : std::span<const float>(attribute_scales_);
    if (scales.size() != axes.size()) context.fail("as many scales as axes are expected");
    for (std::size_t i = 0; i < axes.size(); ++i) {
      axes[i].scale = scales[i];
      axes[i].output = scaled(context, axes[i].input, scales[i], 0.0F);
    }
  }

  void read_roi(const RunContext& context, std::vector<ResizeAxis>& axes) const {
    const auto roi = context.data<float>(1);
    if (roi.size() != 2 * axes.size()) context.fail("a region of two numbers an axis is expected");
    for (std::size_t i = 0; i < axes.size(); ++i) {
      axes[i].roi_start = roi[i];
      axes[i].roi_end = roi[axes.size() + i];
    }
  }

  static std::int64_t scaled(const RunContext& context, std::int64_t size, float scale, float added) {
    const float result = std::floor(static_cast<float>(size) * scale + added);
    if (!(scale > 0) || !(result <= static_cast<float>(kLargest))) {
      context.fail("scale " + std::to_string(scale) + " is out of range");
    }
    return static_cast<std::int64_t>(result);
  }

  void resample(RunContext& context, const std::vector<ResizeAxis>& axes, Shape shape, std::size_t element,
                std::byte* y) const {
    const auto* x = static_cast<const std::byte*>(context.input(0).bytes());
    if (axes.empty()) std::memcpy(y, x, static_cast<std::size_t>(element_count(shape)) * element);
    for (const ResizeAxis& axis : axes) {
      const std::int64_t outer = product(shape, 0, axis.axis);
      const std::int64_t inner = product(shape, axis.axis + 1, shape.size());
      shape[axis.axis] = axis.output;
      const auto size = checked_element_count(shape);
      if (!size) context.fail(ErrorCode::resource_limit, "the output is too large");
      const bool last = &axis == &axes.back();
      std::byte* target =
          last ? y : static_cast<std::byte*>(context.scratch_bytes(static_cast<std::size_t>(*size) * element));
      const ResizeTaps taps = resize_taps(method_, axis);
      if (method_.filter == ResizeMethod::Filter::nearest) {
        copy_axis(taps, axis, outer, inner * static_cast<std::int64_t>(element), x, target);
      } else {
        filter_axis(taps, axis, outer, inner, reinterpret_cast<const float*>(x), reinterpret_cast<float*>(target));
      }
      x = target;
    }
  }

  void fill_outside(const std::vector<ResizeAxis>& axes, const Shape& output, DType dtype, std::byte* y) const {
    if (dtype != DType::f32) return;
    auto* values = reinterpret_cast<float*>(y);
    for (const ResizeAxis& axis : axes) {
      const ResizeTaps taps = resize_taps(method_, axis);
      const std::int64_t inner = product(output, axis.axis + 1, output.size());
      for (std::int64_t row = 0; row < product(output, 0, axis.axis + 1); ++row) {
        if (taps.outside[static_cast<std::size_t>(row % axis.output)])
          std::fill_n(values + row * inner, inner, extrapolation_);
      }
    }
  }

  static constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();

  const ResizeMethod method_;
  const float extrapolation_;
  const std::vector<std::int64_t> axes_;
  const std::string policy_;
  const std::vector<float> attribute_scales_;
  std::size_t scales_input_ = 1;
  std::size_t sizes_input_ = 0;
};

}  // namespace

std::unique_ptr<Kernel> make_resize(const NodeContext& context) { return std::make_unique<Resize>(context); }

}  // namespace octavo::execute
