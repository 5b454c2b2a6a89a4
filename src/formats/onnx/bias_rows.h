#pragma once

#include "octavo/graph.h"

namespace octavo::formats::onnx_file {

/// Gives the bias that is added behind a MatMul of integers, over stacks of matrices, a second dimension: [1,N] for
/// [N], which adds the same. ONNX Runtime 1.31 makes a Gemm of a MatMul and an Add of one dimension before it looks for
/// pairs, and computes that in float: a Gemm on integers wants its bias in integers.
void write_biases_as_rows(Graph& graph);

}  // namespace octavo::formats::onnx_file
