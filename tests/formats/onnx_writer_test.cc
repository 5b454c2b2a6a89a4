#include <sys/stat.h>

#include "onnx_support.h"

namespace octavo::formats_test {
namespace {

Graph small_graph() {
  return parse_graph(R"(graph "g" opset 13, "com.microsoft" 1 producer "p" "1" doc "about" {
      metadata "k" = "v"
      input x: f32[N,2,?] doc "in"
      const w: f32[600] = random(7)
      const s: i64[2] = {0, -1}
      const e: f32[0] = {}
      y = Op "first" (x, _, w) {f=0.5, i=-3, s="a\x01", is=[1,2], fs=[0.5], ss=["p","q"], t=u8[2] {1,2}, no=[]} doc "d"
      z, _, v = com.microsoft::Other(y, s, e)
      value y: bf16[N,600]
      output z: u8[4]
      output v: i64
    })");
}

TEST_CASE("a graph comes back as it was written") {
  const Graph graph = small_graph();
  Graph again = load(saved(graph));
  CHECK(again.ir_version == 7);  // the lowest for opset 13
  again.ir_version = 0;
  CHECK(to_text(again) == to_text(graph));
}

TEST_CASE("4-bit integers are packed two to a byte") {
  const Graph graph = parse_graph(R"(graph opset 21 ir 10 { const a: i4[3] = {1, -8, 7} const b: u4[2,2] = {1, 8, 7, 15}
    const e: i4[0] = {} output a output b output e })");
  const onnx::ModelProto model = saved(graph);
  CHECK(model.graph().initializer(0).data_type() == 22);
  CHECK(model.graph().initializer(0).raw_data() == "\x81\x07");
  CHECK(model.graph().initializer(1).data_type() == 21);
  CHECK(model.graph().initializer(1).raw_data() == "\x81\xf7");
  CHECK(model.ir_version() == 10);
  CHECK(to_text(load(model)) == to_text(graph));
}

TEST_CASE("the same graph gives the same bytes") {
  CHECK(model_bytes(small_graph(), "onnx") == model_bytes(small_graph(), "onnx"));
}

TEST_CASE("the IR version is that of the file, or what the operator set needs") {
  const auto written = [](std::int64_t ir_version, std::int64_t opset) {
    Graph graph = small_graph();
    graph.ir_version = ir_version;
    graph.opsets[""] = opset;
    return saved(graph).ir_version();
  };
  CHECK(written(3, 7) == 4);
  CHECK(written(3, 10) == 5);
  CHECK(written(6, 13) == 7);
  CHECK(written(9, 13) == 9);
  CHECK(written(0, 14) == 7);
  CHECK(written(0, 15) == 8);
  CHECK(written(0, 19) == 9);
  CHECK(written(0, 21) == 10);
}

TEST_CASE("nodes are written in topological order") {
  const Graph graph = parse_graph(R"(graph "g" opset 13 { input x: f32[1]  z = B(y)  y = A(x)  output z: f32[1] })");
  CHECK(saved(graph).graph().node(0).op_type() == "A");
}

TEST_CASE("what cannot be written is refused") {
  const Graph nameless = parse_graph("graph { input x: f32[1] y = A(x) output y }");
  error_of(ErrorCode::invalid_argument, [&] { model_bytes(nameless, "onnx"); });
  const Graph foreign =
      parse_graph(R"(graph opset 13 { const c: opaque[1] = opaque("tnn", "00")  y = A(c)  output y })");
  CHECK(error_of(ErrorCode::unsupported, [&] { model_bytes(foreign, "onnx"); }).find("'tnn'") != std::string::npos);
  const Graph attribute = parse_graph(R"(graph opset 13 { y = A "n" () {k=opaque("tnn", "00")}  output y })");
  CHECK(error_of(ErrorCode::unsupported, [&] { model_bytes(attribute, "onnx"); }).find("attribute 'k'") !=
        std::string::npos);
}

TEST_CASE("a file is replaced whole, with the permissions of a new one, and nothing is left beside it") {
  const TemporaryFolder folder;
  write_file(folder / "m.onnx", "something older");
  save_model(small_graph(), folder / "m.onnx");
  CHECK(folder.files() == std::vector<std::string>{"m.onnx"});
  CHECK(to_text(load_model(folder / "m.onnx")) == to_text(load(saved(small_graph()))));
  const std::vector<std::byte> bytes = model_bytes(small_graph(), "onnx");
  CHECK(read_file(folder / "m.onnx") == std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  write_file(folder / "other", "");
  CHECK(std::filesystem::status(folder / "m.onnx").permissions() ==
        std::filesystem::status(folder / "other").permissions());
}

TEST_CASE("a failed save leaves what was there and no other file") {
  const TemporaryFolder folder;
  write_file(folder / "m.onnx", "something older");
  const Graph foreign =
      parse_graph(R"(graph opset 13 { const c: opaque[1] = opaque("tnn", "00")  y = A(c)  output y })");
  CHECK_THROWS_AS(save_model(foreign, folder / "m.onnx"), Error);
  CHECK(read_file(folder / "m.onnx") == "something older");
  CHECK(folder.files().size() == 1);
  std::filesystem::create_directory(folder / "d.onnx");
  error_of(ErrorCode::io, [&] { save_model(small_graph(), folder / "d.onnx"); });
  error_of(ErrorCode::io, [&] { save_model(small_graph(), folder / "no" / "m.onnx"); });
  CHECK(folder.files() == std::vector<std::string>{"d.onnx", "m.onnx"});
}

}  // namespace

TEST_CASE("what a model imports stands behind its graph, where readers that guess the format expect it") {
  // OpenVINO wants three different fields at the beginning.
  const Graph graph = parse_graph("graph \"g\" opset 13, \"com.example\" 1 { input x: f32[1] y = Relu(x) output y }");
  const auto bytes = model_bytes(graph, "onnx");
  CHECK(std::to_integer<int>(bytes[0]) == 0x08);  // ir_version, one byte
  CHECK(std::to_integer<int>(bytes[2]) == 0x3a);  // graph
  CHECK(saved(graph).opset_import_size() == 2);
}

}  // namespace octavo::formats_test
