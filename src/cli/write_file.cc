#include "write_file.h"

#include <fmt/format.h>

#include <filesystem>
#include <span>

#include "octavo/error.h"
#include "octavo/formats.h"

namespace octavo::cli {

void write_file(const std::string& path, std::string_view text) { write_whole(path, std::as_bytes(std::span(text))); }

void require_writable(const std::string& output, const std::string& model, std::string_view flag) {
  std::error_code ignored;
  const std::filesystem::path path(output);
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw Error(ErrorCode::io, fmt::format("{}: folder '{}' does not exist; create it first", flag, folder.string()));
  }
  if (std::filesystem::is_directory(path, ignored)) {
    throw Error(ErrorCode::io, fmt::format("{}: '{}' is a folder; name a file", flag, output));
  }
  if (std::filesystem::equivalent(path, model, ignored)) {
    throw Error(ErrorCode::invalid_argument, fmt::format("{}: would overwrite '{}'; name another file", flag, model));
  }
}

std::string exporter_list() {
  std::string text;
  for (const Exporter* exporter : exporters()) {
    text += fmt::format("{}  {}: {} (*{})", text.empty() ? "" : "\n", exporter->name, exporter->description,
                        exporter->ending);
  }
  return text;
}

}  // namespace octavo::cli
