#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

/// Values of options as people type them. Nothing where the text is no such value, all of it.
namespace octavo::recipe {

/// "0.0078125", ".485", "1.0/128".
std::optional<double> parse_number(std::string_view text);
/// Numbers between commas.
std::optional<std::vector<double>> parse_numbers(std::string_view text);
/// "227x227", "227,227" or "227": width and height, each from 1 to 65535.
std::optional<std::pair<int, int>> parse_size(std::string_view text);
std::optional<int> parse_integer(std::string_view text, int least, int most);
/// true and false, as YAML and Python write them.
std::optional<bool> parse_boolean(std::string_view text);

}  // namespace octavo::recipe
