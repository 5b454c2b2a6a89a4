#pragma once

#include <string>
#include <string_view>

namespace octavo::cli {

/// Writes text whole or not at all: to a temporary name, then renamed. Throws Error(io) naming the file.
void write_file(const std::string& path, std::string_view text);

/// Says before the work what would only show after it: throws where `output`, which `flag`
/// names, cannot be a new file, or is `model`.
void require_writable(const std::string& output, const std::string& model, std::string_view flag = "--output");

/// What --to takes, a line each, for help.
std::string exporter_list();

}  // namespace octavo::cli
