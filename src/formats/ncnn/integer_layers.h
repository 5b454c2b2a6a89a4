#pragma once

#include <map>
#include <vector>

#include "octavo/core/tensor.h"
#include "octavo/formats.h"
#include "octavo/graph.h"

namespace octavo::formats::ncnn {

/// What a convolution or linear operator between pairs computes with. "Scale" as in ncnn's files: integers a unit,
/// the reciprocal of a step.
struct IntegerLayer {
  float input_scale = 1.0F;
  Tensor weight;                     ///< i8, shaped as the node's
  std::vector<float> weight_scales;  ///< one, or one an output channel
};

/// Conv, Gemm and MatMul nodes of a Q/DQ graph whose input and weight are integers. Those that ncnn's kernels cannot
/// compute go to `unsupported`.
std::map<NodeId, IntegerLayer> integer_layers(const Graph& graph, std::vector<UnsupportedNode>& unsupported);

}  // namespace octavo::formats::ncnn
