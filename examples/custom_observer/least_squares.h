#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "octavo/core/weights/table.h"

namespace example {

/// Rounds with the observer's scale, then takes the scale of each channel that fits these integers best:
/// Σ w·q / Σ q². For symmetric 8-bit schemes.
inline octavo::QuantizedTensor least_squares(const octavo::TensorView& weight, const octavo::QScheme& scheme,
                                             const octavo::QParams& observed, const octavo::Kernels& kernels) {
  octavo::QuantizedTensor result{observed, octavo::quantize(weight, observed, kernels)};
  const auto values = weight.data<float>();
  const auto integers = result.integers.data<std::int8_t>();
  const auto layout = octavo::channel_layout(weight.shape(), scheme.axis);
  std::vector<double> products(layout.channels);
  std::vector<double> squares(layout.channels);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t channel = i / layout.inner % layout.channels;
    products[channel] += double{values[i]} * integers[i];
    squares[channel] += double{static_cast<float>(integers[i])} * integers[i];
  }
  for (std::size_t c = 0; c < layout.channels; ++c) {
    if (squares[c] > 0.0) result.params.scale[c] = static_cast<float>(products[c] / squares[c]);
  }
  return result;
}

inline octavo::WeightMethodEntry least_squares_method() {
  return {"least_squares", "nearest integers, then the scale that fits them best", &least_squares};
}

}  // namespace example
