#pragma once

#include <string>
#include <string_view>

namespace octavo::cli {

/// Writes text whole or not at all: to a temporary name, then renamed. Throws Error(io) naming the file.
void write_file(const std::string& path, std::string_view text);

}  // namespace octavo::cli
