#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/graph.h"

namespace octavo::passes {

/// One change of an operator's form or meaning: applies to models below `version`.
struct OpsetUpgrade {
  std::string_view op_type;
  std::int64_t version;
  void (*apply)(Graph& graph, NodeId id);
};

/// In an order in which they may be applied one after the other to one node.
std::span<const OpsetUpgrade> upgrades_to_13();
std::span<const OpsetUpgrade> upgrades_to_21();

/// A constant list of integers, named after `base`.
ValueId add_integers(Graph& graph, const std::string& base, const std::vector<std::int64_t>& values);
/// What new inputs of a node are called after.
std::string base_name(const Graph& graph, NodeId id, std::string_view input);
void erase_attribute(Graph& graph, NodeId id, std::string_view attribute);
/// Moves a list of integers, where there is one, from an attribute to input `index`.
void list_to_input(Graph& graph, NodeId id, std::string_view attribute, std::size_t index);

}  // namespace octavo::passes
