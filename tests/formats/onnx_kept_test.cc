#include <google/protobuf/unknown_field_set.h>

#include "onnx_support.h"

// Whatever Octavo does not understand comes out as it went in.
namespace octavo::formats_test {
namespace {

onnx::ModelProto round_trip(const onnx::ModelProto& model) { return saved(load(model)); }

TEST_CASE("functions, training, annotations and metadata are kept") {
  const onnx::ModelProto model = model_of(R"(ir_version: 8 producer_name: 'p' producer_version: '1.2' domain: 'org'
      model_version: 5 doc_string: 'about' opset_import { domain: '' version: 17 } opset_import { domain: 'f' version: 1 }
      metadata_props { key: 'k' value: 'v' } metadata_props { key: 'k' value: 'again' }
      functions { name: 'F' domain: 'f' input: 'a' output: 'b' node { op_type: 'Relu' input: 'a' output: 'b' }
        opset_import { version: 17 } }
      training_info { algorithm { name: 'step' } update_binding { key: 'w' value: 'w2' } }
      graph { name: 'g' doc_string: 'kept too' node { op_type: 'F' domain: 'f' input: 'x' output: 'y' }
        quantization_annotation { tensor_name: 'x' quant_parameter_tensor_names { key: 'SCALE_TENSOR' value: 's' } }
        input { name: 'x' type { tensor_type { elem_type: 1 } } }
        output { name: 'y' type { tensor_type { elem_type: 1 } } } })");
  CHECK(round_trip(model).DebugString() == model.DebugString());
}

TEST_CASE("sparse initializers are constants of an opaque type") {
  const onnx::ModelProto model = model_of(with_header(R"(node { op_type: 'Relu' input: 's' output: 'y' }
      sparse_initializer { values { name: 's' dims: 1 data_type: 1 float_data: 2 }
        indices { dims: 1 data_type: 7 int64_data: 3 } dims: 9 } output { name: 'y' })"));
  Graph graph = load(model);
  CHECK(value_named(graph, "s").opaque_constant.has_value());
  CHECK(saved(graph).DebugString() == model.DebugString());
  graph.rename_value(*graph.find_value("s"), "renamed");
  CHECK(saved(graph).graph().sparse_initializer(0).values().name() == "renamed");
}

TEST_CASE("types that are no tensors, and what a dimension stands for, are kept") {
  const onnx::ModelProto model = model_of(with_header(R"(
      node { op_type: 'SequenceAt' input: 's' input: 'm' output: 'y' }
      input { name: 's' type { sequence_type { elem_type { tensor_type { elem_type: 1 } } } } }
      input { name: 'm' type { map_type { key_type: 7 value_type { tensor_type { elem_type: 1 } } } } }
      output { name: 'y' type { denotation: 'IMAGE' tensor_type { elem_type: 17
        shape { dim { dim_value: 1 denotation: 'DATA_BATCH' } } } } })"));
  Graph graph = load(model);
  CHECK(value_named(graph, "s").opaque_type.has_value());
  CHECK(value_named(graph, "y").dtype == DType::opaque);
  CHECK(saved(graph).DebugString() == model.DebugString());

  graph.value(*graph.find_value("y")).dims = Dims{{4, ""}};
  const onnx::ModelProto changed = saved(graph);
  const auto& dim = changed.graph().output(0).type().tensor_type().shape().dim(0);
  CHECK(dim.dim_value() == 4);
  CHECK(dim.denotation() == "DATA_BATCH");
}

TEST_CASE("fields newer than this protobuf schema are kept in models, graphs, nodes and value infos") {
  onnx::ModelProto model =
      model_of(with_header("node { op_type: 'Relu' input: 'x' output: 'y' } input { name: 'x' } output { name: 'y' }"));
  model.mutable_unknown_fields()->AddLengthDelimited(26, "devices");
  model.mutable_graph()->mutable_unknown_fields()->AddLengthDelimited(16, "metadata");
  model.mutable_graph()->mutable_node(0)->mutable_unknown_fields()->AddLengthDelimited(8, "overload");
  model.mutable_graph()->mutable_input(0)->mutable_unknown_fields()->AddLengthDelimited(4, "metadata");
  CHECK(round_trip(model).SerializeAsString() == model.SerializeAsString());
}

TEST_CASE("attributes without a type of ours are kept") {
  const onnx::ModelProto model = model_of(with_header(R"(node { op_type: 'Op' input: 'x' output: 'y'
      attribute { name: 'a' type: TYPE_PROTO tp { tensor_type { elem_type: 1 } } }
      attribute { name: 'b' type: TENSORS tensors { dims: 1 data_type: 1 float_data: 1 } }
      attribute { name: 'c' type: SPARSE_TENSOR sparse_tensor { dims: 3 } }
      attribute { name: 'd' type: TENSOR t { dims: 1 data_type: 8 string_data: 'text' } }
      attribute { name: 'e' type: GRAPHS graphs { name: 'empty' } } }
      input { name: 'x' } output { name: 'y' })"));
  CHECK(round_trip(model).DebugString() == model.DebugString());
  onnx::ModelProto newer = model;
  auto& attribute = *newer.mutable_graph()->mutable_node(0)->add_attribute();
  attribute.set_name("f");
  attribute.mutable_unknown_fields()->AddVarint(20, 77);  // a type that is none of the enumeration
  CHECK(round_trip(newer).SerializeAsString() == newer.SerializeAsString());
}

}  // namespace
}  // namespace octavo::formats_test
