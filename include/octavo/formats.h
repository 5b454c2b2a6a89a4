#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/graph.h"

namespace octavo {

/// Reads a model file; the format is known from its ending, or else from its content. External data is mapped,
/// not copied, where it is aligned for its type, and must lie in the model's folder. ONNX: operator sets 7 to 21;
/// constants that are inputs as well become constants alone. Throws Error(io), Error(bad_model) or Error(unsupported)
/// naming the file and the place in it.
Graph load_model(const std::filesystem::path& path);

/// Reads a model from memory. `base` is the folder that external data is relative to; where it is empty,
/// a model with external data is refused.
Graph load_model(std::span<const std::byte> bytes, std::string_view format, const std::filesystem::path& base = {});

struct SaveOptions {
  /// Constants go to one file beside the model where all together exceed this many bytes. A single
  /// protobuf message can hold 2 GiB.
  std::uint64_t external_data_above = std::uint64_t{1900} << 20;
};

/// Writes whole or not at all: to a temporary name in the same folder, synced, then renamed; the same for
/// the file of external data ("<file name>.data").
void save_model(const Graph& graph, const std::filesystem::path& path, const SaveOptions& options = {});
/// The bytes save_model would write. Throws Error(resource_limit) where they need external data.
std::vector<std::byte> model_bytes(const Graph& graph, std::string_view format);

/// Size of the model as one file, constants included, even where it would be too large for one.
std::uint64_t model_size(const Graph& graph);

/// Writes any file whole or not at all, as models are written. Throws Error(io) naming it.
void write_whole(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// Names of the formats in the table: "onnx".
std::vector<std::string> format_names();

}  // namespace octavo
