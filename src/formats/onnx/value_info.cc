#include "onnx/value_info.h"

#include "onnx/attribute_codec.h"
#include "onnx/place.h"
#include "onnx/versions.h"

namespace octavo::formats::onnx_file {
namespace {

Dim decode_dim(const onnx::TensorShapeProto::Dimension& proto) {
  if (proto.has_dim_param()) return {Dim::kUnknown, proto.dim_param()};
  if (!proto.has_dim_value()) return {};
  // Some exporters write an open dimension as -1.
  if (proto.dim_value() < Dim::kUnknown) bad_model("its type has the dimension {}", proto.dim_value());
  return {proto.dim_value(), {}};
}

Dims decode_dims(const onnx::TensorShapeProto& proto) {
  if (proto.dim_size() > kMostDimensions)
    unsupported("it has {} dimensions, more than {}", proto.dim_size(), kMostDimensions);
  Dims dims;
  for (const auto& dim : proto.dim()) dims.push_back(decode_dim(dim));
  return dims;
}

// Leaves alone what the graph does not know: denotations, and the element type behind DType::opaque.
void encode_tensor_type(const Value& value, onnx::TypeProto::Tensor& type) {
  if (value.dtype != DType::opaque) type.set_elem_type(element_type_of(value.dtype));
  if (!value.dims) return type.clear_shape();
  auto& shape = *type.mutable_shape();
  if (shape.dim_size() != static_cast<int>(value.dims->size())) shape.clear_dim();
  for (std::size_t i = 0; i < value.dims->size(); ++i) {
    const Dim& dim = (*value.dims)[i];
    auto& proto = static_cast<int>(i) < shape.dim_size() ? *shape.mutable_dim(static_cast<int>(i)) : *shape.add_dim();
    if (dim.known()) {
      proto.set_dim_value(dim.size);
    } else if (!dim.symbol.empty()) {
      proto.set_dim_param(dim.symbol);
    } else {
      proto.clear_value();
    }
  }
}

}  // namespace

void decode_value_info(const onnx::ValueInfoProto& proto, Value& value) {
  value.doc = proto.doc_string();
  if (proto.type().has_tensor_type()) {
    const auto& type = proto.type().tensor_type();
    value.dtype = dtype_of_element(type.elem_type());
    if (type.has_shape()) value.dims = decode_dims(type.shape());
  }
  if (encode_value_info(value).SerializeAsString() != proto.SerializeAsString()) value.opaque_type = keep(proto);
}

onnx::ValueInfoProto encode_value_info(const Value& value) {
  onnx::ValueInfoProto proto;
  if (value.opaque_type && value.opaque_type->format == kFormatName &&
      !proto.ParseFromString(value.opaque_type->bytes)) {
    bad_model("value {}: the bytes kept as its type are no ValueInfoProto", shown(value.name));
  }
  proto.set_name(value.name);
  proto.clear_doc_string();
  if (!value.doc.empty()) proto.set_doc_string(value.doc);
  if (value.dtype != DType::undefined || value.dims) {
    encode_tensor_type(value, *proto.mutable_type()->mutable_tensor_type());
  }
  return proto;
}

}  // namespace octavo::formats::onnx_file
