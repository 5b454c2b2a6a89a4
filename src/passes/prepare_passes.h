#pragma once

#include "octavo/graph.h"

/// One function a preparing pass, each in the file of its name; how many places it changed.
namespace octavo::passes {

int eliminate_identity(Graph& graph);
int fold_constants(Graph& graph);
int fold_affine(Graph& graph);
int fold_reshapes(Graph& graph);
int fold_shapes(Graph& graph);
int fuse_matmul_add(Graph& graph);
int normalize_gemm(Graph& graph);

}  // namespace octavo::passes
