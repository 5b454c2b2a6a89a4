#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "octavo/formats.h"

namespace octavo::formats {

/// One row of the table of formats. Errors need not name the file where there is one: the table's users add it.
struct Format {
  std::string_view name;
  std::string_view ending;  ///< of file names, lower case, with its dot
  /// Whether a file that begins with these bytes, up to 64, can be of this format.
  bool (*sniff)(std::span<const std::byte> head);
  /// `base`: the folder that further files are relative to; empty where there may be none.
  Graph (*read)(std::span<const std::byte> bytes, const std::filesystem::path& base);
  void (*write)(const Graph& graph, const std::filesystem::path& path, const SaveOptions& options);
  std::vector<std::byte> (*write_bytes)(const Graph& graph);
  /// Bytes of the model as one file.
  std::uint64_t (*size)(const Graph& graph);
};

}  // namespace octavo::formats
