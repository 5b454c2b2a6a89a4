#include "onnx/encode.h"

#include <onnx/onnx_pb.h>

#include <utility>

#include "onnx/attribute_codec.h"
#include "onnx/extras.h"
#include "onnx/header.h"
#include "onnx/place.h"
#include "onnx/tensor_codec.h"
#include "onnx/value_info.h"

namespace octavo::formats::onnx_file {
namespace {

// Shapes, axes and scales stay in the model, where tools that infer shapes look for them.
constexpr std::size_t kSmallestExternal = 1024;
constexpr std::uint64_t kPage = 4096;

void append_varint(std::string& bytes, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
}

// Key and length of a length-delimited field.
std::string field_head(int number, std::uint64_t length) {
  std::string bytes;
  append_varint(bytes, static_cast<std::uint64_t>(number) << 3 | 2U);
  append_varint(bytes, length);
  return bytes;
}

onnx::NodeProto encode_node(const Graph& graph, const Node& node) {
  onnx::NodeProto proto;
  const auto name_of_value = [&](ValueId id) { return id == kNoValue ? std::string() : graph.value(id).name; };
  for (const ValueId id : node.inputs) proto.add_input(name_of_value(id));
  for (const ValueId id : node.outputs) proto.add_output(name_of_value(id));
  if (!node.name.empty()) proto.set_name(node.name);
  proto.set_op_type(node.op_type);
  if (!node.domain.empty()) proto.set_domain(node.domain);
  if (!node.doc.empty()) proto.set_doc_string(node.doc);
  for (const auto& [name, attribute] : node.attributes) {
    if (name != kNodeExtras) {
      *proto.add_attribute() = encode_attribute(name, attribute);
    } else if (const auto* kept = std::get_if<Opaque>(&attribute);
               kept == nullptr || !proto.MergeFromString(kept->bytes)) {
      bad_model("the attribute {} holds no fields of a NodeProto", name);
    }
  }
  return proto;
}

// Takes out what other writers put behind the graph. OpenVINO looks at the first three fields alone, and takes a model
// that imports two operator sets among them for none.
onnx::ModelProto behind_graph(onnx::ModelProto& header) {
  onnx::ModelProto rest;
  rest.mutable_opset_import()->Swap(header.mutable_opset_import());
  rest.mutable_metadata_props()->Swap(header.mutable_metadata_props());
  return rest;
}

// The graph but for its constants.
void encode_structure(const Graph& graph, onnx::GraphProto& proto) {
  for (const NodeId id : graph.nodes()) {
    within([&] { return describe(graph, id); }, [&] { *proto.add_node() = encode_node(graph, graph.node(id)); });
  }
  for (const ValueId id : graph.inputs()) *proto.add_input() = encode_value_info(graph.value(id));
  for (const ValueId id : graph.outputs()) *proto.add_output() = encode_value_info(graph.value(id));
  for (const ValueId id : graph.values()) {
    const Value& value = graph.value(id);
    const bool says_something =
        value.dtype != DType::undefined || value.dims || value.opaque_type || !value.doc.empty();
    if (value.is_constant() || graph.is_input(id) || graph.is_output(id) || !says_something) continue;
    // Dimensions without an element type, as behind an operator that shapes are not inferred for, are no valid type.
    if (value.dims && value.dtype == DType::undefined && !value.opaque_type) continue;
    *proto.add_value_info() = encode_value_info(value);
  }
}

class Encoder {
 public:
  Encoder(const Graph& graph, const ExternalLayout& external) : graph_(graph), external_(external) {}

