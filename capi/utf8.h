#pragma once

#include <string>
#include <string_view>

namespace octavo::capi {

/// `text` with every byte that is no part of well-formed UTF-8 replaced by U+FFFD. Messages quote names out of
/// hostile files, and hosts decode them as UTF-8.
std::string to_utf8(std::string_view text);

}  // namespace octavo::capi
