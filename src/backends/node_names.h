#pragma once

#include <cstddef>
#include <string_view>

#include "octavo/graph.h"

namespace octavo::planning {

/// The name by which a configuration knows a node: its own or, where it has none, that of the first value it computes.
std::string_view name_of_node(const Graph& graph, NodeId id);

/// How many like names a message shows for one that nobody has.
inline constexpr std::size_t kSuggested = 3;

/// Whether `name` is what `pattern` describes: * stands for any letters, ? for any one.
bool matches_glob(std::string_view pattern, std::string_view name);
bool is_glob(std::string_view pattern);

}  // namespace octavo::planning
