#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "octavo/graph.h"

/// By how many steps each channel of a value was multiplied, in the metadata of a graph and of its file.
namespace octavo::passes {

/// Channels are multiplied by 0 to so many steps.
constexpr int kMostEqualizingSteps = 8;

/// Notes what `steps` says of each value, nothing for one that is as it was. What a Relu, a pool or a concatenation
/// makes of noted values is not said again.
void note_steps(Graph& graph, const std::function<std::vector<int>(ValueId)>& steps);

/// Of the channels of the value of this name; nothing where it is as it was. Pairs may have been inserted since.
std::vector<int> noted_steps(const Graph& graph, std::string_view value);

}  // namespace octavo::passes
