#pragma once

#include <cstdint>
#include <string>

#include "octavo/core/tensor.h"
#include "text_lexer.h"

namespace octavo::graph_text {

/// Constants of one text may have this many elements together: `fill` makes much of little text.
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 28;

/// Reads `{…}`, `fill(…)`, `range(…)` or `random(…)`. Takes the tensor's size off `budget`; throws
/// Error(resource_limit) where that is not enough.
Tensor read_tensor(Lexer& lexer, DType dtype, const Shape& shape, std::int64_t& budget);

/// Appends `{…}`.
void write_elements(std::string& text, const Tensor& tensor);
/// The shortest text that reads back as the same number; NaNs lose their payload.
std::string number_text(float value);
std::string number_text(double value);

std::int64_t read_integer(const Token& token);
float read_float(const Token& token);

}  // namespace octavo::graph_text
