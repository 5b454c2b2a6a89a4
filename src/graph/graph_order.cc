#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <set>

#include "octavo/graph.h"

namespace octavo {
namespace {

template <typename F>
void for_each_read(const Node& node, const F& f) {
  for (const ValueId id : node.inputs) {
    if (id != kNoValue) f(id);
  }
  for (const ValueId id : node.captured) f(id);
}

}  // namespace

// Kahn's algorithm; of the nodes that are ready the one that stood first goes first, so that an order that
// is topological already stays as it is.
std::vector<NodeId> Graph::topological_order() const {
  const std::vector<NodeId> stored = nodes();
  std::vector<std::size_t> position(nodes_.size());
  std::vector<std::size_t> waiting(nodes_.size());  // reads of values that no sorted node has written yet
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const auto id = static_cast<std::size_t>(stored[i]);
    position[id] = i;
    for_each_read(nodes_[id].node, [&](ValueId read_id) { waiting[id] += producer(read_id) != kNoNode ? 1 : 0; });
    if (waiting[id] == 0) ready.push(i);
  }
  std::vector<NodeId> order;
  order.reserve(stored.size());
  while (!ready.empty()) {
    const NodeId id = stored[ready.top()];
    ready.pop();
    order.push_back(id);
    for (const ValueId output : node(id).outputs) {
      if (output == kNoValue) continue;
      for (const auto& [reader, reads] : slot(output).consumers) {
        std::size_t& left = waiting[static_cast<std::size_t>(reader)];
        left -= reads;
        if (left == 0) ready.push(position[static_cast<std::size_t>(reader)]);
      }
    }
  }
  if (order.size() != stored.size()) report_cycle(waiting);
  return order;
}

void Graph::report_cycle(const std::vector<std::size_t>& waiting) const {
  const auto stuck = [&](NodeId id) { return id != kNoNode && waiting[static_cast<std::size_t>(id)] > 0; };
  NodeId id = first_;
  while (!stuck(id)) id = node_slot(id).next;
  // Every stuck node reads from a stuck one: walking upwards must come by a node a second time.
  std::vector<bool> seen(nodes_.size());
  while (!seen[static_cast<std::size_t>(id)]) {
    seen[static_cast<std::size_t>(id)] = true;
    NodeId above = kNoNode;
    for_each_read(node(id), [&](ValueId read_id) {
      if (stuck(producer(read_id))) above = producer(read_id);
    });
    id = above;
  }
  throw Error(ErrorCode::bad_model,
              fmt::format("{} depends on its own output: the graph must have no cycle", describe(*this, id)));
}

void Graph::sort() { relink(topological_order()); }

void Graph::remove_dead() {
  const auto is_dead = [this](NodeId id) {
    const auto& outputs = node(id).outputs;
    return std::none_of(outputs.begin(), outputs.end(),
                        [this](ValueId output) { return output != kNoValue && slot(output).reads > 0; });
  };
  std::vector<NodeId> work = nodes();
  while (!work.empty()) {
    const NodeId id = work.back();
    work.pop_back();
    if (!contains_node(id) || !is_dead(id)) continue;
    std::vector<NodeId> above;
    for_each_read(node(id), [&](ValueId read_id) {
      if (producer(read_id) != kNoNode) above.push_back(producer(read_id));
    });
    remove_node(id);
    work.insert(work.end(), above.begin(), above.end());
  }
  for (Slot& candidate : values_) {
    if (!candidate.live || candidate.reads > 0 || candidate.producer != kNoNode || candidate.is_input) continue;
    value_by_name_.erase(candidate.value.name);
    candidate.value = Value{};  // a dead constant must not stay in memory
    candidate.live = false;
  }
}

void Graph::check_value(ValueId id) const {
  const Slot& checked = slot(id);
  const Value& found = checked.value;
  const auto fail = [&](std::string_view what) {
    throw Error(ErrorCode::bad_model, fmt::format("value '{}' {}", found.name, what));
  };
  const auto indexed = find_value(found.name);
  if (!indexed || *indexed != id) fail("was renamed without rename_value");
  if (checked.producer != kNoNode && (found.is_constant() || checked.is_input)) {
    fail(fmt::format("is computed by {} and is a {} as well", describe(*this, checked.producer),
                     found.is_constant() ? "constant" : "graph input"));
  }
  if (checked.reads > 0 && checked.producer == kNoNode && !found.is_constant() && !checked.is_input) {
    fail("is read, but no node computes it and it is neither a graph input nor a constant");
  }
  if (!found.constant) return;
  if (found.dtype != found.constant->dtype()) {
    fail(fmt::format("is declared {}, but its constant is {}", name_of(found.dtype), name_of(found.constant->dtype())));
  }
  if (found.dims && found.static_shape() != found.constant->shape())
    fail("is declared with another shape than its constant has");
}

void Graph::check_uses() const {
  std::vector<std::map<NodeId, std::size_t>> consumers_found(values_.size());
  std::vector<std::size_t> reads(values_.size());
  std::vector<std::size_t> captures(values_.size());
  std::vector<NodeId> producers(values_.size(), kNoNode);
  for (const NodeId id : nodes()) {
    for_each_read(node(id), [&](ValueId read_id) {
      ++consumers_found[static_cast<std::size_t>(read_id)][id];
      ++reads[static_cast<std::size_t>(read_id)];
    });
    for (const ValueId captured : node(id).captured) ++captures[static_cast<std::size_t>(captured)];
    for (const ValueId output : node(id).outputs) {
      if (output != kNoValue) producers[static_cast<std::size_t>(output)] = id;
    }
  }
  for (const ValueId id : outputs_) ++reads[static_cast<std::size_t>(id)];
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const Slot& checked = values_[i];
    if (checked.consumers != consumers_found[i] || checked.reads != reads[i] || checked.captures != captures[i] ||
        checked.producer != producers[i]) {
      throw Error(ErrorCode::bad_model,
                  fmt::format("the uses recorded for value '{}' are not those of the nodes", checked.value.name));
    }
  }
}

void Graph::check() const {
  std::set<std::string_view> node_names;
  for (const NodeId id : nodes()) {
    const Node& checked = node(id);
    for_each_read(checked, [this](ValueId read_id) { static_cast<void>(slot(read_id)); });
    if (checked.op_type.empty())
      throw Error(ErrorCode::bad_model, fmt::format("node '{}' has no operator", checked.name));
    if (!checked.name.empty() && !node_names.insert(checked.name).second) {
      throw Error(ErrorCode::bad_model, fmt::format("two nodes are named '{}'", checked.name));
    }
  }
  check_uses();
  for (const ValueId id : values()) check_value(id);
  static_cast<void>(topological_order());
}

}  // namespace octavo
