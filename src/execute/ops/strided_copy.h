#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "op.h"

namespace octavo::execute {

/// A walk through somebody's elements: `strides`, in elements, for each dimension of `shape`; 0 repeats,
/// negative ones go backwards from `offset`.
struct StridedSource {
  Shape shape;
  std::vector<std::int64_t> strides;
  std::int64_t offset = 0;
};

/// Strides of contiguous elements, for each dimension of `shape`.
std::vector<std::int64_t> contiguous_strides(std::span<const std::int64_t> shape);

/// Fills output 0, of shape `output` (as many elements as source.shape), with the elements of input 0 that
/// `source` walks. Every element it names must exist.
void copy_strided(RunContext& context, StridedSource source, Shape output);

}  // namespace octavo::execute
