#pragma once

#include <string>
#include <string_view>

namespace octavo::formats {

/// The text between quotes, escaped; bytes that are no UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

/// The shortest decimal number that gives the same float again. An infinity, which JSON has not, becomes the largest
/// finite float.
std::string json_number(float number);

}  // namespace octavo::formats
