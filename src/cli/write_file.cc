#include "write_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "octavo/error.h"

namespace octavo::cli {

void write_file(const std::string& path, std::string_view text) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, getpid());
  std::FILE* file = std::fopen(temporary.c_str(), "wb");
  bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file != nullptr) written = std::fclose(file) == 0 && written;
  written = written && std::rename(temporary.c_str(), path.c_str()) == 0;
  if (written) return;
  const int error = errno;
  std::error_code ignored;
  std::filesystem::remove(temporary, ignored);
  throw Error(ErrorCode::io, fmt::format("{}: cannot be written: {}", path, std::strerror(error)));
}

void require_writable(const std::string& output, const std::string& model) {
  std::error_code ignored;
  const std::filesystem::path path(output);
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw Error(ErrorCode::io, fmt::format("--output: folder '{}' does not exist; create it first", folder.string()));
  }
  if (std::filesystem::is_directory(path, ignored)) {
    throw Error(ErrorCode::io, fmt::format("--output: '{}' is a folder; name a file", output));
  }
  if (std::filesystem::equivalent(path, model, ignored)) {
    throw Error(ErrorCode::invalid_argument, "--output: would overwrite the float model; name another file");
  }
}

}  // namespace octavo::cli
