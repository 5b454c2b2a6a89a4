#include "find_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <system_error>

#include "file_bytes.h"
#include "octavo/error.h"

namespace octavo::data {
namespace {

struct Ending {
  std::string_view extension;
  FileKind kind;
};

constexpr Ending kEndings[] = {
    {".jpg", FileKind::picture}, {".jpeg", FileKind::picture}, {".png", FileKind::picture},
    {".bmp", FileKind::picture}, {".npy", FileKind::npy},      {".txt", FileKind::text},
};
constexpr std::string_view kKnown = ".jpg .jpeg .png .bmp .npy .txt";

void list_folder(const std::filesystem::path& folder, std::vector<std::filesystem::path>& files,
                 std::vector<std::string>& notes) {
  std::error_code error;
  std::vector<std::string> names;
  std::vector<std::string> others;
  std::size_t folders = 0;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;  // a link that leads nowhere is no folder: it shows as a file that cannot be read
    const bool hidden = name.starts_with('.');
    if (!hidden && entry->is_directory(ignored)) {
      ++folders;
    } else {
      (hidden || kind_of(name) == FileKind::other ? others : names).push_back(name);
    }
  }
  if (error) throw Error(ErrorCode::io, fmt::format("{}: {}", folder.string(), error.message()));
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) files.push_back(folder / name);
  if (!others.empty()) {
    notes.push_back(fmt::format("{}: {} files of other kinds passed over, such as {}", folder.string(), others.size(),
                                *std::min_element(others.begin(), others.end())));
  }
  if (folders > 0) notes.push_back(fmt::format("{}: {} folders inside not searched", folder.string(), folders));
  if (names.empty()) {
    bad_data(folder.string(), fmt::format("no data in this folder: expected files ending in {}", kKnown));
  }
}

}  // namespace

FileKind kind_of(const std::filesystem::path& path) {
  const std::string extension = lower_extension(path);
  for (const Ending& ending : kEndings) {
    if (ending.extension == extension) return ending.kind;
  }
  return FileKind::other;
}

std::vector<std::filesystem::path> find_files(const std::vector<std::filesystem::path>& paths,
                                              std::vector<std::string>& notes) {
  std::vector<std::filesystem::path> files;
  for (const std::filesystem::path& path : paths) {
    std::error_code error;
    if (!std::filesystem::exists(path, error)) {
      throw Error(ErrorCode::io, fmt::format("{}: no such file or folder", path.string()));
    }
    if (std::filesystem::is_directory(path, error)) {
      list_folder(path, files, notes);
    } else if (kind_of(path) == FileKind::other) {
      bad_data(path.string(), fmt::format("its ending is not known: expected {}", kKnown));
    } else {
      files.push_back(path);
    }
  }
  return files;
}

}  // namespace octavo::data
