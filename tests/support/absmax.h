#pragma once

#include "octavo/core/observers/channel_ranges.h"
#include "octavo/core/quantize.h"

namespace octavo::test {

/// An f32 weight rounded with the scales that its largest values ask for.
inline QuantizedTensor quantize_by_absmax(const TensorView& weight, const QScheme& scheme) {
  QuantizedTensor result;
  result.params = qparams_from_ranges(channel_ranges(weight, scheme.axis, plain_kernels()), scheme);
  result.integers = quantize(weight, result.params, plain_kernels());
  return result;
}

}  // namespace octavo::test
