#pragma once

#include "octavo/core/observers/channel_ranges.h"
#include "octavo/core/quantize.h"

namespace octavo {

/// Rounds an f32 weight with the scales that its largest values ask for, one for each index of `scheme.axis` or
/// one in all: the whole range is kept.
inline QuantizedTensor quantize_weight(const TensorView& weight, const QScheme& scheme,
                                       const Kernels& kernels = plain_kernels()) {
  QuantizedTensor result;
  result.params = qparams_from_ranges(channel_ranges(weight, scheme.axis, kernels), scheme);
  result.integers = quantize(weight, result.params, kernels);
  return result;
}

}  // namespace octavo
