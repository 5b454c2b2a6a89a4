#include "atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "octavo/error.h"
#include "octavo/formats.h"

namespace octavo::formats {
namespace {

// Linux writes at most 2 GiB in one call.
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  const auto status = std::filesystem::status(path_, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw Error(ErrorCode::io, fmt::format("{}: is a folder or device: it cannot be replaced", path_.string()));
  }
  for (int attempt = 0; descriptor_ < 0; ++attempt) {
    temporary_ = path_.parent_path() / fmt::format(".octavo-{}-{}.part", ::getpid(), attempt);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) {
      temporary_.clear();  // not ours to remove
      fail("cannot be created");
    }
  }
}

AtomicFile::~AtomicFile() {
  close();
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kMostAtOnce));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("cannot be written");
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    written_ += static_cast<std::uint64_t>(count);
  }
}

void AtomicFile::pad_to(std::uint64_t offset) {
  static constexpr std::array<std::byte, 4096> kZeros{};
  while (written_ < offset) {
    write(std::span(kZeros).first(std::min<std::uint64_t>(kZeros.size(), offset - written_)));
  }
}

void AtomicFile::sync() {
  if (::fsync(descriptor_) != 0) fail("cannot be written to the disk");
}

void AtomicFile::commit() {
  close();
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot be put in place");
  temporary_.clear();
  // The new name itself reaches the disk with its folder. Some file systems cannot do that, and the file is in
  // place anyway: no error.
  const std::filesystem::path parent = path_.parent_path();
  const int folder = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
}

void AtomicFile::fail(const char* what) const {
  throw Error(ErrorCode::io, fmt::format("{}: {}: {}", path_.string(), what, std::system_category().message(errno)));
}

void AtomicFile::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

}  // namespace octavo::formats

void octavo::write_whole(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  formats::AtomicFile file(path);
  file.write(bytes);
  file.sync();
  file.commit();
}

void octavo::write_whole(std::span<const FileContent> files) {
  std::vector<std::unique_ptr<formats::AtomicFile>> open;
  for (const FileContent& content : files) {
    open.push_back(std::make_unique<formats::AtomicFile>(content.path));
    open.back()->write(content.bytes);
    open.back()->sync();
  }
  for (const auto& file : open) file->commit();
}
