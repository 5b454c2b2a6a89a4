#pragma once

#include <cstdint>
#include <span>

#include "op.h"

namespace octavo::execute {

/// Input `i` (u8 or i8) less its zero point, which is input `zero` where that is given. The zero point is one
/// number, or one for each index of `axis`. `To` is std::int16_t or float, which both hold it exactly.
template <typename To>
std::span<To> centered(RunContext& context, std::size_t i, std::size_t zero, std::size_t axis);

/// Copies a[rows x columns] to b[columns x rows].
void transpose(const std::int16_t* a, std::int64_t rows, std::int64_t columns, std::int16_t* b);

/// acc * multiplier, rounded half to even and saturated to the type of input `zero`, which holds its zero point.
/// Element i takes multipliers[i % multipliers.size()].
void requantize(RunContext& context, std::span<const std::int32_t> acc, std::span<const float> multipliers,
                std::size_t zero, Shape shape);

}  // namespace octavo::execute
