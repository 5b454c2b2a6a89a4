#pragma once

#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <span>

namespace octavo::formats::onnx_file {

/// Walks a serialized message of `type` without building it, because the parser says only that it failed, and
/// makes some 200 bytes of memory from two of a hostile file. Throws Error(bad_model) naming field and byte where
/// the bytes are broken, cut short or nested too deep, Error(resource_limit) where they hold absurdly many parts.
void check_wire(std::span<const std::byte> bytes, const google::protobuf::Descriptor& type);

}  // namespace octavo::formats::onnx_file
