#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "recipe_file.h"

namespace octavo::recipe {

/// A size in Recipe::Input::shape that stays as the model has it.
constexpr std::int64_t kKeptOpen = -1;

/// The input's own settings, completed with those meant for every input.
Recipe::Input settings_for(const Recipe& recipe, const std::string& name);

/// Gives an input the sizes that it leaves open; empty: none. Throws Error(invalid_argument) for a shape that does not
/// fit.
void fix_shape(Value& input, const std::vector<std::int64_t>& shape);

}  // namespace octavo::recipe
