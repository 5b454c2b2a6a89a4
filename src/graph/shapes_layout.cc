#include <fmt/format.h>

#include <algorithm>

#include "shape_context.h"

namespace octavo {
namespace {

// The number of elements that some dimensions make, as known sizes times symbols.
struct Product {
  Dim known{1, {}};
  std::vector<std::string> symbols;
  bool has_unknown = false;

  void include(const ShapeContext& context, const Dim& dim) {
    if (dim.known()) {
      known = context.multiply(known, dim);
    } else if (!dim.symbol.empty()) {
      symbols.push_back(dim.symbol);
    } else {
      has_unknown = true;
    }
  }
};

// What is left of `total` for one dimension: symbols that both have cancel each other.
Dim remaining_dim(const ShapeContext& context, Product total, const Product& others) {
  if (total.has_unknown || others.has_unknown || others.known.size == 0) return {};
  for (const std::string& symbol : others.symbols) {
    const auto it = std::find(total.symbols.begin(), total.symbols.end(), symbol);
    if (it == total.symbols.end()) return {};
    total.symbols.erase(it);
  }
  if (total.symbols.empty()) return context.divide(total.known, others.known.size);
  const bool is_symbol = total.symbols.size() == 1 && total.known.size == others.known.size;
  return is_symbol ? Dim{Dim::kUnknown, total.symbols[0]} : Dim{};
}

Dims reshaped(const ShapeContext& context, const std::optional<Dims>& x, const Content& shape) {
  const bool zero_copies = context.node().int_or("allowzero", 0) == 0;
  Dims y;
  std::optional<std::size_t> inferred;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto& value = shape[i].value;
    if (value && *value < -1) context.fail(fmt::format("it is to give a dimension of {}", *value));
    if (value == -1 && inferred) context.fail("its shape holds -1 twice");
    if (value == -1) inferred = i;
    if (value == 0 && zero_copies) {
      if (x && i >= x->size()) context.fail(fmt::format("its shape copies dimension {}, which its input lacks", i));
      y.push_back(x ? (*x)[i] : Dim{});
    } else {
      y.push_back(dim_of(shape[i]));
    }
  }
  if (!x) return y;

  Product total;
  Product others;
  for (const Dim& dim : *x) total.include(context, dim);
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (i != inferred) others.include(context, y[i]);
  }
  if (inferred) {
    y[*inferred] = remaining_dim(context, total, others);
  } else if (!total.has_unknown && !others.has_unknown && total.symbols.empty() && others.symbols.empty()) {
    if (total.known.size != others.known.size) {
      context.fail(fmt::format("{} elements cannot be given a shape of {}", total.known.size, others.known.size));
    }
  }
  return y;
}

// A shape input of which only the length is known gives the rank.
std::optional<Dims> dims_of_unknown_shape(const ShapeContext& context, std::size_t shape_input) {
  const auto& shape = context.dims(shape_input);
  if (!shape || shape->size() != 1 || !(*shape)[0].known()) return std::nullopt;
  if ((*shape)[0].size > static_cast<std::int64_t>(kMaxContent)) context.fail("its shape has too many dimensions");
  return Dims(static_cast<std::size_t>((*shape)[0].size));
}

void reshape(ShapeContext& context) {
  const Content* shape = context.content(1);
  context.set(0, context.dtype(0),
              shape != nullptr ? reshaped(context, context.dims(0), *shape) : dims_of_unknown_shape(context, 1));
}

void expand(ShapeContext& context) {
  const Content* shape = context.content(1);
  std::optional<Dims> wanted = dims_of_unknown_shape(context, 1);
  if (shape != nullptr) {
    wanted.emplace();
    for (const Element& element : *shape) {
      if (element.value && *element.value < 0) context.fail(fmt::format("its shape holds {}", *element.value));
      wanted->push_back(dim_of(element));
    }
  }
  context.set(0, context.dtype(0), context.broadcast(context.dims(0), wanted));
}

