#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "octavo/formats.h"

namespace octavo::formats::onnx_file {

/// See save_model; returns the files written. Constants are streamed from where they are: no second copy of them is
/// made.
std::vector<std::filesystem::path> write_model(const Graph& graph, const std::filesystem::path& path,
                                               const SaveOptions& options);
std::vector<std::byte> write_model(const Graph& graph);

}  // namespace octavo::formats::onnx_file
