#pragma once

#include "octavo/graph.h"

namespace octavo::passes {

/// The constant behind a value where it is one of f32; null for all else, kNoValue included.
inline const Tensor* f32_constant(const Graph& graph, ValueId id) {
  const Tensor* tensor = graph.constant(id);
  return tensor != nullptr && tensor->dtype() == DType::f32 ? tensor : nullptr;
}

}  // namespace octavo::passes
