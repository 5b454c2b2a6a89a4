#pragma once

#include <array>
#include <span>
#include <string_view>

#include "octavo/core/quantize.h"
#include "octavo/core/weights/admm.h"
#include "octavo/core/weights/mse.h"

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

namespace detail {

inline constexpr std::array kWeightMethods = {
    WeightMethodEntry{"minmax", "the weight observer's parameters, rounded to the nearest integer",
                      [](const TensorView& weight, const QScheme&, const QParams& observed, const Kernels& kernels) {
                        return QuantizedTensor{observed, quantize(weight, observed, kernels)};
                      }},
    WeightMethodEntry{"mse", "the scale of least squared error", &quantize_mse},
    WeightMethodEntry{"admm", "scale and integers fitted to each other in turn until nothing changes", &quantize_admm,
                      true},
    WeightMethodEntry{"tnn_admm", "TNN's ADMM exactly: 1000 such turns in float", &quantize_tnn_admm, true},
};

}  // namespace detail

/// Every weight method there is.
inline std::span<const WeightMethodEntry> weight_methods() { return detail::kWeightMethods; }

}  // namespace octavo
