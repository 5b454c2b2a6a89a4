#include "file_bytes.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <system_error>

#include "octavo/error.h"

namespace octavo::data {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;

std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path, std::size_t count) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::io, fmt::format("{}: cannot be opened", path.string()));
  std::vector<std::uint8_t> bytes(count);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(count));
  if (static_cast<std::size_t>(file.gcount()) != count) {
    throw Error(ErrorCode::io,
                fmt::format("{}: reading stopped after {} of {} bytes", path.string(), file.gcount(), count));
  }
  return bytes;
}

}  // namespace

void bad_data(std::string_view where, std::string_view what) {
  throw Error(ErrorCode::bad_data, fmt::format("{}: {}", where, what));
}

std::uint64_t regular_file_size(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    throw Error(ErrorCode::io, fmt::format("{}: no such file", path.string()));
  }
  if (!std::filesystem::is_regular_file(status)) {
    throw Error(ErrorCode::io, fmt::format("{}: not a regular file", path.string()));
  }
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (error) throw Error(ErrorCode::io, fmt::format("{}: {}", path.string(), error.message()));
  return size;
}

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  const std::uint64_t size = regular_file_size(path);
  if (size > kMaxFileBytes) {
    throw Error(ErrorCode::resource_limit, fmt::format("{}: {} bytes, more than the {} a picture or text file may have",
                                                       path.string(), size, kMaxFileBytes));
  }
  return read_bytes(path, static_cast<std::size_t>(size));
}

std::vector<std::uint8_t> read_start(const std::filesystem::path& path, std::size_t count) {
  return read_bytes(path, static_cast<std::size_t>(std::min<std::uint64_t>(regular_file_size(path), count)));
}

std::string lower_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return extension;
}

}  // namespace octavo::data
