#pragma once

#include <vector>

#include "octavo/core/tensor.h"
#include "octavo/verify.h"

namespace octavo::verify {

/// Sums over a float tensor f and its quantized counterpart q, in double and in a fixed order.
class DistanceSums {
 public:
  /// Adds one pair of f32 tensors of equal shape. Channel c (dimension 1) of q is first multiplied by
  /// `factors[c]`; no factors where there are none or the tensor has other channels.
  void add(const TensorView& reference, const TensorView& quantized, const std::vector<float>& factors = {});
  void add(const DistanceSums& other);

  Distance distance() const;

 private:
  void add_row(const float* f, const float* q, std::size_t count, double factor);

  double ff_ = 0.0;   // Σf²
  double fq_ = 0.0;   // Σf·q
  double qq_ = 0.0;   // Σq²
  double ee_ = 0.0;   // Σ(f - q)²: differencing the sums above would cancel
  double max_ = 0.0;  // max |f - q|
};

}  // namespace octavo::verify
