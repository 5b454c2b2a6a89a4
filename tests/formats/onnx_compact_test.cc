#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "onnx/compact.h"
#include "onnx_support.h"
#include "qdq.h"

using namespace octavo;
using namespace octavo::formats;

namespace {

std::string repeated(std::size_t count, const std::string& number) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += (i > 0 ? "," : "") + number;
  return text;
}

/// A Conv of so many channels between pairs, its bias in integers of this scale.
Graph net(int channels, const std::string& bias_scale = "0.125", const std::string& activations = "u8") {
  const auto count = static_cast<std::size_t>(channels);
  const std::string n = std::to_string(channels);
  Graph graph = parse_graph("graph opset 13 { input x: f32[1,1,4,4] const xs: f32[] = {0.5} const xz: " + activations +
                            "[] = {3}" + std::string(" q = QuantizeLinear(x, xs, xz) d = DequantizeLinear(q, xs, xz)") +
                            " const wq: i8[" + n + ",1,1,1] = {" + repeated(count, "7") + "} const ws: f32[" + n +
                            "] = {" + repeated(count, "0.25") + "} const wz: i8[" + n + "] = {" + repeated(count, "0") +
                            "} w = DequantizeLinear(wq, ws, wz) {axis=0}" + " const bq: i32[" + n + "] = {" +
                            repeated(count, "5") + "} const bs: f32[" + n + "] = {" + repeated(count, bias_scale) +
                            "} b = DequantizeLinear(bq, bs) {axis=0}" + R"(
    c = Conv(d, w, b) {dilations=[1,1], group=1, kernel_shape=[1,1], pads=[0,0,0,0], strides=[2,2]}
    const long_name: f32[] = {0.5} const other_zero: )" +
                            activations + R"([] = {3}
    r = QuantizeLinear(c, long_name, other_zero) y = DequantizeLinear(r, long_name, other_zero)
    output y })");
  infer_shapes(graph);
  return graph;
}

bool has_node(const Graph& graph, std::string_view op_type) {
  const auto nodes = graph.nodes();
  return std::any_of(nodes.begin(), nodes.end(), [&](NodeId id) { return graph.node(id).op_type == op_type; });
}

const Node& node_that_computes(const Graph& graph, std::string_view value) {
  return graph.node(graph.producer(graph.find_value(value).value()));
}

}  // namespace

TEST_CASE("ONNX files of integers leave out what their readers know") {
  const Graph written = onnx_file::compacted(net(32));
  written.check();
  CHECK(node_that_computes(written, "bs").op_type == "Mul");
  CHECK(node_that_computes(written, "r").input(1) == written.find_value("xs").value());
  CHECK(node_that_computes(written, "r").input(2) == written.find_value("xz").value());
  CHECK_FALSE(written.find_value("long_name"));
  CHECK(node_that_computes(written, "w").inputs.size() == 2);
  const Node& conv = node_that_computes(written, "c");
  CHECK_FALSE((conv.has("dilations") || conv.has("group") || conv.has("pads")));
  CHECK(conv.ints_or("strides", {}) == std::vector<std::int64_t>{2, 2});
  CHECK_FALSE(written.value(written.find_value("c").value()).dims);
  CHECK(written.value(written.find_value("y").value()).dims);
}

TEST_CASE("what ONNX files leave out is there again when they are read") {
  const Graph graph = net(32);
  Graph read = load_model(model_bytes(graph, "onnx"), "onnx");
  infer_shapes(read);
  CHECK_FALSE(has_node(read, "Mul"));
  for (const char* value : {"d", "w", "b", "y"}) {
    const auto before = dequantized(graph, graph.find_value(value).value());
    const auto after = dequantized(read, read.find_value(value).value());
    REQUIRE(after);
    CHECK(before->params == after->params);
  }
  CHECK(read.value(read.find_value("c").value()).dims == graph.value(graph.find_value("c").value()).dims);
  CHECK(model_bytes(read, "onnx") == model_bytes(graph, "onnx"));
}

