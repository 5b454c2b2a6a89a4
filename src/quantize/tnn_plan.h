#pragma once

#include <string>
#include <vector>

#include "octavo/graph.h"
#include "octavo/plan.h"
#include "octavo/quantize.h"

namespace octavo::tnn_tool {

/// Why methods with zero points are refused.
inline constexpr const char* kTnnZeroPoints =
    "which the format can hold but no kernel of TNN for Arm or x86 reads: its own tool's models lose a tenth of their "
    "signal";

/// The observer that a --blob_method stands for. Throws Error(invalid_argument) for what is none, or gives zero points.
std::string tnn_observer(int blob_method);

/// Adds to the plan what TNN's tool quantizes and Octavo, for accuracy, leaves in float: Add and Concat whose result
/// only float operators read, and max pooling behind them. Max pooling is measured for itself. Returns the max pooling
/// that runs in integers, in order.
std::vector<NodeId> plan_as_tnn(const Graph& graph, Plan& plan, const TnnJob& job);

}  // namespace octavo::tnn_tool
