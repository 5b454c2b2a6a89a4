#pragma once

#include <vector>

#include "octavo/graph.h"
#include "octavo/qconfig.h"

namespace octavo::planning {

/// The nodes on a way from one end of `span` to the other, both included, in topological order. An end that is a
/// value's name stands between the nodes that read it and the one that computes it. Throws Error(invalid_argument)
/// for a name that the graph has not, naming the nearest it has, and where no way leads from one to the other.
std::vector<NodeId> nodes_between(const Graph& graph, const QSpan& span);

}  // namespace octavo::planning
