#pragma once

#include "octavo/graph.h"

namespace octavo::formats::onnx_file {

/// The graph as it is written where it holds integers, without what a reader knows anyway: equal scales and zero points
/// are one constant, weights' zero points of 0 are left out, scales of biases products, attributes those that differ
/// from their defaults, and types of inner values only those that shape inference does not find. Biases that ONNX
/// Runtime would put into products of floats are written so that it does not. A graph without integers is left as it
/// is.
Graph compacted(Graph graph);

}  // namespace octavo::formats::onnx_file
