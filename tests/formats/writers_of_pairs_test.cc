#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <sstream>

#include "onnx/qoperators.h"
#include "onnx_support.h"
#include "openvino/fake_quantize.h"
#include "qdq.h"
#include "table_json/table_json.h"
#include "tensorrt/ranges.h"

using namespace octavo;
using namespace octavo::formats;
using formats_test::error_of;
using formats_test::read_file;
using formats_test::TemporaryFolder;

namespace {

/// Conv with a bias in float and a Relu that only a Clip can do, MaxPool, and Gemm with a float result.
const char* const kNet = R"(graph "net" opset 13 {
  input x: f32[1,1,2,2]
  const xs: f32[] = {0.5}
  const xz: i8[] = {0}
  xq = QuantizeLinear(x, xs, xz)
  xd = DequantizeLinear(xq, xs, xz)
  const w_quantized: i8[2,1,1,1] = {4,-127}
  const ws: f32[2] = {0.5,0.25}
  const wz: i8[2] = {0,0}
  w = DequantizeLinear(w_quantized, ws, wz) {axis=0}
  const b: f32[2] = {1, -0.5}
  c = Conv "conv" (xd, w, b)
  r = Relu(c)
  const rs: f32[] = {0.25}
  rq = QuantizeLinear(r, rs, xz)
  rd = DequantizeLinear(rq, rs, xz)
  m = MaxPool(rd) {kernel_shape=[2,2]}
  mq = QuantizeLinear(m, rs, xz)
  md = DequantizeLinear(mq, rs, xz)
  f = Flatten(md)
  fq = QuantizeLinear(f, rs, xz)
  fd = DequantizeLinear(fq, rs, xz)
  const v: i8[2,1] = {1,-128}
  const vs: f32[] = {2}
  vd = DequantizeLinear(v, vs, xz)
  y = Gemm "fc" (fd, vd)
  output y
})";

Graph graph_of(const std::string& text) {
  Graph graph = parse_graph(text);
  infer_shapes(graph);
  return graph;
}

std::multiset<std::string> operators(const Graph& graph) {
  std::multiset<std::string> types;
  for (const NodeId id : graph.nodes()) types.insert(graph.node(id).op_type);
  return types;
}

const Node& node_of(const Graph& graph, std::string_view op_type) {
  for (const NodeId id : graph.nodes()) {
    if (graph.node(id).op_type == op_type) return graph.node(id);
  }
  FAIL("no " << op_type);
  return graph.node(kNoNode);
}

}  // namespace

TEST_CASE("QOperator: integers from input to output, a Relu below no saturation as a Clip on them") {
  const Graph graph = onnx_file::to_qoperators(graph_of(kNet));
  graph.check();
  CHECK(operators(graph) == std::multiset<std::string>{"QuantizeLinear", "QLinearConv", "Clip", "MaxPool", "Flatten",
                                                       "DequantizeLinear", "DequantizeLinear", "Gemm"});
  const Node& conv = node_of(graph, "QLinearConv");
  CHECK(conv.name == "conv");
  const Tensor& bias = *graph.constant(conv.input(8));
  CHECK(bias.dtype() == DType::i32);
  CHECK(bias.data<std::int32_t>()[0] == 4);   // 1 / (0.5 * 0.5)
  CHECK(bias.data<std::int32_t>()[1] == -4);  // -0.5 / (0.5 * 0.25)
  const Node& clip = node_of(graph, "Clip");
  CHECK(graph.constant(clip.input(1))->data<std::int8_t>()[0] == 0);
  CHECK(graph.constant(clip.input(2))->data<std::int8_t>()[0] == 127);
}

