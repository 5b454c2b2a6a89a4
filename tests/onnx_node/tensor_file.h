#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "octavo/core/tensor.h"

namespace octavo::onnx_node {

/// The bytes of a file; throws Error(io).
std::string read_bytes(const std::filesystem::path& path);
/// Reads a serialized TensorProto that a value of ONNX type `declared` is given by: the package stores bfloat16
/// as UINT16. Throws Error(unsupported) for element types that Octavo does not compute with.
Tensor read_tensor_file(const std::filesystem::path& path, std::int32_t declared);

}  // namespace octavo::onnx_node
