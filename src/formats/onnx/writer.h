#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "octavo/formats.h"

namespace octavo::formats::onnx_file {

/// See save_model. Constants are streamed from where they are: no second copy of them is made.
void write_model(const Graph& graph, const std::filesystem::path& path, const SaveOptions& options);
std::vector<std::byte> write_model(const Graph& graph);
/// Bytes of the model as one file, even where it would be too large for one.
std::uint64_t written_size(const Graph& graph);

}  // namespace octavo::formats::onnx_file
