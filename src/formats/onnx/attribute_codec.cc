#include "onnx/attribute_codec.h"

#include "onnx/place.h"
#include "onnx/subgraph.h"
#include "onnx/tensor_codec.h"
#include "onnx/versions.h"

namespace octavo::formats::onnx_file {
namespace {

using onnx::AttributeProto;

// The first IR versions had no `type`: the field that is set says it.
AttributeProto::AttributeType type_of(const AttributeProto& proto) {
  // A type newer than protobuf's enumeration is an unknown field.
  if (proto.has_type() || !proto.unknown_fields().empty()) return proto.type();
  if (proto.has_f()) return AttributeProto::FLOAT;
  if (proto.has_i()) return AttributeProto::INT;
  if (proto.has_s()) return AttributeProto::STRING;
  if (proto.has_t()) return AttributeProto::TENSOR;
  if (proto.floats_size() > 0) return AttributeProto::FLOATS;
  if (proto.ints_size() > 0) return AttributeProto::INTS;
  if (proto.strings_size() > 0) return AttributeProto::STRINGS;
  return AttributeProto::UNDEFINED;
}

Attribute kept_whole(AttributeProto& proto, ExternalData& external) {
  embed_external_data(proto, external);
  proto.clear_name();
  return keep(proto);
}

struct Encoder {
  AttributeProto& proto;

  void operator()(std::int64_t value) const {
    proto.set_type(AttributeProto::INT);
    proto.set_i(value);
  }
  void operator()(float value) const {
    proto.set_type(AttributeProto::FLOAT);
    proto.set_f(value);
  }
  void operator()(const std::string& value) const {
    proto.set_type(AttributeProto::STRING);
    proto.set_s(value);
  }
  void operator()(const std::vector<std::int64_t>& values) const {
    proto.set_type(AttributeProto::INTS);
    proto.mutable_ints()->Add(values.begin(), values.end());
  }
  void operator()(const std::vector<float>& values) const {
    proto.set_type(AttributeProto::FLOATS);
    proto.mutable_floats()->Add(values.begin(), values.end());
  }
  void operator()(const std::vector<std::string>& values) const {
    proto.set_type(AttributeProto::STRINGS);
    for (const std::string& value : values) proto.add_strings(value);
  }
  void operator()(const Tensor& value) const {
    proto.set_type(AttributeProto::TENSOR);
    *proto.mutable_t() = encode_tensor(value);
  }
  void operator()(const Opaque& value) const {
    if (value.format != kFormatName) unsupported("its value is kept from the format '{}'", value.format);
    if (!proto.ParseFromString(value.bytes)) bad_model("the bytes kept as its value are no AttributeProto");
  }
};

}  // namespace

Attribute decode_attribute(AttributeProto& proto, ExternalData& external) {
  if (proto.has_ref_attr_name()) return kept_whole(proto, external);
  switch (type_of(proto)) {
    case AttributeProto::FLOAT:
      return proto.f();
    case AttributeProto::INT:
      return proto.i();
    case AttributeProto::STRING:
      return std::move(*proto.mutable_s());
    case AttributeProto::FLOATS:
      return std::vector<float>(proto.floats().begin(), proto.floats().end());
    case AttributeProto::INTS:
      return std::vector<std::int64_t>(proto.ints().begin(), proto.ints().end());
    case AttributeProto::STRINGS:
      return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
    case AttributeProto::TENSOR:
      if (size_of(dtype_of_element(proto.t().data_type())) == 0) return kept_whole(proto, external);
      return decode_tensor(*proto.mutable_t(), external);
    default:
      return kept_whole(proto, external);
  }
}

AttributeProto encode_attribute(const std::string& name, const Attribute& attribute) {
  AttributeProto proto;
  within([&] { return "attribute " + shown(name); }, [&] { std::visit(Encoder{proto}, attribute); });
  proto.set_name(name);
  return proto;
}

}  // namespace octavo::formats::onnx_file
