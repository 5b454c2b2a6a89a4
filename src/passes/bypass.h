#pragma once

#include "octavo/graph.h"

namespace octavo::passes {

/// Removes a node whose first output is the same as its first input. False, and nothing changed, where names
/// stand against it: the output belongs to the graph and so does the input, or a subgraph reads it by name.
bool bypass(Graph& graph, NodeId id);

/// Whether the node's first output is read by one node alone and by nobody outside the graph.
bool has_single_reader(const Graph& graph, NodeId id);

}  // namespace octavo::passes
