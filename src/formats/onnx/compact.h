#pragma once

#include "octavo/graph.h"

namespace octavo::formats::onnx_file {

/// What becomes of the zero points of int8 weights that are 0.
enum class WeightZeros {
  left_out,  ///< where a convolution will surely be one operator on integers: ONNX Runtime, which fails on shared ones
  shared,    ///< one for all weights of as many channels: OpenVINO, which computes otherwise where there are none
};

/// The graph as it is written where it holds integers, without what a reader knows anyway: equal scales and zero points
/// are one constant, zero points of weights as `zeros` says, scales of biases products, attributes those that differ
/// from their defaults, and types of inner values only those that shape inference does not find. A graph without
/// integers is left as it is.
Graph compacted(Graph graph, WeightZeros zeros);

}  // namespace octavo::formats::onnx_file