TEST_CASE("QOperator: Gemm has kernels for unsigned activations alone, and may end in float") {
  const std::string net = R"(
    input x: f32[1,2]
    const s: f32[] = {0.5}
    const z: u8[] = {3}
    q = QuantizeLinear(x, s, z)
    d = DequantizeLinear(q, s, z)
    const w: i8[3,2] = {1,2,3,4,5,6}
    const ws: f32[3] = {0.5,0.25,0.125}
    const wz: i8[3] = {0,0,0}
    v = DequantizeLinear(w, ws, wz) {axis=0}
    const b: f32[3] = {1,2,3} )";
  const Graph graph =
      onnx_file::to_qoperators(graph_of("graph opset 13 {" + net + "y = Gemm(d, v) {transB=1, beta=1.0} output y}"));
  CHECK(operators(graph) == std::multiset<std::string>{"QuantizeLinear", "QGemm"});
  CHECK(graph.opsets.at("com.microsoft") == 1);
  const Node& gemm = node_of(graph, "QGemm");
  CHECK(gemm.domain == "com.microsoft");
  CHECK(gemm.inputs.size() == 6);  // neither bias nor parameters of a result
  CHECK_FALSE(gemm.has("beta"));
  CHECK(graph.value(gemm.output(0)).name == "y");
  const Graph integers = onnx_file::to_qoperators(
      graph_of("graph opset 13 {" + net +
               "g = Gemm(d, v, b) {transB=1} r = QuantizeLinear(g, s, z) y = DequantizeLinear(r, s, z) "
               "output y}"));
  const Node& both = node_of(integers, "QGemm");
  CHECK(both.inputs.size() == 9);
  CHECK(integers.constant(both.input(6))->data<std::int32_t>()[2] == 48);  // 3 / (0.5 * 0.125)
  const Graph factor =
      onnx_file::to_qoperators(graph_of("graph opset 13 {" + net + "y = Gemm(d, v, b) {transB=1, beta=2.0} output y}"));
  CHECK(operators(factor).count("Gemm") == 1);
}

TEST_CASE("QOperator: zero points that were left out are as many zeros as there are scales") {
  std::string text = kNet;
  const std::string with = "w = DequantizeLinear(w_quantized, ws, wz)";
  text.replace(text.find(with), with.size(), "w = DequantizeLinear(w_quantized, ws)");
  const Graph graph = onnx_file::to_qoperators(graph_of(text));
  const Tensor& zeros = *graph.constant(node_of(graph, "QLinearConv").input(5));
  CHECK(zeros.dtype() == DType::i8);
  CHECK(zeros.shape() == Shape{2});
  CHECK(zeros.data<std::int8_t>()[0] == 0);
  CHECK(zeros.data<std::int8_t>()[1] == 0);
}

TEST_CASE("QOperator: what cannot be written on integers stays between its pairs") {
  const auto becomes = [](const std::string& text) { return operators(onnx_file::to_qoperators(graph_of(text))); };
  std::string text = kNet;
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string other = text;
    other.replace(other.find(from), from.size(), to);
    return other;
  };
  CHECK(becomes(replaced("opset 13", "opset 11")).count("Relu") == 1);  // no Clip of integers before 12
  CHECK(becomes(replaced("opset 13", "opset 11")).count("MaxPool") == 1);
  CHECK(becomes(replaced("{1, -0.5}", "{1, -1e20}")).count("Conv") == 1);  // beyond int32
  CHECK(becomes(replaced("wz: i8[2] = {0,0}", "wz: i8[2] = {0,1}")).count("Conv") == 1);
  CHECK(becomes(replaced("output y", "output y output c")).count("Conv") == 1);
  CHECK(becomes(replaced("const rs: f32[] = {0.25}", "input rs: f32[]")).count("Conv") == 1);
  CHECK(becomes("graph opset 13 { input x: f32[1,4] y = Softmax(x) output y }") ==
        std::multiset<std::string>{"Softmax"});
}

TEST_CASE("FakeQuantize has the reals of the lowest and highest integer, and weights stay integers") {
  CHECK(openvino::unsupported(graph_of(kNet)).empty());
  const Graph graph = openvino::to_fake_quantize(graph_of(kNet));
  graph.check();
  CHECK(operators(graph).count("FakeQuantize") == 4);
  CHECK(operators(graph).count("QuantizeLinear") == 0);
  CHECK(operators(graph).count("DequantizeLinear") == 2);
  CHECK(graph.constant(graph.find_value("w_quantized").value())->dtype() == DType::i8);
  CHECK(graph.opsets.at("org.openvinotoolkit") == 1);
  const auto limits = [&](const char* value) {
    const Node& node = graph.node(graph.producer(graph.find_value(value).value()));
    REQUIRE(node.op_type == "FakeQuantize");
    CHECK(node.domain == "org.openvinotoolkit");
    CHECK(node.inputs[1] == node.inputs[3]);
    CHECK(node.inputs[2] == node.inputs[4]);
    return std::tuple{node.int_or("levels", 0), *graph.constant(node.inputs[1]), *graph.constant(node.inputs[2])};
  };
  const auto [levels, low, high] = limits("xd");
  CHECK(levels == 256);
  CHECK(low.data<float>()[0] == -64.0F);
  CHECK(high.data<float>()[0] == 63.5F);
}