TEST_CASE("scales of a bias that are few, or not the product, stay numbers") {
  CHECK_FALSE(has_node(onnx_file::compacted(net(8)), "Mul"));
  CHECK_FALSE(has_node(onnx_file::compacted(net(32, "0.125001")), "Mul"));
}

TEST_CASE("weights of what may compute in float keep their zero points") {
  Graph graph = net(32);
  const NodeId conv = graph.producer(graph.find_value("c").value());
  Node relu;
  relu.op_type = "Relu";
  relu.inputs = {graph.find_value("c").value()};
  relu.outputs = {graph.add_value("limited")};
  graph.set_input(graph.producer(graph.find_value("r").value()), 0, relu.outputs[0]);
  graph.add_node(relu);
  graph.sort();
  const Graph limited = onnx_file::compacted(graph);  // the zero point is 3: a Relu does more than saturation
  CHECK(node_that_computes(limited, "w").inputs.size() == 3);
  graph.set_input(graph.producer(graph.find_value("r").value()), 0, graph.node(conv).output(0));
  graph.remove_dead();
  CHECK(node_that_computes(onnx_file::compacted(graph), "w").inputs.size() == 2);
  const Graph wide = onnx_file::compacted(net(32, "0.125", "u16"));  // no runtime has a kernel for these activations
  CHECK(node_that_computes(wide, "w").inputs.size() == 3);
  const Graph is_signed = onnx_file::compacted(net(32, "0.125", "i8"));
  CHECK(node_that_computes(is_signed, "w").inputs.size() == 3);
  graph.mutable_node(conv).op_type = "MatMul";
  CHECK(node_that_computes(onnx_file::compacted(graph), "w").inputs.size() == 3);
}

TEST_CASE("a bias behind a product of integers over stacks of matrices is a row") {
  Graph graph = parse_graph(R"(graph opset 13 { input x: f32[1,3,2] input f: f32[1,3,2] const s: f32[] = {0.5}
    const z: u8[] = {3} q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z)
    const wq: i8[2,2] = {1,2,3,4} const ws: f32[2] = {2,3} const wz: i8[2] = {0,0}
    w = DequantizeLinear(wq, ws, wz) {axis=1} const b: f32[2] = {1,2} const shape: i64[2] = {3,2}
    m = MatMul(d, w) y = Add(b, m) flat = Reshape(d, shape) p = MatMul(flat, w) in_matrix = Add(p, b)
    v = MatMul(f, w) in_float = Add(v, b) output y output in_matrix output in_float })");
  infer_shapes(graph);
  const Graph written = onnx_file::compacted(graph);
  const ValueId row = node_that_computes(written, "y").input(0);
  CHECK(written.constant(row)->shape() == Shape{1, 2});
  CHECK(written.constant(row)->data<float>()[1] == 2.0F);
  CHECK(node_that_computes(written, "in_matrix").input(1) == written.find_value("b").value());
  CHECK(node_that_computes(written, "in_float").input(1) == written.find_value("b").value());
}

TEST_CASE("zero points of weights are not shared, nor is anything said less of a float model") {
  const std::string head =
      "graph opset 13 { input x: f32[1,2] const s: f32[] = {0.5} const z: i8[] = {0} "
      "q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z) ";
  Graph graph = parse_graph(head + R"(
    const a: i8[2,2] = {1,2,3,4} const a_s: f32[] = {2} const a_z: i8[] = {0} v = DequantizeLinear(a, a_s, a_z)
    const b: i8[2,2] = {4,3,2,1} const b_s: f32[] = {2} const b_z: i8[] = {0} w = DequantizeLinear(b, b_s, b_z)
    m = MatMul(d, v) y = MatMul(m, w) output y })");
  infer_shapes(graph);
  const Graph written = onnx_file::compacted(graph);
  for (const char* name : {"z", "a_z", "b_z", "a_s"}) CHECK(written.find_value(name));
  CHECK_FALSE(written.find_value("b_s"));
  Graph floats = parse_graph("graph opset 13 { input x: f32[2] a = Relu(x) y = Neg(a) output y }");
  infer_shapes(floats);
  CHECK(to_text(onnx_file::compacted(floats)) == to_text(floats));
}