void flatten(ShapeContext& context) {
  const auto& x = context.dims(0);
  Dims y(2);
  if (x) {
    const std::int64_t axis = context.node().int_or("axis", 1);
    const auto rank = static_cast<std::int64_t>(x->size());
    if (axis < -rank || axis > rank) context.fail(fmt::format("axis {} is beyond {} dimensions", axis, rank));
    const auto split = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
    y = {Dim{1, {}}, Dim{1, {}}};
    for (std::size_t i = 0; i < x->size(); ++i) y[i < split ? 0 : 1] = context.multiply(y[i < split ? 0 : 1], (*x)[i]);
  }
  context.set(0, context.dtype(0), std::move(y));
}

void transpose(ShapeContext& context) {
  const auto& x = context.dims(0);
  if (!x) return context.set(0, context.dtype(0), std::nullopt);
  std::vector<std::int64_t> reversed;
  for (std::size_t i = x->size(); i > 0; --i) reversed.push_back(static_cast<std::int64_t>(i - 1));
  const auto perm = context.node().ints_or("perm", reversed);
  if (perm.size() != x->size()) {
    context.fail(fmt::format("perm has {} entries for {} dimensions", perm.size(), x->size()));
  }
  context.axes(perm, x->size());  // fails unless each occurs once
  Dims y;
  for (const std::int64_t from : perm) y.push_back((*x)[context.axis(from, x->size())]);
  context.set(0, context.dtype(0), std::move(y));
}

std::optional<Dims> squeezed(ShapeContext& context, const Dims& x) {
  const bool lists_axes = context.node().has("axes") || context.has_input(1);
  const auto axes = context.integers("axes", 1);
  if (lists_axes && !axes) return std::nullopt;
  Dims y;
  const auto drop = context.axes(axes.value_or(std::vector<std::int64_t>{}), x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!lists_axes && !x[i].known()) return std::nullopt;
    if (drop[i] && x[i].known() && x[i].size != 1) {
      context.fail(fmt::format("dimension {} is {}, expected 1", i, x[i].size));
    }
    if (lists_axes ? !drop[i] : x[i].size != 1) y.push_back(x[i]);
  }
  return y;
}

void squeeze(ShapeContext& context) {
  context.set(0, context.dtype(0), context.dims(0) ? squeezed(context, *context.dims(0)) : std::nullopt);
}

void unsqueeze(ShapeContext& context) {
  const auto& x = context.dims(0);
  const auto axes = context.integers("axes", 1);
  if (!x || !axes) return context.set(0, context.dtype(0), std::nullopt);
  const auto added = context.axes(*axes, x->size() + axes->size());
  Dims y;
  auto next = x->begin();
  for (const bool is_new : added) y.push_back(is_new ? Dim{1, {}} : *next++);
  context.set(0, context.dtype(0), std::move(y));
}

const Dims* image_dims(const ShapeContext& context) {
  const auto& x = context.dims(0);
  if (x && x->size() != 4) context.fail(fmt::format("its input has {} dimensions, expected 4", x->size()));
  return x ? &*x : nullptr;
}

void depth_to_space(ShapeContext& context) {
  const Dims* x = image_dims(context);
  if (x == nullptr) return context.set(0, context.dtype(0), Dims(4));
  const Dim block = context.known_dim(context.node().int_or("blocksize", 0));
  const Dim area = context.multiply(block, block);
  context.set(0, context.dtype(0),
              Dims{(*x)[0], context.divide((*x)[1], area.size), context.multiply((*x)[2], block),
                   context.multiply((*x)[3], block)});
}

void space_to_depth(ShapeContext& context) {
  const Dims* x = image_dims(context);
  if (x == nullptr) return context.set(0, context.dtype(0), Dims(4));
  const Dim block = context.known_dim(context.node().int_or("blocksize", 0));
  context.set(0, context.dtype(0),
              Dims{(*x)[0], context.multiply((*x)[1], context.multiply(block, block)),
                   context.divide((*x)[2], block.size), context.divide((*x)[3], block.size)});
}

constexpr ShapeRule kRules[] = {
    {"Reshape", reshape},
    {"Expand", expand},
    {"Flatten", flatten},
    {"Transpose", transpose},
    {"Squeeze", squeeze},
    {"Unsqueeze", unsqueeze},
    {"DepthToSpace", depth_to_space},
    {"SpaceToDepth", space_to_depth},
};

}  // namespace

std::span<const ShapeRule> layout_shape_rules() { return kRules; }

}  // namespace octavo
