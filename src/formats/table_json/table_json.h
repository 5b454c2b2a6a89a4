#pragma once

#include <string>

#include "octavo/graph.h"

namespace octavo::formats {

/// Everything that a graph with pairs says of quantization, as one JSON object for tools of whatever runtime
/// (docs/runtimes.md).
std::string quantization_table(const Graph& graph);

}  // namespace octavo::formats
