#include "onnx_support.h"

namespace octavo::formats_test {
namespace {

std::string error_in(const std::string& model, ErrorCode code = ErrorCode::bad_model) {
  CAPTURE(model);
  return error_of(code, [&] { load(model_of(model)); });
}

std::string graph_error(const std::string& graph) { return error_in(with_header(graph)); }

bool contains(const std::string& text, const std::string& part) {
  INFO(text << "\nhas no: " << part);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

TEST_CASE("a model that contradicts itself is refused with the place") {
  contains(graph_error("node { name: 'n' op_type: 'Relu' input: 'gone' output: 'y' }"),
           "node 0 'n' ('Relu'): its input 'gone'");
  contains(graph_error("node { op_type: 'A' output: 'y' } node { op_type: 'B' output: 'y' }"),
           "node 1 '' ('B'): the value 'y' is defined twice: it is a node's output already");
  contains(graph_error("node { op_type: 'A' output: 'y' output: 'y' }"), "defined twice");
  contains(graph_error("node { op_type: 'A' output: 'x' } input { name: 'x' }"), "a graph input already");
  contains(graph_error("input { name: 'x' } input { name: 'x' }"), "graph input 1 'x'");
  contains(graph_error("initializer { name: 'c' data_type: 1 float_data: 1 } initializer { name: 'c' data_type: 1 }"),
           "initializer 1 'c'");
  contains(graph_error("input { name: '' }"), "no name");
  contains(graph_error("input { name: 'a\\000b' }"), "NUL");
  contains(graph_error("output { name: 'y' }"), "graph output 0 'y'");
  contains(graph_error("input { name: 'x' } output { name: 'x' } output { name: 'x' }"), "listed twice");
  contains(graph_error("node { output: 'y' }"), "no operator");
  contains(graph_error("node { op_type: 'A' domain: 'other' output: 'y' }"), "domain 'other'");
  contains(graph_error("node { op_type: 'A' output: 'y' attribute { name: 'k' i: 1 } attribute { name: 'k' i: 2 } }"),
           "node 0 '' ('A'): attribute 'k': it is given twice");
  contains(
      graph_error("node { op_type: 'If' output: 'y' attribute { name: 'g' type: GRAPH g { output { name: 'z' } } } }"),
      "the value its subgraph reads, 'z'");
  contains(graph_error("node { op_type: 'A' input: 'b' output: 'a' } node { op_type: 'B' input: 'a' output: 'b' }"),
           "cycle");
  contains(graph_error("node { op_type: 'A' input: 'a' output: 'a' }"), "cycle");
  contains(graph_error("input { name: 'x' type { tensor_type { elem_type: 1 shape { dim { dim_value: -5 } } } } }"),
           "-5");
  contains(graph_error("initializer { name: 'c' dims: 1 data_type: 1 data_location: EXTERNAL }"), "no location");
}

TEST_CASE("versions that are not read are refused with what to do") {
  const std::string graph = " graph { name: 'g' }";
  contains(error_in("ir_version: 8 opset_import { version: 22 }" + graph, ErrorCode::unsupported), "7 to 21");
  contains(error_in("ir_version: 3 opset_import { version: 6 }" + graph, ErrorCode::unsupported), "operator set 6");
  contains(error_in("ir_version: 2 opset_import { version: 7 }" + graph, ErrorCode::unsupported), "IR version is 2");
  contains(error_in("ir_version: 8" + graph), "no operator set");
  contains(error_in("opset_import { version: 13 }" + graph), "IR version");
  contains(
      error_in("ir_version: 8 opset_import { version: 13 } opset_import { domain: 'ai.onnx' version: 12 }" + graph),
      "13 and 12");
  contains(error_in("ir_version: 8 opset_import { version: 13 }"), "no graph");
  CHECK(load(model_of("ir_version: 11 opset_import { domain: 'ai.onnx' version: 21 }" + graph)).opset() == 21);
}

TEST_CASE("bytes that are no model are refused with the place") {
  const auto error = [](const std::string& bytes) {
    return error_of(ErrorCode::bad_model, [&] { load_model(std::as_bytes(std::span(bytes)), "onnx"); });
  };
  contains(error(""), "empty");
  contains(error("\xff\xd8\xff\xe0 JFIF"), "no ONNX model");
  contains(error("a text file, and not a short one, that has nothing to do with any of this"), "no ONNX model");
  contains(error(std::string(1000, '\0')), "a field has no number");
  const std::string whole = model_of(with_header("node { op_type: 'Relu' output: 'y' }")).SerializeAsString();
  contains(error(whole.substr(0, whole.size() - 20)), "in graph");
}

TEST_CASE("the wire format is followed down to the broken field") {
  onnx::ModelProto model = model_of(with_header("node { op_type: 'A' } node { op_type: 'Relu' output: 'y' }"));
  std::string bytes = model.SerializeAsString();
  bytes[bytes.find("Relu") - 1] = 100;  // the length of the operator's name
  contains(error_of(ErrorCode::bad_model, [&] { load_model(std::as_bytes(std::span(bytes)), "onnx"); }),
           "in graph.node[1].op_type: 100 bytes are announced");
}

TEST_CASE("subgraphs nested without end are refused") {
  onnx::GraphProto graph;
  for (int i = 0; i < 200; ++i) {
    onnx::GraphProto outer;
    outer.add_node()->add_attribute()->mutable_g()->Swap(&graph);
    graph.Swap(&outer);
  }
  onnx::ModelProto model = model_of(with_header(""));
  model.mutable_graph()->Swap(&graph);
  contains(error_of(ErrorCode::bad_model, [&] { load(model); }), "nested deeper");
}

TEST_CASE("two bytes a node do not become a hundred times as much memory") {
  std::string bytes = "\x08\x08\x3a";                                // ir_version, graph
  for (const char c : {'\x82', '\xda', '\xc4', '\x09'}) bytes += c;  // of 20 000 002 bytes
  for (int i = 0; i < 10'000'001; ++i) bytes.append("\x0a\0", 2);    // an empty node
  error_of(ErrorCode::resource_limit, [&] { load_model(std::as_bytes(std::span(bytes)), "onnx"); });
}

TEST_CASE("files that cannot be models are refused by name") {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& name, ErrorCode code) {
    return error_of(code, [&] { load_model(folder / name); });
  };
  contains(error("missing.onnx", ErrorCode::io), "missing.onnx: cannot be opened");
  std::filesystem::create_directory(folder / "folder.onnx");
  contains(error("folder.onnx", ErrorCode::io), "folder.onnx: is a folder");
  write_file(folder / "empty.onnx", "");
  contains(error("empty.onnx", ErrorCode::bad_model), "empty.onnx: the file is empty");
  write_file(folder / "picture.jpg", "\xff\xd8\xff\xe0 JFIF");
  contains(error("picture.jpg", ErrorCode::bad_model), ".onnx");
}

TEST_CASE("formats are known by name, ending and content") {
  CHECK(format_names().front() == "onnx");
  CHECK(exporter_named("onnx").ending == ".onnx");
  CHECK(exporter_for("m.ONNX") == &exporter_named("onnx"));
  CHECK(exporter_for("m.tflite") == nullptr);
  const Graph graph = parse_graph("graph \"g\" opset 13 { input x: f32[1]  y = Relu(x)  output y }");
  error_of(ErrorCode::invalid_argument, [&] { model_bytes(graph, "tflite"); });
  error_of(ErrorCode::invalid_argument, [&] { load_model(std::span<const std::byte>(), "tflite"); });
  const TemporaryFolder folder;
  contains(error_of(ErrorCode::invalid_argument, [&] { save_model(graph, folder / "m.tflite"); }), ".onnx");
  contains(
      error_of(ErrorCode::invalid_argument, [&] { export_model(graph, exporter_named("onnx"), folder / "m.param"); }),
      "ends with .onnx");
  CHECK(export_model(graph, exporter_named("onnx"), folder / "n.onnx") == model_files(folder / "n.onnx"));
  save_model(graph, folder / "m.ONNX");
  contains(error_of(ErrorCode::invalid_argument, [&] { load_model(folder / "m.ONNX", folder / "m.bin"); }), "one file");
  std::filesystem::rename(folder / "m.ONNX", folder / "blob");
  CHECK(load_model(folder / "blob").name == "g");
}

}  // namespace
}  // namespace octavo::formats_test
