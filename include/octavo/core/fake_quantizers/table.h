#pragma once

#include <array>
#include <span>

#include "octavo/core/fake_quantizers/entry.h"
#include "octavo/core/fake_quantizers/fixed_qparams.h"
#include "octavo/core/fake_quantizers/fused_moving_avg.h"
#include "octavo/core/fake_quantizers/learnable.h"

namespace octavo {

namespace detail {

inline constexpr std::array kFakeQuantizers = {
    kPlainFakeQuantize,
    FakeQuantizeEntry{"FixedQParamsFakeQuantize", &qparams_of_observer, &made_fake_quantizer<FixedQParamsFakeQuantize>},
    FakeQuantizeEntry{"FusedMovingAvgObsFakeQuantize", &FusedMovingAvgObsFakeQuantize::qparams_of,
                      &made_fake_quantizer<FusedMovingAvgObsFakeQuantize>},
    FakeQuantizeEntry{"LearnableFakeQuantize", &LearnableFakeQuantize::start,
                      &made_fake_quantizer<LearnableFakeQuantize>},
};

}  // namespace detail

/// Every fake-quantizer there is.
inline std::span<const FakeQuantizeEntry> fake_quantizers() { return detail::kFakeQuantizers; }

}  // namespace octavo
