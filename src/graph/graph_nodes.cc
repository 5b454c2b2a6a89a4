#include <fmt/format.h>

#include <utility>

#include "octavo/graph.h"

namespace octavo {

void Graph::read(ValueId id, NodeId reader) {
  if (id == kNoValue) return;
  Slot& value_read = slot(id);
  ++value_read.consumers[reader];
  ++value_read.reads;
}

void Graph::unread(ValueId id, NodeId reader) {
  if (id == kNoValue) return;
  Slot& value_read = slot(id);
  const auto it = value_read.consumers.find(reader);
  if (--it->second == 0) value_read.consumers.erase(it);
  --value_read.reads;
}

void Graph::write(const std::vector<ValueId>& outputs, NodeId writer) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i] == kNoValue) continue;
    Slot& written = slot(outputs[i]);
    if (written.producer == kNoNode && !written.is_input && !written.value.is_constant()) {
      written.producer = writer;
      continue;
    }
    unwrite({outputs.begin(), outputs.begin() + static_cast<std::ptrdiff_t>(i)});
    throw Error(ErrorCode::invalid_argument,
                fmt::format("value '{}' cannot be written by another node: it is {} already", written.value.name,
                            written.is_input              ? "a graph input"
                            : written.value.is_constant() ? "a constant"
                                                          : "computed"));
  }
}

void Graph::unwrite(const std::vector<ValueId>& outputs) {
  for (const ValueId id : outputs) {
    if (id != kNoValue) slot(id).producer = kNoNode;
  }
}

void Graph::link(NodeId id, NodeId before) {
  NodeSlot& added = node_slot(id);
  added.next = before;
  added.previous = before == kNoNode ? last_ : node_slot(before).previous;
  (added.previous == kNoNode ? first_ : node_slot(added.previous).next) = id;
  (before == kNoNode ? last_ : node_slot(before).previous) = id;
}

void Graph::unlink(NodeId id) {
  const NodeSlot& removed = node_slot(id);
  (removed.previous == kNoNode ? first_ : node_slot(removed.previous).next) = removed.next;
  (removed.next == kNoNode ? last_ : node_slot(removed.next).previous) = removed.previous;
}

void Graph::relink(const std::vector<NodeId>& order) {
  first_ = kNoNode;
  last_ = kNoNode;
  for (const NodeId id : order) link(id, kNoNode);
}

void Graph::index_touched_name() {
  if (touched_ != kNoNode && contains_node(touched_)) {
    const std::string& current = nodes_[static_cast<std::size_t>(touched_)].node.name;
    if (!current.empty()) node_by_name_[current] = touched_;
  }
  touched_ = kNoNode;
}

bool Graph::node_name_taken(std::string_view node_name) const {
  const auto has_name = [&](NodeId id) { return contains_node(id) && node(id).name == node_name; };
  if (has_name(touched_)) return true;
  const auto it = node_by_name_.find(node_name);
  return it != node_by_name_.end() && has_name(it->second);
}

NodeId Graph::add_node(Node added, NodeId before) {
  index_touched_name();
  if (!added.name.empty() && node_name_taken(added.name)) {
    throw Error(ErrorCode::invalid_argument, fmt::format("the graph already has a node named '{}'", added.name));
  }
  // Every id is looked at first: an error must leave the graph as it was.
  for (const ValueId input : added.inputs) {
    if (input != kNoValue) static_cast<void>(slot(input));
  }
  for (const ValueId captured : added.captured) static_cast<void>(slot(captured));
  if (before != kNoNode) static_cast<void>(node_slot(before));

  const auto id = static_cast<NodeId>(nodes_.size());
  write(added.outputs, id);
  for (const ValueId input : added.inputs) read(input, id);
  for (const ValueId captured : added.captured) {
    read(captured, id);
    ++slot(captured).captures;
  }
  if (!added.name.empty()) node_by_name_[added.name] = id;
  nodes_.push_back(NodeSlot{std::move(added)});
  link(id, before);
  return id;
}

const Node& Graph::node(NodeId id) const { return node_slot(id).node; }

Node& Graph::mutable_node(NodeId id) {
  index_touched_name();
  touched_ = id;
  return node_slot(id).node;
}

void Graph::set_input(NodeId id, std::size_t index, ValueId new_value) {
  Node& changed = node_slot(id).node;
  if (index >= changed.inputs.size()) {
    throw Error(ErrorCode::internal, fmt::format("{} has no input {}", describe(*this, id), index));
  }
  read(new_value, id);
  unread(std::exchange(changed.inputs[index], new_value), id);
}

void Graph::set_inputs_of(NodeId id, std::vector<ValueId> inputs) {
  Node& changed = node_slot(id).node;
  for (const ValueId input : inputs) read(input, id);
  for (const ValueId input : changed.inputs) unread(input, id);
  changed.inputs = std::move(inputs);
}

void Graph::set_outputs_of(NodeId id, std::vector<ValueId> outputs) {
  Node& changed = node_slot(id).node;
  unwrite(changed.outputs);
  try {
    write(outputs, id);
  } catch (...) {
    write(changed.outputs, id);
    throw;
  }
  changed.outputs = std::move(outputs);
}

void Graph::remove_node(NodeId id) {
  Node& removed = node_slot(id).node;
  for (const ValueId input : removed.inputs) unread(input, id);
  for (const ValueId captured : removed.captured) {
    unread(captured, id);
    --slot(captured).captures;
  }
  unwrite(removed.outputs);
  if (const auto it = node_by_name_.find(removed.name); it != node_by_name_.end() && it->second == id) {
    node_by_name_.erase(it);
  }
  unlink(id);
  removed = Node{};  // a dead node's tensors must not stay in memory
  node_slot(id).live = false;
}

bool Graph::contains_node(NodeId id) const {
  return id >= 0 && static_cast<std::size_t>(id) < nodes_.size() && nodes_[static_cast<std::size_t>(id)].live;
}

std::vector<NodeId> Graph::nodes() const {
  std::vector<NodeId> order;
  for (NodeId id = first_; id != kNoNode; id = node_slot(id).next) order.push_back(id);
  return order;
}

void Graph::replace_uses(ValueId from, ValueId to) {
  static_cast<void>(slot(to));
  if (from == to) return;
  if (is_captured(from)) {
    throw Error(ErrorCode::unsupported,
                fmt::format("value '{}' cannot be replaced: a subgraph reads it by name", value(from).name));
  }
  for (const NodeId reader : consumers(from)) {
    const std::size_t count = node(reader).inputs.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (node(reader).inputs[i] == from) set_input(reader, i, to);
    }
  }
}

}  // namespace octavo