TEST_CASE("FakeQuantize: weights of four bits have 255 or 256 levels") {
  const Graph graph = openvino::to_fake_quantize(graph_of(R"(graph opset 21 {
    input x: f32[1,2]
    const q: i4[2,2] = {1,-2,3,-8}
    const s: f32[2] = {0.5,0.25}
    const z: i4[2] = {0,0}
    w = DequantizeLinear(q, s, z) {axis=1}
    const u: u4[2,2] = {1,2,3,15}
    const us: f32[] = {2}
    const uz: u4[] = {8}
    v = DequantizeLinear(u, us, uz)
    y = MatMul(x, w)
    z_2 = MatMul(y, v)
    output z_2
  })"));
  graph.check();
  CHECK(operators(graph) == std::multiset<std::string>{"FakeQuantize", "FakeQuantize", "MatMul", "MatMul"});
  const Node& weight = graph.node(graph.producer(graph.find_value("w").value()));
  CHECK(weight.int_or("levels", 0) == 255);
  CHECK(graph.constant(weight.inputs[1])->shape() == Shape{1, 2});
  CHECK(graph.constant(weight.inputs[1])->data<float>()[1] == -31.75F);
  CHECK(graph.constant(weight.inputs[2])->data<float>()[0] == 63.5F);
  CHECK(graph.node(graph.producer(graph.find_value("v").value())).int_or("levels", 0) == 256);
}

TEST_CASE("FakeQuantize: what it cannot say is listed") {
  const auto reasons = [](const std::string& text) {
    std::string all;
    for (const UnsupportedNode& node : openvino::unsupported(graph_of(text))) all += node.reason + "\n";
    return all;
  };
  const std::string head = "graph opset 21 { input x: f32[1,4] const s: f32[] = {1} const z: u8[] = {0} ";
  CHECK_THAT(reasons(head + "y = QuantizeLinear(x, s, z) output y }"), Catch::Contains("leave the graph"));
  CHECK_THAT(reasons(head + "q = QuantizeLinear(x, s, z) y = Transpose(q) output y }"),
             Catch::Contains("other operators"));
  CHECK_THAT(
      reasons(head + "const t: f32[] = {2} q = QuantizeLinear(x, s, z) y = DequantizeLinear(q, t, z) output y }"),
      Catch::Contains("same parameters"));
  CHECK_THAT(reasons(head + "const w: i8[4,2] = random(1) const g: f32[2,2] = {1,2,3,4} "
                            "d = DequantizeLinear(w, g) {axis=0, block_size=2} y = MatMul(x, d) output y }"),
             Catch::Contains("per group"));
  TemporaryFolder folder;
  CHECK_THAT(error_of(ErrorCode::unsupported,
                      [&] {
                        export_model(graph_of(head + "y = QuantizeLinear(x, s, z) output y }"),
                                     exporter_named("openvino-fakequantize"), folder / "m.onnx");
                      }),
             Catch::Contains("QuantizeLinear"));
  CHECK(folder.files().empty());
}

TEST_CASE("TensorRT's calibration cache and dynamic ranges, with the float model that they are for") {
  TemporaryFolder folder;
  const Graph graph = graph_of(kNet);
  CHECK(export_model(graph, exporter_named("tensorrt-cache"), folder / "m.cache") ==
        std::vector<std::filesystem::path>{folder / "m.cache", folder / "m_float.onnx"});
  // Python: struct.pack('>f', 0.5).hex() == '3f000000'
  CHECK(read_file(folder / "m.cache") ==
        "TRT-8XXX-EntropyCalibration2\nx: 3f000000\nr: 3e800000\nm: 3e800000\nf: 3e800000\n");
  SaveOptions options;
  options.runtime_version = "8601";
  export_model(graph, exporter_named("tensorrt-cache"), folder / "m.cache", options);
  CHECK(read_file(folder / "m.cache").starts_with("TRT-8601-EntropyCalibration2\n"));
  export_model(graph, exporter_named("tensorrt-json"), folder / "m.json");
  CHECK(read_file(folder / "m.json") ==
        "{\"act_quant_info\": {\n  \"x\": 63.5,\n  \"r\": 31.75,\n  \"m\": 31.75,\n  \"f\": 31.75\n}}\n");
  const Graph floats = load_model(folder / "m_float.onnx");
  CHECK(operators(floats) == std::multiset<std::string>{"Conv", "Relu", "MaxPool", "Flatten", "Gemm"});
  CHECK(floats.constant(node_of(floats, "Conv").input(1))->data<float>()[1] == -31.75F);
}

