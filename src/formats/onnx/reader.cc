#include "onnx/reader.h"

#include <onnx/onnx_pb.h>

#include <limits>
#include <map>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "onnx/attribute_codec.h"
#include "onnx/bias_scales.h"
#include "onnx/external_data.h"
#include "onnx/extras.h"
#include "onnx/header.h"
#include "onnx/place.h"
#include "onnx/subgraph.h"
#include "onnx/tensor_codec.h"
#include "onnx/value_info.h"
#include "onnx/versions.h"
#include "onnx/wire_check.h"

namespace octavo::formats::onnx_file {
namespace {

// Takes the proto apart as it goes, so that weights are in memory once.
class Reader {
 public:
  Reader(onnx::ModelProto& model, const std::filesystem::path& folder)
      : model_(model), proto_(*model.mutable_graph()), external_(folder) {}

  Graph read() {
    decode_header(model_, graph_);
    inputs();
    initializers();
    node_outputs();
    declared_types();
    nodes();
    outputs();
    graph_.sort();
    return std::move(graph_);
  }

 private:
  // --- values ------------------------------------------------------------------------------------
  ValueId define(const std::string& name) {
    if (name.empty()) bad_model("it has no name");
    if (name.find('\0') != std::string::npos) bad_model("the name {} has a NUL in it", shown(name));
    if (const auto known = graph_.find_value(name)) {
      const std::string_view source = graph_.value(*known).is_constant() ? "an initializer"
                                      : inputs_seen_.contains(*known)    ? "a graph input"
                                                                         : "a node's output";
      bad_model("the value {} is defined twice: it is {} already", shown(name), source);
    }
    return graph_.add_value(name);
  }

  void inputs() {
    std::unordered_set<std::string_view> constants;
    for (const auto& initializer : proto_.initializer()) constants.insert(initializer.name());
    for (const auto& initializer : proto_.sparse_initializer()) constants.insert(initializer.values().name());
    std::vector<ValueId> inputs;
    for (int i = 0; i < proto_.input_size(); ++i) {
      const auto& input = proto_.input(i);
      if (constants.contains(input.name())) continue;
      within([&] { return fmt::format("graph input {} {}", i, shown(input.name())); },
             [&] {
               inputs.push_back(define(input.name()));
               inputs_seen_.insert(inputs.back());
               decode_value_info(input, graph_.value(inputs.back()));
             });
    }
    graph_.set_inputs(std::move(inputs));
  }

  void initializers() {
    for (int i = 0; i < proto_.initializer_size(); ++i) {
      auto& tensor = *proto_.mutable_initializer(i);
      within([&] { return fmt::format("initializer {} {}", i, shown(tensor.name())); }, [&] { initializer(tensor); });
    }
    for (int i = 0; i < proto_.sparse_initializer_size(); ++i) {
      const auto& sparse = proto_.sparse_initializer(i);
      within([&] { return fmt::format("sparse initializer {} {}", i, shown(sparse.values().name())); },
             [&] {
               Value& value = graph_.value(define(sparse.values().name()));
               onnx::GraphProto kept;
               *kept.add_sparse_initializer() = sparse;
               value.dtype = DType::opaque;
               value.opaque_constant = keep(kept);
             });
    }
  }

  void initializer(onnx::TensorProto& tensor) {
    const ValueId id = define(tensor.name());
    Value& value = graph_.value(id);
    value.doc = tensor.doc_string();
    value.dtype = dtype_of_element(tensor.data_type());
    if (value.dtype == DType::undefined) bad_model("it has no element type");
    value.dims.emplace();
    for (const std::int64_t dim : decode_shape(tensor)) value.dims->push_back(Dim{dim, {}});
    if (value.dtype != DType::opaque) {
      value.constant = decode_tensor(tensor, external_);
      return;
    }
    embed_external_data(tensor, external_);
    onnx::GraphProto kept;
    kept.add_initializer()->Swap(&tensor);
    value.opaque_constant = keep(kept);
    tensor.Swap(kept.mutable_initializer(0));  // `within` may still want its name
  }

  void node_outputs() {
    for (int i = 0; i < proto_.node_size(); ++i) {
      for (const std::string& output : proto_.node(i).output()) {
        if (!output.empty()) within([&] { return node_place(i); }, [&] { define(output); });
      }
    }
  }

  // What is declared of constants and inputs is known already; other names are those of subgraphs, or of nobody.
  void declare(const onnx::ValueInfoProto& proto, std::string_view kind, int i) {
    const auto id = graph_.find_value(proto.name());
    if (!id || graph_.is_input(*id) || graph_.value(*id).is_constant()) return;
    within([&] { return fmt::format("{} {} {}", kind, i, shown(proto.name())); },
           [&] { decode_value_info(proto, graph_.value(*id)); });
  }

