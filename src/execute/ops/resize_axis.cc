#include "resize_axis.h"

#include <algorithm>
#include <cmath>

namespace octavo::execute {
namespace {

/// Where output `at` lies in the input. In float, as ONNX Runtime computes it: nearest neighbours depend on
/// the last bit.
float coordinate(const std::string& mode, const ResizeAxis& axis, std::int64_t at) {
  const auto x = static_cast<float>(at);
  const auto input = static_cast<float>(axis.input);
  const auto output = static_cast<float>(axis.output);
  if (mode == "half_pixel") return (x + 0.5F) / axis.scale - 0.5F;
  if (mode == "pytorch_half_pixel") return axis.output > 1 ? (x + 0.5F) / axis.scale - 0.5F : 0.0F;
  if (mode == "align_corners") return axis.output == 1 ? 0.0F : x * (input - 1) / (output - 1);
  if (mode == "tf_half_pixel_for_nn") return (x + 0.5F) / axis.scale;
  if (mode == "half_pixel_symmetric") {
    const float adjustment = output / (axis.scale * input);
    return input / 2 * (1 - adjustment) + (x + 0.5F) / axis.scale - 0.5F;
  }
  if (mode == "tf_crop_and_resize") {
    if (axis.output == 1) return 0.5F * (axis.roi_start + axis.roi_end) * (input - 1);
    return axis.roi_start * (input - 1) + x * (axis.roi_end - axis.roi_start) * (input - 1) / (output - 1);
  }
  return x / axis.scale;  // asymmetric
}

std::int64_t nearest_index(const std::string& mode, float x, float scale) {
  if (mode == "floor") return static_cast<std::int64_t>(std::floor(x));
  if (mode == "ceil") return static_cast<std::int64_t>(std::ceil(x));
  if (mode == "round_prefer_ceil") return static_cast<std::int64_t>(std::floor(x + 0.5F));
  if (mode == "simple") return static_cast<std::int64_t>(scale < 1 ? std::ceil(x) : x);
  return static_cast<std::int64_t>(std::ceil(x - 0.5F));  // round_prefer_floor
}

double filter_weight(const ResizeMethod& method, double t) {
  t = std::abs(t);
  if (method.filter == ResizeMethod::Filter::linear) return std::max(0.0, 1.0 - t);
  const double a = method.cubic_a;
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return 0.0;
}

void add_filter_taps(const ResizeMethod& method, const ResizeAxis& axis, double x, ResizeTaps& taps) {
  // An antialiasing filter is as wide as the output's pixels are in the input.
  const double narrow = method.antialias ? std::min(1.0, static_cast<double>(axis.scale)) : 1.0;
  const double support = (method.filter == ResizeMethod::Filter::linear ? 1.0 : 2.0) / narrow;
  const auto begin = static_cast<std::int64_t>(std::floor(x - support)) + 1;
  const auto end = static_cast<std::int64_t>(std::ceil(x + support));
  const std::size_t start = taps.weight.size();
  double sum = 0.0;
  for (std::int64_t i = begin; i < end; ++i) {
    const bool outside = i < 0 || i >= axis.input;
    const double weight =
        method.exclude_outside && outside ? 0.0 : filter_weight(method, (static_cast<double>(i) - x) * narrow);
    sum += weight;
    taps.index.push_back(std::clamp<std::int64_t>(i, 0, axis.input - 1));
    taps.weight.push_back(static_cast<float>(weight));
  }
  if ((!method.antialias && !method.exclude_outside) || sum == 0.0) return;
  for (std::size_t t = start; t < taps.weight.size(); ++t) taps.weight[t] = static_cast<float>(taps.weight[t] / sum);
}

}  // namespace

ResizeTaps resize_taps(const ResizeMethod& method, const ResizeAxis& axis) {
  ResizeTaps taps;
  taps.first.push_back(0);
  for (std::int64_t at = 0; at < axis.output; ++at) {
    const float given = coordinate(method.coordinates, axis, at);
    taps.outside.push_back(!(given >= 0 && given <= static_cast<float>(axis.input - 1)));
    // A region of interest may say anything: what lies far outside reads the border anyway.
    const auto far = static_cast<float>(axis.input) + 8.0F;
    const float x = std::isnan(given) ? 0.0F : std::clamp(given, -far, 2 * far);
    if (method.filter == ResizeMethod::Filter::nearest) {
      taps.index.push_back(std::clamp<std::int64_t>(nearest_index(method.nearest, x, axis.scale), 0, axis.input - 1));
      taps.weight.push_back(1.0F);
    } else {
      add_filter_taps(method, axis, x, taps);
    }
    taps.first.push_back(static_cast<std::int64_t>(taps.index.size()));
  }
  return taps;
}

}  // namespace octavo::execute
