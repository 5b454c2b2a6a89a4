#pragma once

#include <optional>
#include <string>

#include "octavo/backends.h"
#include "octavo/graph.h"

namespace octavo::planning {

/// Dimension of the weight that indexes output channels: Conv 0, Gemm by transB, MatMul last.
/// Nothing for a weight of so many dimensions that one scale a channel cannot be told.
std::optional<int> weight_channel_axis(const Graph& graph, const Node& node);

/// Why a node cannot run in integers although its operator has a rule; empty where it can.
std::string reason_against(const Graph& graph, const Node& node, const OpRule& rule);

}  // namespace octavo::planning
