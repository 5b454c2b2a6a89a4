#pragma once

#include <optional>
#include <string>

#include "octavo/backends.h"
#include "octavo/graph.h"

namespace octavo::planning {

/// Dimension of the weight that indexes output channels: Conv 0, ConvTranspose 1, Gemm by transB, MatMul last.
/// Nothing where that dimension tells no channels apart: a MatMul's weight of more than two dimensions, and that of a
/// ConvTranspose of several groups, whose index means another channel in each.
std::optional<int> weight_channel_axis(const Graph& graph, const Node& node);

/// Dimension of the weight along which groups of inputs can share a scale: that of a matrix's inputs, or a 1x1
/// convolution's input channels. Nothing for any other.
std::optional<int> weight_input_axis(const Graph& graph, const Node& node);

/// Why a node cannot run in integers although its operator has a rule; empty where it can.
std::string reason_against(const Graph& graph, const Node& node, const OpRule& rule);

}  // namespace octavo::planning
