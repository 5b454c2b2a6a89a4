#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "octavo/core/qparams.h"
#include "octavo/graph.h"

/// What writers of integer models ask a graph with QuantizeLinear and DequantizeLinear.
namespace octavo::formats {

/// Whether the node is this operator of ai.onnx.
bool is_standard(const Node& node, std::string_view op_type);

/// What a QuantizeLinear or DequantizeLinear says, with the limits of its integer type. One scale counts as per
/// tensor, whatever its shape. Nothing where a parameter is no constant, a scale is not f32, finite and above 0, or
/// scales do not fit the axis.
std::optional<QParams> linear_params(const Graph& graph, const Node& node);

/// Integers behind a value that a DequantizeLinear computes.
struct Dequantized {
  NodeId node = kNoNode;
  ValueId integers = kNoValue;
  QParams params;
};
/// Nothing where the value is computed by anything else, or its parameters cannot be read.
std::optional<Dequantized> dequantized(const Graph& graph, ValueId value);

/// Floats of a constant that DequantizeLinear reads.
Tensor dequantized_constant(const Tensor& integers, const QParams& params);

/// The QuantizeLinear nodes that read the value.
std::vector<NodeId> quantizers_of(const Graph& graph, ValueId value);

/// The name under which callers know the float tensor that a QuantizeLinear reads: where it is a graph output, it was
/// the pair's result that kept the name.
std::string_view float_name(const Graph& graph, NodeId quantizer);

/// Makes integer constants of float ones behind QuantizeLinear, as TensorRT's and MMRazor's models have them. Returns
/// how many.
int store_integers(Graph& graph);

/// The float graph of the same names that a graph with pairs stands for: pairs are taken out, integer constants become
/// floats. What cannot be read (no constant parameters) stays.
Graph without_pairs(const Graph& graph);

}  // namespace octavo::formats
