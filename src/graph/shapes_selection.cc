#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "shape_context.h"

namespace octavo {
namespace {

void concat(ShapeContext& context) {
  DType dtype = DType::undefined;
  std::optional<Dims> y = context.dims(0);
  for (std::size_t i = 0; i < context.node().inputs.size(); ++i) {
    const auto& x = context.dims(i);
    dtype = context.merge(dtype, context.dtype(i));
    if (i == 0 || !y) continue;
    if (!x) {
      y.reset();
      continue;
    }
    if (x->size() != y->size()) context.fail(fmt::format("{} and {} dimensions meet", y->size(), x->size()));
    const std::size_t axis = context.axis(context.node().int_or("axis", 1), y->size());
    for (std::size_t d = 0; d < y->size(); ++d) {
      (*y)[d] = d == axis ? context.add((*y)[d], (*x)[d]) : context.merge((*y)[d], (*x)[d]);
    }
  }
  if (y) context.axis(context.node().int_or("axis", 1), y->size());
  context.set(0, dtype, std::move(y));
}

// The sizes that a Split without a list of them gives: equal, or the last smaller from opset 18 on.
std::vector<Dim> equal_parts(const ShapeContext& context, const Dim& whole, std::size_t parts) {
  const auto count = static_cast<std::int64_t>(parts);
  std::vector<Dim> sizes(parts);
  if (!whole.known()) return sizes;
  if (!context.node().has("num_outputs")) return {parts, context.divide(whole, count)};
  const std::int64_t size = whole.size / count + (whole.size % count != 0 ? 1 : 0);
  std::int64_t left = whole.size;
  for (Dim& part : sizes) {
    part = Dim{std::min(size, left), {}};
    left -= part.size;
  }
  return sizes;
}

void split(ShapeContext& context) {
  const std::size_t parts = context.node().outputs.size();
  const auto& x = context.dims(0);
  for (std::size_t i = 0; i < parts && !x; ++i) context.set(i, context.dtype(0), std::nullopt);
  if (!x || parts == 0) return;
  const std::size_t axis = context.axis(context.node().int_or("axis", 0), x->size());
  std::vector<Dim> sizes(parts);
  if (const auto listed = context.integers("split", 1)) {
    if (listed->size() != parts) context.fail(fmt::format("{} sizes for {} outputs", listed->size(), parts));
    Dim sum{0, {}};
    for (std::size_t i = 0; i < parts; ++i) {
      sizes[i] = context.known_dim((*listed)[i]);
      sum = context.add(sum, sizes[i]);
    }
    context.merge(sum, (*x)[axis]);
  } else if (!context.has_input(1)) {
    sizes = equal_parts(context, (*x)[axis], parts);
  }
  for (std::size_t i = 0; i < parts; ++i) {
    Dims y = *x;
    y[axis] = sizes[i];
    context.set(i, context.dtype(0), std::move(y));
  }
}

std::int64_t sliced_size(std::int64_t size, std::int64_t start, std::int64_t end, std::int64_t step) {
  const std::int64_t lowest = step > 0 ? 0 : -1;
  start = std::clamp(start < 0 ? start + size : start, std::int64_t{0}, step > 0 ? size : size - 1);
  end = std::clamp(end < 0 ? end + size : end, lowest, step > 0 ? size : size - 1);
  if (step > 0) return end > start ? (end - start - 1) / step + 1 : 0;
  return start > end ? (end - start + 1) / step + 1 : 0;
}

Dim sliced(const Dim& dim, std::int64_t start, std::int64_t end, std::int64_t step) {
  if (dim.size == 0) return dim;
  if (dim.known()) return Dim{sliced_size(dim.size, start, end, step), {}};
  // Writers ask for "all of it" with any number far beyond what a dimension is.
  const bool everything = start == 0 && step == 1 && end >= std::numeric_limits<std::int32_t>::max();
  return everything ? dim : Dim{};
}

void slice(ShapeContext& context) {
  const auto& x = context.dims(0);
  if (!x) return context.set(0, context.dtype(0), std::nullopt);
  const auto starts = context.integers("starts", 1);
  const auto ends = context.integers("ends", 2);
  const bool lists_axes = context.node().has("axes") || context.has_input(3);
  auto axes = context.integers("axes", 3);
  if (!lists_axes && starts) {
    axes.emplace();
    for (std::size_t i = 0; i < starts->size(); ++i) axes->push_back(static_cast<std::int64_t>(i));
  }
  if (!axes) return context.set(0, context.dtype(0), Dims(x->size()));
  const auto steps = context.has_input(4) ? context.integers(4) : std::vector<std::int64_t>(axes->size(), 1);
  for (const auto* list : {&starts, &ends, &steps}) {
    if (*list && (*list)->size() != axes->size()) context.fail("starts, ends, axes and steps differ in length");
  }
  Dims y = *x;
  context.axes(*axes, x->size());
  for (std::size_t i = 0; i < axes->size(); ++i) {
    Dim& dim = y[context.axis((*axes)[i], x->size())];
    if (steps && (*steps)[i] == 0) context.fail("a step is 0");
    dim = starts && ends && steps ? sliced(dim, (*starts)[i], (*ends)[i], (*steps)[i]) : Dim{};
  }
  context.set(0, context.dtype(0), std::move(y));
}

void pad(ShapeContext& context) {
  const auto& x = context.dims(0);
  if (!x) return context.set(0, context.dtype(0), std::nullopt);
  const auto pads = context.integers("pads", 1);
  std::vector<std::int64_t> all(x->size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
  const auto axes = context.has_input(3) ? context.integers(3) : all;
  if (!pads || !axes) return context.set(0, context.dtype(0), Dims(x->size()));
  const std::size_t count = axes->size();
  if (pads->size() != 2 * count) context.fail(fmt::format("pads has {} entries, expected {}", pads->size(), 2 * count));
  context.axes(*axes, x->size());
  Dims y = *x;
  for (std::size_t i = 0; i < count; ++i) {
    Dim& dim = y[context.axis((*axes)[i], x->size())];
    const std::int64_t begin = (*pads)[i];
    const std::int64_t end = (*pads)[count + i];
    if (begin == 0 && end == 0) continue;
    std::int64_t padded = 0;
    if (dim.known() &&
        (__builtin_add_overflow(dim.size, begin, &padded) || __builtin_add_overflow(padded, end, &padded))) {
      context.fail("a dimension is beyond 64 bits");
    }
    dim = dim.known() ? context.known_dim(padded) : Dim{};
  }
  context.set(0, context.dtype(0), std::move(y));
}

void tile(ShapeContext& context) {
  const auto& x = context.dims(0);
  const auto repeats = context.integers(1);
  if (!x || !repeats) return context.set(0, context.dtype(0), x ? std::optional(Dims(x->size())) : std::nullopt);
  if (repeats->size() != x->size()) {
    context.fail(fmt::format("{} repeats for {} dimensions", repeats->size(), x->size()));
  }
  Dims y;
  for (std::size_t i = 0; i < x->size(); ++i) y.push_back(context.multiply((*x)[i], context.known_dim((*repeats)[i])));
  context.set(0, context.dtype(0), std::move(y));
}

void gather(ShapeContext& context) {
  const auto& data = context.dims(0);
  const auto& indices = context.dims(1);
  std::optional<Dims> y;
  if (data && indices) {
    const auto axis = static_cast<std::ptrdiff_t>(context.axis(context.node().int_or("axis", 0), data->size()));
    y.emplace(data->begin(), data->begin() + axis);
    y->insert(y->end(), indices->begin(), indices->end());
    y->insert(y->end(), data->begin() + axis + 1, data->end());
  }
  context.set(0, context.dtype(0), std::move(y));
}

void gather_elements(ShapeContext& context) { context.set(0, context.dtype(0), context.dims(1)); }

void scatter(ShapeContext& context) { context.set(0, context.dtype(0), context.dims(0)); }

constexpr ShapeRule kRules[] = {
    {"Concat", concat},
    {"Split", split},
    {"Slice", slice},
    {"Pad", pad},
    {"Tile", tile},
    {"Gather", gather},
    {"GatherElements", gather_elements},
    {"Scatter", scatter},
    {"ScatterElements", scatter},
    {"ScatterND", scatter},
};

}  // namespace

std::span<const ShapeRule> selection_shape_rules() { return kRules; }

}  // namespace octavo
