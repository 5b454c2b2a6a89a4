#pragma once

#include <cstddef>
#include <vector>

#include "octavo/core/tensor.h"
#include "octavo/verify.h"

namespace octavo::verify {

/// Sums over a float tensor f and its quantized counterpart q, kept for each channel (dimension 1; all in one
/// where there is none), in double and in a fixed order.
class ChannelSums {
 public:
  /// Adds one pair of tensors of equal shape.
  void add(const TensorView& reference, const TensorView& quantized);
  void add(const ChannelSums& other);

  /// What lies between the two.
  Distance distance() const;
  /// The same, but channels that quantization has rescaled by a power of two (equalize_channels does; the next
  /// operator takes it back) are compared at the float's scale. Not for outputs, whose scale must be right.
  Distance distance_of_rescaled() const;

 private:
  struct Sums {
    double ff = 0.0;   // Σf²
    double fq = 0.0;   // Σf·q
    double qq = 0.0;   // Σq²
    double ee = 0.0;   // Σ(f - q)²: differencing the sums above would cancel
    double max = 0.0;  // max |f - q|
  };
  /// Sums with the exponent of the power of two to multiply q by.
  template <typename Exponent>
  Distance distance(const Exponent& exponent_of) const;

  std::vector<Sums> channels_;
};

}  // namespace octavo::verify
