#pragma once

#include <optional>
#include <vector>

#include "compute/activation.h"
#include "octavo/graph.h"

/// What fusing and lowering ask of a graph.
namespace octavo::execute {

/// Whether the node is one of ONNX's own operators.
bool is_standard(const Node& node);

/// The only reader of the value as its first input, with one output and of a standard operator; kNoNode where the
/// value is a graph output, or somebody else reads it too. Being watched is no read.
NodeId only_reader(const Graph& graph, ValueId id);

/// The same for the node's only output, where nobody watches that value either. `watched` is by ValueId.
NodeId unseen_reader(const Graph& graph, const std::vector<bool>& watched, const Node& node);

/// Relu, LeakyRelu, or Clip with constant bounds that are in order; nothing for any other node.
std::optional<Activation> activation_node(const Graph& graph, const Node& node);

/// Stores `activation` where compute's activation_of finds it.
void set_activation(Node& node, const Activation& activation);

}  // namespace octavo::execute
