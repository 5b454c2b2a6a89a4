#include "octavo/graph.h"

#include <fmt/format.h>

#include <utility>

namespace octavo {
namespace {

template <typename Taken>
std::string first_free_name(std::string_view base, const Taken& taken) {
  std::string name(base);
  for (std::int64_t i = 1; name.empty() || taken(name); ++i) name = fmt::format("{}_{}", base, i);
  return name;
}

}  // namespace

std::int64_t Graph::opset() const {
  const auto it = opsets.find("");
  return it == opsets.end() ? 0 : it->second;
}

const Graph::Slot& Graph::slot(ValueId id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= values_.size() || !values_[static_cast<std::size_t>(id)].live) {
    throw Error(ErrorCode::internal, fmt::format("graph '{}' has no value with the id {}", name, id));
  }
  return values_[static_cast<std::size_t>(id)];
}

Graph::Slot& Graph::slot(ValueId id) { return const_cast<Slot&>(std::as_const(*this).slot(id)); }

const Graph::NodeSlot& Graph::node_slot(NodeId id) const {
  if (!contains_node(id)) {
    throw Error(ErrorCode::internal, fmt::format("graph '{}' has no node with the id {}", name, id));
  }
  return nodes_[static_cast<std::size_t>(id)];
}

Graph::NodeSlot& Graph::node_slot(NodeId id) { return const_cast<NodeSlot&>(std::as_const(*this).node_slot(id)); }

ValueId Graph::add_value(std::string value_name, DType dtype, std::optional<Dims> dims) {
  if (value_name.empty()) throw Error(ErrorCode::invalid_argument, "a value without a name cannot be added");
  const auto id = static_cast<ValueId>(values_.size());
  if (!value_by_name_.try_emplace(value_name, id).second) {
    throw Error(ErrorCode::invalid_argument, fmt::format("the graph already has a value named '{}'", value_name));
  }
  Slot added;
  added.value.name = std::move(value_name);
  added.value.dtype = dtype;
  added.value.dims = std::move(dims);
  values_.push_back(std::move(added));
  return id;
}

ValueId Graph::add_constant(std::string value_name, Tensor tensor) {
  Dims dims;
  for (const std::int64_t size : tensor.shape()) dims.push_back(Dim{size, {}});
  const ValueId id = add_value(std::move(value_name), tensor.dtype(), std::move(dims));
  value(id).constant = std::move(tensor);
  return id;
}

Value& Graph::value(ValueId id) { return slot(id).value; }
const Value& Graph::value(ValueId id) const { return slot(id).value; }

std::optional<ValueId> Graph::find_value(std::string_view value_name) const {
  const auto it = value_by_name_.find(value_name);
  return it == value_by_name_.end() ? std::nullopt : std::optional(it->second);
}

void Graph::rename_value(ValueId id, std::string new_name) {
  Slot& renamed = slot(id);
  if (renamed.value.name == new_name) return;
  if (renamed.captures > 0) {
    throw Error(ErrorCode::unsupported,
                fmt::format("value '{}' cannot be renamed: a subgraph reads it by name", renamed.value.name));
  }
  if (new_name.empty() || !value_by_name_.try_emplace(new_name, id).second) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("value '{}' cannot be named '{}': {}", renamed.value.name, new_name,
                            new_name.empty() ? "a name is needed" : "another value has that name"));
  }
  value_by_name_.erase(renamed.value.name);
  renamed.value.name = std::move(new_name);
}

std::string Graph::unique_value_name(std::string_view base) const {
  return first_free_name(base, [this](const std::string& n) { return find_value(n).has_value(); });
}

std::string Graph::unique_node_name(std::string_view base) const {
  return first_free_name(base, [this](const std::string& n) { return node_name_taken(n); });
}

const Tensor* Graph::constant(ValueId id) const {
  if (id == kNoValue) return nullptr;
  const Value& found = value(id);
  return found.constant ? &*found.constant : nullptr;
}

std::vector<ValueId> Graph::values() const {
  std::vector<ValueId> live;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].live) live.push_back(static_cast<ValueId>(i));
  }
  return live;
}

void Graph::set_inputs(std::vector<ValueId> inputs) {
  for (const ValueId id : inputs) {
    if (slot(id).producer != kNoNode) {
      throw Error(ErrorCode::invalid_argument, fmt::format("value '{}' cannot be a graph input: {} computes it",
                                                           value(id).name, describe(*this, slot(id).producer)));
    }
  }
  for (const ValueId id : inputs_) slot(id).is_input = false;
  for (const ValueId id : inputs) slot(id).is_input = true;
  inputs_ = std::move(inputs);
}

void Graph::set_outputs(std::vector<ValueId> outputs) {
  for (const ValueId id : outputs) static_cast<void>(slot(id));
  for (const ValueId id : outputs_) {
    slot(id).is_output = false;
    --slot(id).reads;
  }
  for (const ValueId id : outputs) {
    slot(id).is_output = true;
    ++slot(id).reads;
  }
  outputs_ = std::move(outputs);
}

bool Graph::is_input(ValueId id) const { return slot(id).is_input; }
bool Graph::is_output(ValueId id) const { return slot(id).is_output; }
NodeId Graph::producer(ValueId id) const { return slot(id).producer; }
std::size_t Graph::use_count(ValueId id) const { return slot(id).reads; }
bool Graph::is_captured(ValueId id) const { return slot(id).captures > 0; }

std::vector<NodeId> Graph::consumers(ValueId id) const {
  std::vector<NodeId> readers;
  readers.reserve(slot(id).consumers.size());
  for (const auto& [reader, reads] : slot(id).consumers) readers.push_back(reader);
  return readers;
}

}  // namespace octavo
