#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "shape_context.h"

namespace octavo {
namespace {

// floor(size · scale) in float, as ONNX Runtime computes it: double would differ for scales such as 0.7.
Dim scaled(const ShapeContext& context, const Dim& dim, float scale) {
  if (!(scale > 0)) context.fail(fmt::format("a scale is {}", scale));
  if (scale == 1.0F) return dim;
  if (!dim.known()) return {};
  const float size = std::floor(static_cast<float>(dim.size) * scale);
  if (!(size < 0x1p31F)) context.fail(fmt::format("a dimension of {} times {} is too large", dim.size, scale));
  return Dim{static_cast<std::int64_t>(size), {}};
}

// Opset 18's keep_aspect_ratio_policy: `sizes` are then limits and one scale serves all axes.
std::optional<float> common_scale(const Dims& x, const std::vector<std::size_t>& axes, const Content& sizes,
                                  bool not_larger) {
  std::optional<float> common;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (!x[axes[i]].known() || x[axes[i]].size == 0 || !sizes[i].value) return std::nullopt;
    const float scale = static_cast<float>(*sizes[i].value) / static_cast<float>(x[axes[i]].size);
    common = !common ? scale : (not_larger ? std::min(*common, scale) : std::max(*common, scale));
  }
  return common;
}

Dims to_sizes(const ShapeContext& context, Dims x, const std::vector<std::size_t>& axes, const Content& sizes) {
  const std::string policy = context.node().string_or("keep_aspect_ratio_policy", "stretch");
  const auto scale = common_scale(x, axes, sizes, policy == "not_larger");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Dim& dim = x[axes[i]];
    if (policy == "stretch") {
      dim = sizes[i].value ? context.known_dim(*sizes[i].value) : dim_of(sizes[i]);
    } else if (!scale) {
      dim = Dim{};
    } else {
      const float size = std::round(static_cast<float>(dim.size) * *scale);
      if (!(size >= 0 && size < 0x1p31F)) context.fail("sizes give a dimension that is too large");
      dim = Dim{static_cast<std::int64_t>(size), {}};
    }
  }
  return x;
}

void resize_by(ShapeContext& context, const std::optional<std::vector<float>>& scales, const Content* sizes) {
  const auto& x = context.dims(0);
  if (!x) return context.set(0, context.dtype(0), std::nullopt);
  std::vector<std::int64_t> listed;
  for (std::size_t i = 0; i < x->size(); ++i) listed.push_back(static_cast<std::int64_t>(i));
  listed = context.node().ints_or("axes", listed);
  context.axes(listed, x->size());
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : listed) axes.push_back(context.axis(axis, x->size()));
  const bool by_scales = scales && !scales->empty();
  if (!by_scales && sizes == nullptr) return context.set(0, context.dtype(0), Dims(x->size()));
  if ((by_scales ? scales->size() : sizes->size()) != axes.size()) {
    context.fail(fmt::format("{} scales or sizes are expected, {} found", axes.size(),
                             by_scales ? scales->size() : sizes->size()));
  }
  if (!by_scales) return context.set(0, context.dtype(0), to_sizes(context, *x, axes, *sizes));
  Dims y = *x;
  for (std::size_t i = 0; i < axes.size(); ++i) y[axes[i]] = scaled(context, y[axes[i]], (*scales)[i]);
  context.set(0, context.dtype(0), std::move(y));
}

void resize(ShapeContext& context) {
  const bool has_roi = context.opset() >= 11;
  resize_by(context, context.floats(has_roi ? 2 : 1), has_roi ? context.content(3) : nullptr);
}

void upsample(ShapeContext& context) {
  const bool as_attribute = context.node().has("scales");
  resize_by(context, as_attribute ? std::optional(context.node().floats_or("scales", {})) : context.floats(1), nullptr);
}

constexpr ShapeRule kRules[] = {{"Resize", resize}, {"Upsample", upsample}};

}  // namespace

std::span<const ShapeRule> resize_shape_rules() { return kRules; }

}  // namespace octavo
