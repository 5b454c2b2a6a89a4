#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "octavo/graph.h"

/// By how many steps each channel of a value was multiplied, in the metadata of a graph and of its file.
namespace octavo::passes {

/// Channels are multiplied by 0 to so many steps.
constexpr int kMostEqualizingSteps = 8;

/// Notes what `steps` says of each value, nothing for one that is as it was. What a Relu, a pool or a concatenation
/// makes of noted values is not said again.
void note_steps(Graph& graph, const std::function<std::vector<int>(ValueId)>& steps);

/// Value name → steps of its channels; values that share them share one vector.
using StepsByValue = std::map<std::string, std::shared_ptr<const std::vector<int>>, std::less<>>;

/// Of all values that are not as they were. Pairs may have been inserted since. Takes time and memory in proportion to
/// the graph and its notes, whatever a file says.
StepsByValue noted_steps(const Graph& graph);

}  // namespace octavo::passes
