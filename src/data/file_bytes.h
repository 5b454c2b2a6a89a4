#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace octavo::data {

/// Throws Error(bad_data, "`where`: `what`").
[[noreturn]] void bad_data(std::string_view where, std::string_view what);

/// A whole regular file. Throws Error(io) where it cannot be read, Error(resource_limit) above 1 GiB.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path);

/// The first `count` bytes of a regular file, or fewer where it is shorter.
std::vector<std::uint8_t> read_start(const std::filesystem::path& path, std::size_t count);

/// Size of a regular file in bytes. Throws Error(io) where there is none: a pipe or device never ends.
std::uint64_t regular_file_size(const std::filesystem::path& path);

/// The ending in lower case, with its dot: ".jpeg".
std::string lower_extension(const std::filesystem::path& path);

}  // namespace octavo::data