  EncodedModel encode() {
    onnx::ModelProto header = encode_header(graph_);
    onnx::GraphProto structure;
    structure.Swap(header.mutable_graph());
    header.clear_graph();
    onnx::ModelProto rest = behind_graph(header);
    encode_structure(graph_, structure);
    add(header.SerializeAsString());
    add({});  // becomes the graph's key and length
    add(structure.SerializeAsString());
    const std::uint64_t before = encoded_.size - encoded_.pieces.back().head.size();
    for (const ValueId id : graph_.values()) constant(id, graph_.value(id));
    std::string& graph_head = encoded_.pieces[1].head;
    graph_head = field_head(onnx::ModelProto::kGraphFieldNumber, encoded_.size - before);
    encoded_.size += graph_head.size();
    add(rest.SerializeAsString());
    return std::move(encoded_);
  }

 private:
  void add(std::string head, std::span<const std::byte> data = {}) {
    encoded_.size += head.size() + data.size();
    encoded_.pieces.push_back({std::move(head), data});
  }

  void constant(ValueId id, const Value& value) {
    if (value.constant) {
      tensor(id, value, *value.constant);
    } else if (value.opaque_constant) {
      opaque(value);
    }
  }

  void tensor(ValueId id, const Value& value, const Tensor& constant) {
    onnx::TensorProto proto = encode_tensor_head(constant);
    proto.set_name(value.name);
    if (!value.doc.empty()) proto.set_doc_string(value.doc);
    const std::uint64_t size = stored_size(constant.dtype(), static_cast<std::uint64_t>(constant.size()));
    std::string raw_head;
    if (const auto it = external_.offsets.find(id); it != external_.offsets.end()) {
      refer(proto, it->second, size);
    } else {
      raw_head = field_head(onnx::TensorProto::kRawDataFieldNumber, size);
    }
    std::span<const std::byte> in_place;
    if (!raw_head.empty() && is_4_bit(constant.dtype())) {
      raw_head += packed(constant);
    } else if (!raw_head.empty()) {
      in_place = {constant.bytes(), constant.byte_size()};
    }
    const std::string head = proto.SerializeAsString() + raw_head;
    add(field_head(onnx::GraphProto::kInitializerFieldNumber, head.size() + in_place.size()) + head, in_place);
  }

  void refer(onnx::TensorProto& proto, std::uint64_t offset, std::uint64_t length) const {
    proto.set_data_location(onnx::TensorProto::EXTERNAL);
    const auto entry = [&](const char* key, const std::string& text) {
      auto& added = *proto.add_external_data();
      added.set_key(key);
      added.set_value(text);
    };
    entry("location", external_.location);
    entry("offset", std::to_string(offset));
    entry("length", std::to_string(length));
  }

  void opaque(const Value& value) {
    onnx::GraphProto kept;
    const bool parsed =
        value.opaque_constant->format == kFormatName && kept.ParseFromString(value.opaque_constant->bytes);
    if (parsed && kept.initializer_size() == 1) {
      kept.mutable_initializer(0)->set_name(value.name);
    } else if (parsed && kept.sparse_initializer_size() == 1) {
      kept.mutable_sparse_initializer(0)->mutable_values()->set_name(value.name);
    } else {
      unsupported("constant {}: its bytes are not ONNX's, but of the format '{}'", shown(value.name),
                  value.opaque_constant->format);
    }
    add(kept.SerializeAsString());
  }

  const Graph& graph_;
  const ExternalLayout& external_;
  EncodedModel encoded_;
};

}  // namespace

ExternalLayout lay_out(const Graph& graph, std::string location) {
  ExternalLayout layout{std::move(location), {}};
  std::uint64_t end = 0;
  for (const ValueId id : graph.values()) {
    const Tensor* const constant = graph.constant(id);
    if (constant == nullptr) continue;
    const std::uint64_t size = stored_size(constant->dtype(), static_cast<std::uint64_t>(constant->size()));
    if (size < kSmallestExternal) continue;
    const std::uint64_t offset = (end + kPage - 1) / kPage * kPage;
    layout.offsets.emplace(id, offset);
    end = offset + size;
  }
  return layout;
}

EncodedModel encode_model(const Graph& graph, const ExternalLayout& external) {
  return Encoder(graph, external).encode();
}

}  // namespace octavo::formats::onnx_file
