#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "octavo/core/tensor.h"

namespace octavo::verify {

/// Whether a tensor is one row of at least two class scores a sample: [1, C], or [1, C, 1, 1] and the like.
bool is_scores(const TensorView& tensor);

/// Index of the largest score; the first of equals. NaN is below every number.
std::int64_t best_class(std::span<const float> scores);

/// How many scores are above that of `label`, or equal to it and before it: 0 means top-1. The largest
/// number there is where there is no such class or its score is NaN.
std::size_t rank_of(std::span<const float> scores, std::int64_t label);

}  // namespace octavo::verify
