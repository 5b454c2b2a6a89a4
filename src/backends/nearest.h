#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace octavo::planning {

/// "'Conv_1', 'Conv_2' or 'Conv_3'": those of `known` that differ from `name` by the fewest letters, the nearest
/// first. Empty where nothing is known.
std::string nearest_names(std::string_view name, const std::vector<std::string_view>& known);

}  // namespace octavo::planning