TEST_CASE("TensorRT's files of ranges are refused where there is none") {
  const Graph graph = graph_of("graph opset 13 { input x: f32[1,3] y = Relu(x) output y }");
  const TemporaryFolder folder;
  for (const std::string_view name : {"tensorrt-cache", "tensorrt-json"}) {
    const Exporter& exporter = exporter_named(name);
    const std::string message = error_of(
        ErrorCode::unsupported, [&] { export_model(graph, exporter, folder / ("m" + std::string(exporter.ending))); });
    CHECK(message.find("no activation of '' has a scale") != std::string::npos);
  }
  CHECK(folder.files().empty());
}

TEST_CASE("TensorRT's files have no place for zero points, unsigned integers and channels") {
  const auto reason = [](const std::string& constants) {
    const auto nodes = tensorrt::unsupported(graph_of("graph opset 13 { input x: f32[1,2] " + constants +
                                                      " q = QuantizeLinear(x, s, z) y = DequantizeLinear(q, s, z) "
                                                      "output y }"));
    return nodes.empty() ? std::string() : nodes.front().reason;
  };
  CHECK(reason("const s: f32[] = {1} const z: i8[] = {0}").empty());
  CHECK_THAT(reason("const s: f32[] = {1} const z: i8[] = {3}"), Catch::Contains("zero point is 3"));
  CHECK_THAT(reason("const s: f32[] = {1} const z: u8[] = {0}"), Catch::Contains("u8"));
  CHECK_THAT(reason("const s: f32[2] = {1,2} const z: i8[2] = {0,0}"), Catch::Contains("each channel"));
}

TEST_CASE("writers of pairs meet graphs whose nodes read anything at all: a sound file, or an error") {
  const Graph sound = graph_of(kNet);
  std::mt19937 random(7);
  for (int trial = 0; trial < 1000; ++trial) {
    Graph graph = sound;
    const auto nodes = graph.nodes();
    const auto values = graph.values();
    const NodeId node = nodes[random() % nodes.size()];
    std::vector<ValueId> inputs = graph.node(node).inputs;
    if (random() % 4 == 0) inputs.resize(random() % (inputs.size() + 2), kNoValue);
    if (!inputs.empty())
      inputs[random() % inputs.size()] = random() % 8 == 0 ? kNoValue : values[random() % values.size()];
    graph.set_inputs_of(node, std::move(inputs));
    try {
      graph.check();
      onnx_file::to_qoperators(graph).check();
      if (openvino::unsupported(graph).empty()) openvino::to_fake_quantize(graph).check();
      if (tensorrt::unsupported(graph).empty()) tensorrt::activation_scales(graph);
      without_pairs(graph).check();
      quantization_table(graph);
    } catch (const Error& error) {
      INFO(error.what());
      CHECK(error.code() == ErrorCode::bad_model);  // a cycle
    }
  }
}

TEST_CASE("the table of all parameters as JSON") {
  const std::string text = quantization_table(graph_of(R"(graph "a\"b" opset 13 {
    input x: f32[1,2]
    const low: f32[] = {-1.5}
    const high: f32[] = {6}
    const s: f32[] = {0.5}
    const z: u8[] = {3}
    x_clipped = Clip(x, low, high)
    q = QuantizeLinear(x_clipped, s, z)
    d = DequantizeLinear(q, s, z)
    const w_quantized: i8[2,2] = {1,2,3,4}
    const ws: f32[2] = {0.5,0.1}
    const wz: i8[2] = {0,0}
    wd = DequantizeLinear(w_quantized, ws, wz) {axis=1}
    y = MatMul(d, wd)
    output y
  })"));
  CHECK(text == R"({
  "format": "octavo quantization table",
  "version": 1,
  "model": "a\"b",
  "activations": [
    {"name": "x", "type": "uint8", "axis": null, "group_size": 0,
     "scale": [0.5],
     "zero_point": [3],
     "quant_min": 0, "quant_max": 15,
     "float_min": [-1.5],
     "float_max": [6]}
  ],
  "constants": [
    {"name": "w", "type": "int8", "axis": 1, "group_size": 0,
     "scale": [0.5, 0.1],
     "zero_point": [0, 0],
     "quant_min": -128, "quant_max": 127,
     "float_min": [-64, -12.8],
     "float_max": [63.5, 12.7]}
  ]
}
)");
}
