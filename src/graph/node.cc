#include <fmt/format.h>

#include <utility>

#include "octavo/graph.h"

namespace octavo {
namespace {

template <typename T>
const T* attribute_of(const Node& node, std::string_view name) {
  const auto it = node.attributes.find(name);
  return it == node.attributes.end() ? nullptr : std::get_if<T>(&it->second);
}

}  // namespace

std::int64_t Node::int_or(std::string_view attribute, std::int64_t fallback) const {
  const auto* value = attribute_of<std::int64_t>(*this, attribute);
  return value != nullptr ? *value : fallback;
}

float Node::float_or(std::string_view attribute, float fallback) const {
  const auto* value = attribute_of<float>(*this, attribute);
  return value != nullptr ? *value : fallback;
}

std::string Node::string_or(std::string_view attribute, std::string_view fallback) const {
  const auto* value = attribute_of<std::string>(*this, attribute);
  return value != nullptr ? *value : std::string(fallback);
}

std::vector<std::int64_t> Node::ints_or(std::string_view attribute, std::vector<std::int64_t> fallback) const {
  const auto* value = attribute_of<std::vector<std::int64_t>>(*this, attribute);
  if (value == nullptr) return fallback;
  return *value;
}

std::vector<float> Node::floats_or(std::string_view attribute, std::vector<float> fallback) const {
  const auto* value = attribute_of<std::vector<float>>(*this, attribute);
  if (value == nullptr) return fallback;
  return *value;
}

const Tensor* Node::tensor(std::string_view attribute) const { return attribute_of<Tensor>(*this, attribute); }

std::optional<Shape> Value::static_shape() const {
  if (!dims) return std::nullopt;
  Shape shape;
  shape.reserve(dims->size());
  for (const Dim& dim : *dims) {
    if (!dim.known()) return std::nullopt;
    shape.push_back(dim.size);
  }
  return shape;
}

std::string describe(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!node.name.empty()) return fmt::format("{} '{}'", node.op_type, node.name);
  for (const ValueId output : node.outputs) {
    if (output != kNoValue) return fmt::format("{} writing '{}'", node.op_type, graph.value(output).name);
  }
  return node.op_type;
}

std::string_view name_of_node(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!node.name.empty()) return node.name;
  for (const ValueId output : node.outputs) {
    if (output != kNoValue) return graph.value(output).name;
  }
  return {};
}

}  // namespace octavo
