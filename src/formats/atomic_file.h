#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace octavo::formats {

/// A file that appears under its name whole or not at all: written under another name in the same folder,
/// synced, then renamed. Without `commit` nothing is left behind. Errors: Error(io) naming the file.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  /// Fills with zeros up to `offset`, which is not before the end.
  void pad_to(std::uint64_t offset);
  /// Everything to the disk; after this `commit` can hardly fail.
  void sync();
  void commit();

 private:
  [[noreturn]] void fail(const char* what) const;
  void close();

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  std::uint64_t written_ = 0;
};

}  // namespace octavo::formats
