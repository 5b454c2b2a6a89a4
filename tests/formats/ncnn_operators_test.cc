// What cannot be written or read, and forms of which there are several.
#include <algorithm>
#include <catch2/catch.hpp>

#include "ncnn_support.h"
#include "octavo/error.h"
#include "octavo/formats.h"
#include "onnx_support.h"

using namespace octavo;
using namespace octavo::formats::ncnn;
using namespace octavo::formats_test;

namespace {

Graph graph_of(const std::string& body) {
  Graph graph = parse_graph("graph opset 13 { " + body + " output y }");
  infer_shapes(graph);
  return graph;
}

std::string reason(const std::string& body) {
  const auto unsupported = layers_of(graph_of(body)).unsupported;
  return unsupported.empty() ? "none" : unsupported.front().reason;
}

std::string lines(const std::string& body) {
  const std::string text = write_ncnn(graph_of(body)).param;
  return text.substr(text.find('\n', text.find('\n') + 1) + 1);
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string refused(const std::string& layers, ErrorCode code = ErrorCode::bad_model) {
  const auto count = std::count(layers.begin(), layers.end(), '\n');
  return error_of(code, [&] {
    read_ncnn(fmt::format("7767517\n{} {}\nInput x 0 1 x 0=4 1=4 2=2\n{}", count + 1, count + 1, layers), "");
  });
}

}  // namespace

TEST_CASE("ncnn: all nodes without a form are named at once, with their reasons") {
  const Graph graph = graph_of(R"(input x: f32[1,4,6,6] a = LRN "norm" (x) {size=3} const ax: i64[1] = {0}
    b = ReduceSum "sum" (a, ax) {keepdims=1} y = Relu(b))");
  const std::string message = error_of(ErrorCode::unsupported, [&] { require_layers(graph); });
  CHECK(contains(message, "2 operators"));
  CHECK(contains(message, "LRN 'norm': octavo knows no layer of ncnn for LRN"));
  CHECK(contains(message, "ReduceSum 'sum': it works along the batch"));
  CHECK(exporter_named("ncnn").unsupported(graph).size() == 2);
}

TEST_CASE("ncnn: what its layers cannot do is refused") {
  CHECK(contains(reason("input x: f32[2,4,6,6] y = Relu(x)"), "one sample at a time"));
  CHECK(contains(reason("input x: f32[4] y = Relu(x)"), "1 dimensions"));
  CHECK(contains(reason("input x: f32[1,4,6] const w: f32[2,4,3] = random(1) y = Conv(x, w)"), "over 1 dimensions"));
  CHECK(contains(reason("input x: f32[1,4,6,6] input w: f32[1,4,3,3] y = Conv(x, w)"), "no constant of f32"));
  CHECK(contains(reason("input x: f32[1,1,6,6] y = Transpose(x) {perm=[1,0,2,3]}"), "moves the batch"));
  CHECK(contains(reason("input x: f32[1,4,6,6] y = MaxPool(x) {kernel_shape=[2,2], dilations=[2,2]}"), "dilated"));
  CHECK(contains(reason(R"(input x: f32[1,4,6,6] const s: i64[1] = {0} const e: i64[1] = {4} const a: i64[1] = {1}
    const t: i64[1] = {2} y = Slice(x, s, e, a, t))"),
                 "other than height and width"));
  CHECK(contains(reason("input x: f32[1,4,5,5] y = AveragePool(x) {kernel_shape=[2,2], strides=[2,2], ceil_mode=1, "
                        "count_include_pad=1}"),
                 "counts pads"));
  CHECK(contains(reason(R"(input x: f32[1,4,6,6] const s: f32[4] = {1,1,1.5,1.5} y = Resize(x, _, s)
    {mode="nearest", nearest_mode="ceil"})"),
                 "other neighbours"));
}

TEST_CASE("ncnn: integers that its kernels do not compute with are refused") {
  const auto convolution = [](const char* type, const char* zero, const char* weights) {
    return reason(fmt::format(R"(input x: f32[1,2,4,4] const s: f32[] = {{0.5}} const z: {}[] = {{{}}}
      q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z) const wi: i8[1,2,1,1] = {{{}}} const wz: i8[] = {{0}}
      w = DequantizeLinear(wi, s, wz) y = Conv(d, w))",
                              type, zero, weights));
  };
  CHECK(convolution("i8", "0", "3,-127") == "none");
  CHECK(contains(convolution("u8", "128", "3,-127"), "u8 with zero point 128"));
  CHECK(contains(convolution("u8", "128", "3,-127"), "--backend ncnn"));
  CHECK(contains(convolution("i8", "3", "3,-127"), "zero point 3"));
  CHECK(contains(convolution("i8", "0", "3,-128"), "-128"));
}

TEST_CASE("ncnn: weights of 4 bits are written as bytes") {
  CHECK(reason(R"(input x: f32[1,2,4,4] const s: f32[] = {0.5} const z: i8[] = {0}
    q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z) const wi: i4[1,2,1,1] = {3,-7} const wz: i4[] = {0}
    w = DequantizeLinear(wi, s, wz) y = Conv(d, w))") == "none");
}

