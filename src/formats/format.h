#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "octavo/formats.h"

namespace octavo::formats {

/// What a reader gets of a model.
struct Source {
  std::span<const std::byte> bytes;
  /// Of the file of weights, for a format that has one.
  std::span<const std::byte> weights;
  /// What errors in them are said to be in: "its weights, 'model.bin'".
  std::string weights_name = "its weights";
  /// What further files are relative to; empty where there may be none.
  std::filesystem::path folder;
};

/// One row of the table of formats that are read. Errors need not name the file where there is one: the table's users
/// add it.
struct Format {
  std::string_view name;
  std::string_view ending;  ///< of file names, lower case, with its dot
  /// Of the file of weights beside it, which has the same stem; empty where the model is one file.
  std::string_view weights_ending;
  /// Whether a file that begins with these bytes, up to 64, can be of this format.
  bool (*sniff)(std::span<const std::byte> head);
  Graph (*read)(const Source& source);
};

/// Of a file's name, in lower case, with its dot.
std::string ending_of(const std::filesystem::path& path);
/// By the ending of the name; null where there is none.
const Format* format_for(const std::filesystem::path& path);

}  // namespace octavo::formats