  void declared_types() {
    for (int i = 0; i < proto_.value_info_size(); ++i) declare(proto_.value_info(i), "value_info", i);
    for (int i = 0; i < proto_.output_size(); ++i) declare(proto_.output(i), "graph output", i);
  }

  void outputs() {
    std::vector<ValueId> outputs;
    std::set<ValueId> seen;
    for (int i = 0; i < proto_.output_size(); ++i) {
      const std::string& name = proto_.output(i).name();
      const auto id = graph_.find_value(name);
      if (!id) bad_model("graph output {} {}: no node computes it, and it is no input or constant", i, shown(name));
      if (!seen.insert(*id).second) bad_model("graph output {} {} is listed twice", i, shown(name));
      outputs.push_back(*id);
    }
    graph_.set_outputs(std::move(outputs));
  }

  // --- nodes -------------------------------------------------------------------------------------
  std::string node_place(int i) const {
    const auto& node = proto_.node(i);
    return fmt::format("node {} {} ({})", i, shown(node.name()), shown(node.op_type()));
  }

  void nodes() {
    for (int i = 0; i < proto_.node_size(); ++i) {
      within([&] { return node_place(i); }, [&] { graph_.add_node(node(*proto_.mutable_node(i))); });
    }
  }

  Node node(onnx::NodeProto& proto) {
    Node read;
    read.name = distinct_name(proto.name());
    read.op_type = proto.op_type();
    if (read.op_type.empty()) bad_model("it has no operator");
    read.domain = normalized_domain(proto.domain());
    if (!graph_.opsets.contains(read.domain)) {
      bad_model("the model imports no operator set of its domain {}", shown(read.domain));
    }
    read.doc = proto.doc_string();
    for (const std::string& name : proto.input()) read.inputs.push_back(source(name, "its input"));
    for (const std::string& name : proto.output()) read.outputs.push_back(source(name, "its output"));
    attributes(proto, read);
    return read;
  }

  ValueId source(const std::string& name, std::string_view what) const {
    if (name.empty()) return kNoValue;
    const auto id = graph_.find_value(name);
    if (!id) bad_model("{} {} is computed by no node and is no graph input or constant", what, shown(name));
    return *id;
  }

  void attributes(onnx::NodeProto& proto, Node& read) {
    std::set<std::string> captured;
    for (auto& attribute : *proto.mutable_attribute()) {
      const std::string name = attribute.name();
      within([&] { return "attribute " + shown(name); },
             [&] {
               collect_outer_reads(attribute, captured);
               if (!read.attributes.try_emplace(name, decode_attribute(attribute, external_)).second) {
                 bad_model("it is given twice");
               }
             });
    }
    for (const std::string& name : captured) read.captured.push_back(source(name, "the value its subgraph reads,"));
    onnx::NodeProto kept;
    kept.mutable_unknown_fields()->Swap(proto.mutable_unknown_fields());
    if (kept.ByteSizeLong() > 0) read.attributes.try_emplace(std::string(kNodeExtras), keep(kept));
  }

  // ONNX wants names to be distinct but no reader insists. Counting on from the last suffix keeps thousands of
  // equal names from taking quadratic time.
  std::string distinct_name(const std::string& name) {
    if (name.empty()) return name;
    const auto [it, is_new] = suffixes_.try_emplace(name, 0);
    return graph_.unique_node_name(is_new ? name : fmt::format("{}_{}", name, ++it->second));
  }

  onnx::ModelProto& model_;
  onnx::GraphProto& proto_;
  ExternalData external_;
  Graph graph_;
  std::set<ValueId> inputs_seen_;
  std::map<std::string, std::int64_t> suffixes_;
};

}  // namespace

Graph read_model(std::span<const std::byte> bytes, const std::filesystem::path& folder) {
  if (bytes.empty()) bad_model("the file is empty");
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    bad_model("the file has {} bytes; an ONNX file has less than 2 GiB, with further data beside it", bytes.size());
  }
  check_wire(bytes, *onnx::ModelProto::descriptor());
  onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    bad_model("the file is broken or no ONNX model");
  }
  if (!model.has_graph()) bad_model("there is no graph in it: the file is cut short or no ONNX model");
  Graph graph = Reader(model, folder).read();
  read_scale_products(graph);
  return graph;
}

}  // namespace octavo::formats::onnx_file
