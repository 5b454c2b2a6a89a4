#pragma once

#include <array>
#include <span>

#include "octavo/core/weights/admm.h"
#include "octavo/core/weights/entry.h"
#include "octavo/core/weights/mse.h"

namespace octavo {

namespace detail {

inline constexpr std::array kWeightMethods = {
    kMinMaxWeightMethod,
    WeightMethodEntry{"mse", "the scale of least squared error", &quantize_mse},
    WeightMethodEntry{"admm", "scale and integers fitted to each other in turn until nothing changes", &quantize_admm,
                      true},
    WeightMethodEntry{"tnn_admm", "TNN's ADMM exactly: 1000 such turns in float", &quantize_tnn_admm, true},
};

}  // namespace detail

/// Every weight method there is.
inline std::span<const WeightMethodEntry> weight_methods() { return detail::kWeightMethods; }

}  // namespace octavo
