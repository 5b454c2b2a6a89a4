#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace octavo::cli {

/// Columns of help texts, and where the explanations of flags begin in them.
inline constexpr std::size_t kHelpColumns = 100;
inline constexpr std::size_t kFlagColumns = 34;

/// The text in lines of at most `columns`, broken at blanks; a longer word stays whole. Its own lines stay lines, and
/// what continues one is indented as it is.
std::string wrapped(std::string_view text, std::size_t columns);

}  // namespace octavo::cli
