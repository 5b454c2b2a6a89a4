#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <vector>

namespace octavo::test {

/// The real models beside the repository, in order; none, and said so, where there is no such folder.
inline std::vector<std::filesystem::path> shared_models() {
  const auto folder = std::filesystem::path(OCTAVO_SOURCE_DIR) / ".." / "shared" / "data" / "models";
  std::vector<std::filesystem::path> paths;
  if (!std::filesystem::exists(folder)) {
    WARN("skipped: there are no models in " << folder);
    return paths;
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".onnx") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace octavo::test
