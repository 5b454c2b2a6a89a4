#include "shape_context.h"

#include <fmt/format.h>

#include <algorithm>

namespace octavo {
namespace {

// The tensor of a constant or of a Constant node; null for all else.
const Tensor* constant_tensor(const Graph& graph, ValueId id) {
  if (id == kNoValue) return nullptr;
  if (const Tensor* tensor = graph.constant(id)) return tensor;
  const NodeId producer = graph.producer(id);
  if (producer == kNoNode || graph.node(producer).op_type != "Constant") return nullptr;
  return graph.node(producer).tensor("value");
}

template <typename T>
Content content_of(const Tensor& tensor) {
  Content content;
  for (const T value : tensor.data<T>()) content.push_back({value, {}});
  return content;
}

bool agree(const Dims& a, const Dims& b) {
  return std::ranges::equal(a, b,
                            [](const Dim& x, const Dim& y) { return !x.known() || !y.known() || x.size == y.size; });
}

}  // namespace

Dim dim_of(const Element& element) {
  if (!element.value) return {Dim::kUnknown, element.symbol};
  return {std::max(*element.value, Dim::kUnknown), {}};
}

Element element_of(const Dim& dim) {
  if (dim.known()) return {dim.size, {}};
  return {std::nullopt, dim.symbol};
}

DType ShapeContext::dtype(std::size_t i) const {
  const ValueId id = node().input(i);
  return id == kNoValue ? DType::undefined : graph_.value(id).dtype;
}

const std::optional<Dims>& ShapeContext::dims(std::size_t i) const {
  static const std::optional<Dims> kNothing;
  const ValueId id = node().input(i);
  return id == kNoValue ? kNothing : graph_.value(id).dims;
}

const Content* ShapeContext::content(std::size_t i) {
  const ValueId id = node().input(i);
  if (id == kNoValue) return nullptr;
  if (const auto it = contents_.find(id); it != contents_.end()) return &it->second;
  const Tensor* tensor = constant_tensor(graph_, id);
  if (tensor == nullptr || tensor->rank() > 1 || tensor->size() > static_cast<std::int64_t>(kMaxContent))
    return nullptr;
  if (tensor->dtype() == DType::i64) return &(contents_[id] = content_of<std::int64_t>(*tensor));
  if (tensor->dtype() == DType::i32) return &(contents_[id] = content_of<std::int32_t>(*tensor));
  return nullptr;
}

std::optional<std::vector<std::int64_t>> ShapeContext::integers(std::size_t i) {
  const Content* known = content(i);
  if (known == nullptr) return std::nullopt;
  std::vector<std::int64_t> values;
  for (const Element& element : *known) {
    if (!element.value) return std::nullopt;
    values.push_back(*element.value);
  }
  return values;
}

std::optional<std::vector<float>> ShapeContext::floats(std::size_t i) const {
  const Tensor* tensor = constant_tensor(graph_, node().input(i));
  if (tensor == nullptr || tensor->dtype() != DType::f32 || tensor->size() > static_cast<std::int64_t>(kMaxContent)) {
    return std::nullopt;
  }
  return std::vector<float>(tensor->data<float>().begin(), tensor->data<float>().end());
}

std::optional<std::vector<std::int64_t>> ShapeContext::integers(std::string_view attribute, std::size_t i) {
  return node().has(attribute) ? std::optional(node().ints_or(attribute, {})) : integers(i);
}

void ShapeContext::set(std::size_t output, DType dtype, std::optional<Dims> dims) {
  const ValueId id = node().output(output);
  if (id == kNoValue) return;
  Value& value = graph_.value(id);
  if (dims && dims->size() > kMaxContent) fail(fmt::format("its output has {} dimensions", dims->size()));
  try {
    value.dtype = merge(value.dtype, dtype);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{} (output '{}')", error.what(), value.name));
  }
  if (dims) value.dims = value.dims && agree(*dims, *value.dims) ? merge(*dims, *value.dims) : std::move(*dims);
}

void ShapeContext::set_content(std::size_t output, Content content) {
  const ValueId id = node().output(output);
  if (id == kNoValue || content.size() > kMaxContent) return;
  // Elements are followed without their places in a matrix.
  const auto& dims = graph_.value(id).dims;
  if (dims && dims->size() <= 1) contents_[id] = std::move(content);
}

void ShapeContext::fail(std::string_view what) const {
  throw Error(ErrorCode::bad_model, fmt::format("{}: {}", describe(graph_, id_), what));
}

std::size_t ShapeContext::axis(std::int64_t axis, std::size_t rank) const {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) {
    fail(fmt::format("axis {} is beyond a tensor of {} dimensions", axis, rank));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

std::vector<bool> ShapeContext::axes(std::span<const std::int64_t> axes, std::size_t rank) const {
  std::vector<bool> chosen(rank);
  for (const std::int64_t listed : axes) {
    const std::size_t i = axis(listed, rank);
    if (chosen[i]) fail(fmt::format("axis {} is listed twice", listed));
    chosen[i] = true;
  }
  return chosen;
}

Dim ShapeContext::known_dim(std::int64_t size) const {
  if (size < 0) fail(fmt::format("a dimension would be {}", size));
  return {size, {}};
}

Dim ShapeContext::merge(const Dim& a, const Dim& b) const {
  if (a.known() && b.known()) {
    if (a.size != b.size) fail(fmt::format("a dimension is {} here and {} there", a.size, b.size));
    return a.symbol.empty() ? b : a;
  }
  if (a.known() || b.known()) return a.known() ? a : b;
  return a.symbol.empty() ? b : a;
}

Dims ShapeContext::merge(const Dims& a, const Dims& b) const {
  if (a.size() != b.size()) fail(fmt::format("{} dimensions are expected, {} found", a.size(), b.size()));
  Dims merged;
  for (std::size_t i = 0; i < a.size(); ++i) merged.push_back(merge(a[i], b[i]));
  return merged;
}

Dim ShapeContext::broadcast(const Dim& a, const Dim& b) const {
  if (a.size == 1) return b;
  if (b.size == 1) return a;
  if (a.known() && b.known() && a.size != b.size) {
    fail(fmt::format("dimensions of {} and {} cannot be broadcast", a.size, b.size));
  }
  if (a.known() || b.known()) return a.known() ? a : b;
  return a.symbol == b.symbol ? a : Dim{};
}

std::optional<Dims> ShapeContext::broadcast(const std::optional<Dims>& a, const std::optional<Dims>& b) const {
  if (!a || !b) return std::nullopt;
  Dims longer = a->size() >= b->size() ? *a : *b;
  const Dims& shorter = a->size() >= b->size() ? *b : *a;
  const std::size_t offset = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) longer[offset + i] = broadcast(longer[offset + i], shorter[i]);
  return longer;
}

Dim ShapeContext::add(const Dim& a, const Dim& b) const {
  if (a.size == 0) return b;
  if (b.size == 0) return a;
  if (!a.known() || !b.known()) return {};
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a.size, b.size, &sum)) fail("a dimension is beyond 64 bits");
  return {sum, {}};
}

Dim ShapeContext::multiply(const Dim& a, const Dim& b) const {
  if (a.size == 1) return b;
  if (b.size == 1) return a;
  if (a.size == 0 || b.size == 0) return {0, {}};
  if (!a.known() || !b.known()) return {};
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a.size, b.size, &product)) fail("a dimension is beyond 64 bits");
  return {product, {}};
}

Dim ShapeContext::divide(const Dim& a, std::int64_t divisor) const {
  if (divisor < 1) fail(fmt::format("a dimension is to be divided by {}", divisor));
  if (divisor == 1) return a;
  if (!a.known()) return {};
  if (a.size % divisor != 0) fail(fmt::format("a dimension of {} cannot be divided by {}", a.size, divisor));
  return {a.size / divisor, {}};
}

DType ShapeContext::merge(DType a, DType b) const {
  if (a == DType::undefined || b == DType::undefined) return a == DType::undefined ? b : a;
  if (a != b) fail(fmt::format("types {} and {} meet where one is expected", name_of(a), name_of(b)));
  return a;
}

}  // namespace octavo
