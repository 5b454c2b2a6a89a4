#pragma once

#include <span>
#include <vector>

#include "octavo/core/tensor.h"
#include "octavo/graph.h"

namespace octavo::calibration {

/// Sums, over all places where a weight is applied, of the input that each of its elements meets there.
struct TapSums {
  std::vector<double> sums;  ///< Conv: [input channel, kernel position]; Gemm: [input column]
  double count = 0.0;        ///< places: samples · output positions
};

/// For one tensor `x` that the Conv or Gemm `node` reads, with a weight of shape `weight`. Zero padding counts
/// as the zeros it is. Convolutions of other than one or two dimensions are taken as if they had no borders.
TapSums tap_sums(const Node& node, std::span<const std::int64_t> weight, const TensorView& x);

}  // namespace octavo::calibration
