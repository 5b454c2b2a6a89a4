#pragma once

#include <onnx/onnx_pb.h>

#include <string>

#include "octavo/graph.h"
#include "onnx/external_data.h"

namespace octavo::formats::onnx_file {

/// `Opaque::format` of everything kept from an ONNX file: the bytes of a serialized message.
inline constexpr std::string_view kFormatName = "onnx";

template <typename Message>
Opaque keep(const Message& message) {
  return {std::string(kFormatName), message.SerializeAsString()};
}

/// An attribute's value; what Octavo has no type for becomes the serialized AttributeProto without its name.
/// Documentation strings of attributes and names of their tensors are not kept.
Attribute decode_attribute(onnx::AttributeProto& proto, ExternalData& external);

/// Throws Error(unsupported) for a value that another file format keeps.
onnx::AttributeProto encode_attribute(const std::string& name, const Attribute& attribute);

}  // namespace octavo::formats::onnx_file
