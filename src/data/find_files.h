#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace octavo::data {

enum class FileKind { other, picture, npy, text };
FileKind kind_of(const std::filesystem::path& path);

/// The data files of the given folders and files, each folder's in byte order of their names. What is passed
/// over goes to `notes`. Throws Error(io) for a path that does not exist, Error(bad_data) for a file of another
/// kind or a folder without data files.
std::vector<std::filesystem::path> find_files(const std::vector<std::filesystem::path>& paths,
                                              std::vector<std::string>& notes);

}  // namespace octavo::data
