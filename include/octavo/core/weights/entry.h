#pragma once

#include <string_view>

#include "octavo/core/quantize.h"

namespace octavo {

/// One way to turn an f32 weight into integers, by name.
struct WeightMethodEntry {
  std::string_view name;
  std::string_view description;
  /// `observed` are the parameters that the weight's observer asks for under `scheme`; a method may take others, of
  /// the same axis, limits and storage. Scales are finite and above zero.
  QuantizedTensor (*quantize)(const TensorView& weight, const QScheme& scheme, const QParams& observed,
                              const Kernels& kernels);
  /// Whether it needs a symmetric scheme.
  bool symmetric_only = false;
};

/// What a plan takes where nobody chose.
inline constexpr WeightMethodEntry kMinMaxWeightMethod{
    "minmax", "the weight observer's parameters, rounded to the nearest integer",
    [](const TensorView& weight, const QScheme&, const QParams& observed, const Kernels& kernels) {
      return QuantizedTensor{observed, quantize(weight, observed, kernels)};
    }};

}  // namespace octavo
