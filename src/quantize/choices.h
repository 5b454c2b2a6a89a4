#pragma once

#include <string>
#include <string_view>

#include "octavo/qconfig.h"

/// Names of the tables that a recipe chooses from: what is built in, then what the user adds. Each function takes
/// MMRazor's prefix off ("mmrazor.MinMaxObserver") and throws Error(invalid_argument) with the nearest known name.
namespace octavo::recipe {

std::string observer_choice(std::string_view name, const Extensions& extensions);
std::string fake_quantizer_choice(std::string_view name, const Extensions& extensions);
std::string weight_method_choice(std::string_view name, const Extensions& extensions);

/// A node by name or glob ("conv1", "fire9/*"), or all of an operator type ("op_type=Softmax"), to stay in float.
QOverride skip_choice(std::string_view text);

/// "'x' found, expected y", as Error(invalid_argument).
[[noreturn]] void refuse(std::string_view found, std::string_view expected);

}  // namespace octavo::recipe
