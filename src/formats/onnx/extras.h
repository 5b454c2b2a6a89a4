#pragma once

#include <string_view>

namespace octavo::formats::onnx_file {

/// Keys of Graph::extras: a ModelProto and a GraphProto that hold nothing but what Octavo does not interpret.
inline constexpr std::string_view kModelExtras = "onnx.model";
inline constexpr std::string_view kGraphExtras = "onnx.graph";

/// The attribute that holds fields of a NodeProto newer than this reader; no operator has one with a colon.
inline constexpr std::string_view kNodeExtras = "onnx:unknown_fields";

}  // namespace octavo::formats::onnx_file
