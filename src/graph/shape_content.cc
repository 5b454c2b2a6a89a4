#include <algorithm>

#include "shape_context.h"

namespace octavo {
namespace {

bool is_integer(DType dtype) { return dtype == DType::i64 || dtype == DType::i32; }

void copy(ShapeContext& context) {
  if (const Content* x = context.content(0)) context.set_content(0, *x);
}

void cast(ShapeContext& context) {
  const std::int64_t to = context.node().int_or("to", 0);
  if (to == 7 || to == 6) copy(context);  // ONNX's int64 and int32
}

void constant(ShapeContext& context) {
  const Node& node = context.node();
  Content content;
  for (const std::int64_t value : node.ints_or("value_ints", {})) content.push_back({value, {}});
  if (node.has("value_int")) content.push_back({node.int_or("value_int", 0), {}});
  // A tensor is found by whoever reads it.
  if (!content.empty()) context.set_content(0, std::move(content));
}

void gather(ShapeContext& context) {
  const Content* data = context.content(0);
  const auto indices = context.integers(1);
  if (data == nullptr || !indices || !context.dims(0) || context.dims(0)->size() != 1) return;
  Content content;
  for (const std::int64_t index : *indices) content.push_back((*data)[context.axis(index, data->size())]);
  context.set_content(0, std::move(content));
}

void concat(ShapeContext& context) {
  Content content;
  for (std::size_t i = 0; i < context.node().inputs.size(); ++i) {
    const Content* part = context.content(i);
    if (part == nullptr || content.size() > kMaxContent) return;
    content.insert(content.end(), part->begin(), part->end());
  }
  context.set_content(0, std::move(content));
}

void slice(ShapeContext& context) {
  const Content* data = context.content(0);
  const auto starts = context.integers("starts", 1);
  const auto ends = context.integers("ends", 2);
  const auto steps = context.integers(4);
  const bool whole_steps = !context.has_input(4) || (steps && *steps == std::vector<std::int64_t>{1});
  if (data == nullptr || !starts || !ends || starts->size() != 1 || ends->size() != 1 || !whole_steps) return;
  const auto size = static_cast<std::int64_t>(data->size());
  const auto clamped = [size](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size); };
  const std::int64_t start = clamped(starts->front());
  const std::int64_t end = std::max(start, clamped(ends->front()));
  context.set_content(0, Content(data->begin() + start, data->begin() + end));
}

template <typename F>
void arithmetic(ShapeContext& context, const F& f) {
  const Content* a = context.content(0);
  const Content* b = context.content(1);
  if (a == nullptr || b == nullptr) return;
  if (a->size() != b->size() && a->size() != 1 && b->size() != 1) return;
  const std::size_t size = a->size() == 1 ? b->size() : a->size();
  Content content(size);
  for (std::size_t i = 0; i < size; ++i) {
    const auto& x = (*a)[a->size() == 1 ? 0 : i].value;
    const auto& y = (*b)[b->size() == 1 ? 0 : i].value;
    std::int64_t result = 0;
    if (x && y && f(*x, *y, &result)) content[i].value = result;
  }
  context.set_content(0, std::move(content));
}

void add(ShapeContext& context) {
  arithmetic(context, [](std::int64_t a, std::int64_t b, std::int64_t* c) { return !__builtin_add_overflow(a, b, c); });
}
void subtract(ShapeContext& context) {
  arithmetic(context, [](std::int64_t a, std::int64_t b, std::int64_t* c) { return !__builtin_sub_overflow(a, b, c); });
}
void multiply(ShapeContext& context) {
  arithmetic(context, [](std::int64_t a, std::int64_t b, std::int64_t* c) { return !__builtin_mul_overflow(a, b, c); });
}
void divide(ShapeContext& context) {
  arithmetic(context, [](std::int64_t a, std::int64_t b, std::int64_t* c) {
    if (b <= 0) return false;
    *c = a / b;
    return true;
  });
}

constexpr ShapeRule kRules[] = {
    {"Identity", copy},     {"Squeeze", copy},  {"Unsqueeze", copy}, {"Cast", cast},
    {"Constant", constant}, {"Gather", gather}, {"Concat", concat},  {"Slice", slice},
    {"Add", add},           {"Sub", subtract},  {"Mul", multiply},   {"Div", divide},
};

}  // namespace

void propagate_content(ShapeContext& context) {
  const auto rule = std::find_if(std::begin(kRules), std::end(kRules), [&](const ShapeRule& candidate) {
    return candidate.op_type == context.node().op_type;
  });
  if (rule == std::end(kRules)) return;
  if (context.node().op_type != "Constant" && !is_integer(context.dtype(0))) return;
  rule->infer(context);
}

}  // namespace octavo