TEST_CASE("ncnn: int8 groups that its kernels leave uninitialized are refused") {
  const auto grouped = [](int outputs) {
    return reason(fmt::format(R"(input x: f32[1,4,4,4] const s: f32[] = {{0.5}} const z: i8[] = {{0}}
      q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z) const wi: i8[{},2,1,1] = fill(3)
      w = DequantizeLinear(wi, s, z) y = Conv(d, w) {{group=2}})",
                              2 * outputs));
  };
  CHECK(contains(grouped(8), "multiple of 8 outputs"));
  CHECK(grouped(6) == "none");
}

TEST_CASE("ncnn: a batch of any size is one of 1, and blobs with several readers are split") {
  const std::string text = lines("input x: f32[N,2,4,4] a = Relu(x) b = Neg(a) y = Add(a, b)");
  CHECK(contains(text, "Input                    x                        0 1 x 0=4 1=4 2=2"));
  CHECK(contains(text,
                 "Split                    splitncnn_0              1 2 a a_splitncnn_0 a_splitncnn_1 "
                 "-23330=8,3,4,4,2,3,4,4,2"));
}

TEST_CASE("ncnn: an activation is fused where it alone reads a convolution") {
  const std::string weights = "input x: f32[1,2,4,4] const w: f32[2,2,1,1] = random(1) c = Conv(x, w) ";
  CHECK(contains(lines(weights + "y = Relu(c)"), "1 1 x y 0=2 1=1 6=4 9=1"));
  CHECK(contains(lines(weights + "const l: f32[] = {0} const h: f32[] = {6} y = Clip(c, l, h)"),
                 "9=3 -23310=2,0.000000e+00,6.000000e+00"));
  CHECK(contains(lines(weights + "r = Relu(c) y = Add(r, c)"), "ReLU "));
  CHECK(contains(lines(weights + "y = Relu(c) output c"), "ReLU "));
}

TEST_CASE("ncnn: names have no blanks, fit its reader, and differ") {
  const std::string longest(300, 'n');
  const std::string text =
      lines("input \"a b\": f32[1,2] c = Relu \"a b\" (\"a b\") d = Relu \"" + longest + "\" (c) y = Relu(d)");
  CHECK(contains(text, "a_b"));
  CHECK(contains(text, "a_b_1"));
  CHECK_FALSE(contains(text, longest));
}

TEST_CASE("ncnn: int8 goes from one convolution to the next where all readers want the same") {
  const auto term = [](const std::string& rest) {
    return lines(R"(input x: f32[1,2,4,4] const s: f32[] = {0.5} const t: f32[] = {0.25} const z: i8[] = {0}
      const wi: i8[2,2,1,1] = {1,2,3,4} w = DequantizeLinear(wi, s, z) q = QuantizeLinear(x, s, z)
      d = DequantizeLinear(q, s, z) c = Conv(d, w) )" +
                 rest);
  };
  const std::string pair = "cq = QuantizeLinear(c, t, z) cd = DequantizeLinear(cq, t, z) ";
  CHECK(contains(term(pair + "y = Conv(cd, w)"), "8=102"));
  CHECK(contains(term(pair + "e = Conv(cd, w) f = Conv(cd, w) y = Add(e, f)"), "8=102"));
  CHECK_FALSE(contains(term(pair + "e = Conv(cd, w) y = Add(e, c)"), "8=102"));  // a float reader
  CHECK_FALSE(contains(term(pair + "y = Conv(cd, w) output c"), "8=102"));
  CHECK_FALSE(contains(term(pair + R"(uq = QuantizeLinear(c, s, z) ud = DequantizeLinear(uq, s, z) e = Conv(cd, w)
    f = Conv(ud, w) y = Add(e, f))"),
                       "8=102"));  // two scales
}

TEST_CASE("ncnn: files that contradict themselves are refused, naming the layer") {
  CHECK(contains(refused("ReLU r 1 1 z y\n"), "layer 'r' (ReLU): blob 'z' is read before"));
  CHECK(contains(refused("ReLU r 1 1 x x\n"), "written twice"));
  CHECK(contains(refused("Convolution c 1 1 x y 0=3 1=3 6=55\n"), "55 weights are not those of 3 outputs"));
  CHECK(contains(refused("Convolution c 1 1 x y 0=3 1=3 6=54\n"), "ends too early"));
  CHECK(contains(refused("Convolution c 1 1 x y 0=0 1=3 6=54\n"), "outputs is 0"));
  CHECK(contains(refused("MemoryData m 0 1 m 0=16777216 1=16777216\n"), "ends too early"));
  CHECK(contains(refused("Permute p 1 1 x y 0=9\n"), "the order is 9"));
  CHECK(contains(refused("Concat c 1 1 x y 0=7\n"), "the axis is 7"));
  CHECK(contains(refused("LSTM l 1 1 x y 0=9\n", ErrorCode::unsupported), "octavo does not read layers of this type"));
  CHECK(contains(refused("Convolution c 1 1 x y 0=3 1=3 6=54 19=1\n", ErrorCode::unsupported), "at run time"));
}

TEST_CASE("ncnn: an input without sizes takes what its first reader wants") {
  const std::string weights(4 + 2 * 3 * 4, '\0');
  const Graph graph = read_ncnn("7767517\n2 2\nInput in0 0 1 in0\nConvolution c 1 1 in0 out0 0=2 1=1 6=6\n", weights);
  const Dims& dims = graph.value(graph.inputs().front()).dims.value();
  REQUIRE(dims.size() == 4);
  CHECK(dims[0].size == 1);
  CHECK(dims[1].size == 3);
  CHECK(dims[2].symbol == "height");
}
