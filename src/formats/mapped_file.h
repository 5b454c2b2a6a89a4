#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace octavo::formats {

/// A file's bytes, mapped read-only. Reading them after somebody else has cut the file short ends the process,
/// as with every mapping; replacing the file by a rename does no harm.
class MappedFile {
 public:
  /// Throws Error(io) where the path is no regular file or cannot be opened; the message does not name it.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace octavo::formats
