#include <algorithm>

#include "shape_context.h"

namespace octavo {
namespace {

Dims dims_of(const Shape& shape) {
  Dims dims;
  for (const std::int64_t size : shape) dims.push_back(Dim{size, {}});
  return dims;
}

Dims vector_of(std::size_t size) { return {Dim{static_cast<std::int64_t>(size), {}}}; }

void constant(ShapeContext& context) {
  const Node& node = context.node();
  if (const Tensor* tensor = node.tensor("value")) {
    context.set(0, tensor->dtype(), dims_of(tensor->shape()));
  } else if (node.has("value_float")) {
    context.set(0, DType::f32, Dims{});
  } else if (node.has("value_int")) {
    context.set(0, DType::i64, Dims{});
  } else if (node.has("value_floats")) {
    context.set(0, DType::f32, vector_of(node.floats_or("value_floats", {}).size()));
  } else if (node.has("value_ints")) {
    context.set(0, DType::i64, vector_of(node.ints_or("value_ints", {}).size()));
  }
}

void constant_of_shape(ShapeContext& context) {
  const Tensor* tensor = context.node().tensor("value");
  std::optional<Dims> y;
  if (const Content* shape = context.content(0)) {
    y.emplace();
    for (const Element& element : *shape) {
      y->push_back(element.value ? context.known_dim(*element.value) : dim_of(element));
    }
  }
  context.set(0, tensor != nullptr ? tensor->dtype() : DType::f32, std::move(y));
}

// Opset 15's start and end are clamped, as in Python.
void shape(ShapeContext& context) {
  const auto& x = context.dims(0);
  if (!x) return context.set(0, DType::i64, Dims{Dim{}});
  const auto rank = static_cast<std::int64_t>(x->size());
  const auto clamped = [rank](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + rank : i, 0, rank); };
  const std::int64_t start = clamped(context.node().int_or("start", 0));
  const std::int64_t end = clamped(context.node().int_or("end", rank));
  Content content;
  for (std::int64_t i = start; i < end; ++i) content.push_back(element_of((*x)[static_cast<std::size_t>(i)]));
  context.set(0, DType::i64, vector_of(content.size()));
  context.set_content(0, std::move(content));
}

void size(ShapeContext& context) { context.set(0, DType::i64, Dims{}); }

void non_zero(ShapeContext& context) {
  const auto& x = context.dims(0);
  context.set(0, DType::i64, Dims{x ? Dim{static_cast<std::int64_t>(x->size()), {}} : Dim{}, Dim{}});
}

void range(ShapeContext& context) { context.set(0, context.dtype(0), Dims{Dim{}}); }

constexpr ShapeRule kRules[] = {
    {"Constant", constant}, {"ConstantOfShape", constant_of_shape},
    {"Shape", shape},       {"Size", size},
    {"NonZero", non_zero},  {"Range", range},
};

}  // namespace

std::span<const ShapeRule> constant_shape_rules() { return kRules; }

}  // namespace octavo
