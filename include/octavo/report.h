#pragma once

#include <string>
#include <string_view>

#include "octavo/verify.h"

namespace octavo {

/// A comparison as JSON text (docs/report.md lists the keys); numbers that are not finite become null.
std::string to_json(const Comparison& comparison, std::string_view reference, std::string_view quantized);

}  // namespace octavo
