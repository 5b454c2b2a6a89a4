#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "octavo/graph.h"

namespace octavo::formats::onnx_file {

/// A graph from a serialized ModelProto. Constants that are listed as graph inputs too (IR version 3 demands it)
/// become constants alone; nodes of equal names get distinct ones. What does not come back when it is written: doc
/// strings of attributes, names of the tensors in them, metadata (IR version 10) of tensors whose elements are
/// understood, types declared for constants and for names that no node writes. Throws Error(bad_model),
/// Error(unsupported), Error(io) or Error(resource_limit) naming the place in the file.
Graph read_model(std::span<const std::byte> bytes, const std::filesystem::path& folder);

}  // namespace octavo::formats::onnx_file
