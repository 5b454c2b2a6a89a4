#include "qdq.h"

#include <catch2/catch.hpp>

#include "octavo/graph.h"

using namespace octavo;
using namespace octavo::formats;

namespace {

/// A convolution between pairs: weight per channel, bias in int32, the output's pair named by the output.
const char* const kPairs = R"(graph opset 13 {
  input x: f32[1,1,2,2]
  const xs: f32[] = {0.5}
  const xz: u8[] = {3}
  xq = QuantizeLinear(x, xs, xz)
  xd = DequantizeLinear(xq, xs, xz)
  const wq: i8[2,1,1,1] = {4,-6}
  const ws: f32[2] = {0.5,0.25}
  const wz: i8[2] = {0,0}
  w = DequantizeLinear(wq, ws, wz) {axis=0}
  const bq: i32[2] = {10,20}
  const bs: f32[2] = {0.25,0.125}
  b = DequantizeLinear(bq, bs) {axis=0}
  y_float = Conv(xd, w, b)
  const ys: f32[1] = {2}
  yq = QuantizeLinear(y_float, ys)
  y = DequantizeLinear(yq, ys)
  output y
})";

Graph graph_of(const char* text) {
  Graph graph = parse_graph(text);
  infer_shapes(graph);
  return graph;
}

ValueId id_of(const Graph& graph, std::string_view name) { return graph.find_value(name).value(); }

}  // namespace

TEST_CASE("what pairs say: types, axes, limits, and one scale whatever its shape") {
  const Graph graph = graph_of(kPairs);
  const auto params = [&](const char* value) {
    return linear_params(graph, graph.node(graph.producer(id_of(graph, value))));
  };
  CHECK(params("xq") == QParams{{0.5F}, {3}, QScheme::kPerTensor, 0, 255, DType::u8});
  CHECK(params("w") == QParams{{0.5F, 0.25F}, {0, 0}, 0, -128, 127, DType::i8});
  CHECK(params("b")->storage == DType::i32);
  CHECK(params("yq") == QParams{{2.0F}, {0}, QScheme::kPerTensor, 0, 255, DType::u8});  // no zero point: u8, 0
  CHECK(dequantized(graph, id_of(graph, "xd"))->integers == id_of(graph, "xq"));
  CHECK_FALSE(dequantized(graph, id_of(graph, "x")).has_value());
  CHECK_FALSE(dequantized(graph, id_of(graph, "y_float")).has_value());
  CHECK(quantizers_of(graph, id_of(graph, "y_float")).size() == 1);
  CHECK(float_name(graph, graph.producer(id_of(graph, "yq"))) == "y");
  CHECK(float_name(graph, graph.producer(id_of(graph, "xq"))) == "x");
}

TEST_CASE("parameters that nobody can use are not given") {
  const auto params = [](const std::string& scale, const std::string& attributes) {
    const Graph graph = graph_of(
        ("graph opset 13 { input x: i8[2,3] " + scale + " y = DequantizeLinear(x, s) {" + attributes + "} output y }")
            .c_str());
    return linear_params(graph, graph.node(graph.nodes().front()));
  };
  CHECK(params("const s: f32[3] = {1,2,3}", "axis=-1")->axis == 1);
  CHECK_FALSE(params("const s: f32[3] = {1,2,3}", "axis=0").has_value());
  CHECK_FALSE(params("const s: f32[3] = {1,2,3}", "axis=7").has_value());
  CHECK_FALSE(params("const s: f32[] = {0}", "axis=1").has_value());
  CHECK_FALSE(params("const s: f32[] = {-1}", "axis=1").has_value());
  CHECK_FALSE(params("input s: f32[]", "axis=1").has_value());
}

TEST_CASE("without its pairs a graph computes with the floats that its integers stand for, under its names") {
  const Graph floats = without_pairs(graph_of(kPairs));
  floats.check();
  REQUIRE(floats.nodes().size() == 1);
  const Node& conv = floats.node(floats.nodes().front());
  CHECK(conv.op_type == "Conv");
  CHECK(floats.value(conv.input(0)).name == "x");
  CHECK(floats.value(conv.output(0)).name == "y");
  CHECK(floats.is_output(conv.output(0)));
  CHECK(floats.constant(conv.input(1))->data<float>()[0] == 2.0F);
  CHECK(floats.constant(conv.input(1))->data<float>()[1] == -1.5F);
  CHECK(floats.constant(conv.input(2))->data<float>()[1] == 2.5F);
}

TEST_CASE("floats behind QuantizeLinear become the integers that it makes of them") {
  Graph graph = graph_of(R"(graph opset 21 {
    input x: f32[1,2]
    const w: f32[2,2] = {0.26,-0.5,1,9}
    const s: f32[2] = {0.5,0.25}
    const z: i4[2] = {0,0}
    wq = QuantizeLinear(w, s, z) {axis=0}
    wd = DequantizeLinear(wq, s, z) {axis=0}
    y = MatMul(x, wd)
    output y
  })");
  CHECK(store_integers(graph) == 1);
  graph.check();
  const Tensor& stored = *graph.constant(id_of(graph, "wq"));
  CHECK(stored.dtype() == DType::i4);
  const auto values = stored.data<Int4>();
  CHECK(std::vector<int>(values.begin(), values.end()) == std::vector<int>{1, -1, 4, 7});
  CHECK_FALSE(graph.find_value("w").has_value());
  CHECK(store_integers(graph) == 0);
}
