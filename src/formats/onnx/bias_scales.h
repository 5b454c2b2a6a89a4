#pragma once

#include "octavo/graph.h"

/// An int32 bias has a scale for each channel that is the product of those of input and weight. As numbers these would
/// take as many bytes as the biases; runtimes fold the product of two constants before they look for integers.
namespace octavo::formats::onnx_file {

/// Puts Mul nodes where they take less room than the scales that they compute, to the last bit. `graph` is sorted
/// afterwards.
void write_scale_products(Graph& graph);

/// Makes constants again of products of two constants that are scales of DequantizeLinear.
void read_scale_products(Graph& graph);

}  // namespace octavo::formats::onnx_file
