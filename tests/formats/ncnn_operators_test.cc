// What cannot be written or read, and forms of which there are several.
#include <algorithm>
#include <catch2/catch.hpp>

#include "ncnn_support.h"
#include "octavo/error.h"
#include "octavo/execute.h"
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
  const Graph graph = graph_of(R"(input x: f32[1,4,6,6] a = Hardmax "norm" (x) const ax: i64[1] = {0}
    b = ReduceSum "sum" (a, ax) {keepdims=1} y = Relu(b))");
  const std::string message = error_of(ErrorCode::unsupported, [&] { require_layers(graph); });
  CHECK(contains(message, "2 operators"));
  CHECK(contains(message, "Hardmax 'norm': octavo knows no layer of ncnn for Hardmax"));
  CHECK(contains(message, "ReduceSum 'sum': it works along the batch"));
  CHECK(exporter_named("ncnn").unsupported(graph).size() == 2);
}

TEST_CASE("ncnn: what its layers cannot do is refused") {
  CHECK(contains(reason("input x: f32[2,4,6,6] y = Relu(x)"), "one sample at a time"));
  CHECK(contains(reason("input x: f32[4] y = Relu(x)"), "1 dimensions"));
  CHECK(contains(reason("input x: f32[1,4,6,6,6] const w: f32[2,4,1,1,1] = random(1) y = Conv(x, w)"),
                 "over 3 dimensions"));
  CHECK(contains(reason("input x: f32[1,4,6,6] input w: f32[1,4,3,3] y = Conv(x, w)"), "no constant of f32"));
  CHECK(contains(reason("input x: f32[1,4] const e: f32[9,4] = random(1) const i: i64[1] = {3} y = Gather(e, i)"),
                 "looks up rows of a constant"));
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

TEST_CASE("ncnn: a Slice may name the batch where it keeps all of it") {
  // As TensorFlow's and Keras' exporters do.
  const auto slice = [](const char* begins, const char* ends) {
    return fmt::format(
        "input x: f32[1,4,6,6] const s: i64[3] = {{{}}} const e: i64[3] = {{{}}} "
        "const a: i64[3] = {{0,2,3}} y = Slice \"cut\" (x, s, e, a)",
        begins, ends);
  };
  CHECK(
      contains(lines(slice("0,2,0", "9223372036854775807,5,2147483647")), "1 1 x y -23309=1,2 -23310=1,5 -23311=1,1"));
  CHECK(contains(lines(slice("-1,0,0", "1,6,6")), "Noop "));
  CHECK(contains(reason(slice("1,0,0", "2,6,6")), "along the batch"));
  CHECK(contains(reason(slice("0,0,0", "-1,6,6")), "along the batch"));
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

TEST_CASE("ncnn: what a layer has wrong is said with its line") {
  CHECK(contains(refused("ReLU r 1 1 x a\nBinaryOp b 2 1 a nowhere y 0=0\n"),
                 "line 5: layer 'b' (BinaryOp): blob 'nowhere'"));
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

namespace {

/// What the graph computes, and what is read back of its files.
void check_same_numbers(const std::string& body) {
  INFO(body);
  const Graph graph = graph_of(body);
  const NcnnFiles files = write_ncnn(graph);
  INFO(files.param);
  const Graph read = read_ncnn(files.param, files.weights);
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs()) {
    Tensor& input = inputs.emplace_back(DType::f32, *graph.value(id).static_shape());
    float x = 0.1F;
    for (float& value : input.mutable_data<float>()) value = x = 3.7F * x * (1.0F - x);
  }
  const Executor before(graph);
  const Executor after(read);
  const Tensor expected = Executor::Session(before).run(inputs).front();
  const Tensor found = Executor::Session(after).run(inputs).front();
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < static_cast<std::size_t>(found.size()); ++i) {
    CHECK(found.data<float>()[i] == Approx(expected.data<float>()[i]).margin(1e-5));
  }
}

}  // namespace

TEST_CASE("ncnn: layers of one dimension, of normalization, of any order, and parts, computed again as read back") {
  const std::string wave = "input x: f32[1,4,9] ";
  check_same_numbers(wave +
                     "const w: f32[6,4,3] = random(1) const b: f32[6] = random(2) c = Conv(x, w, b) "
                     "{pads=[2,1], strides=[2], dilations=[2]} y = Relu(c)");
  check_same_numbers(wave + "const w: f32[4,2,3] = random(1) y = Conv(x, w) {group=2}");
  check_same_numbers(wave + "y = MaxPool(x) {kernel_shape=[3], strides=[2], pads=[1,0]}");
  check_same_numbers(wave + "y = AveragePool(x) {kernel_shape=[2], strides=[2], pads=[1,1], count_include_pad=1}");
  check_same_numbers(wave + "p = GlobalAveragePool(x) y = Flatten(p)");
  check_same_numbers(wave + "y = GlobalMaxPool(x)");
  check_same_numbers("input x: f32[1,6,3,3] y = LRN(x) {size=3, alpha=0.5, beta=0.6, bias=2.0}");
  check_same_numbers(
      "input x: f32[1,3,4,4] const s: f32[3] = random(1) const b: f32[3] = random(2) "
      "y = InstanceNormalization(x, s, b) {epsilon=0.01}");
  const std::string rows = "const s: f32[4] = random(1) const b: f32[4] = random(2) ";
  check_same_numbers("input x: f32[1,3,5,4] " + rows + "y = LayerNormalization(x, s, b) {epsilon=0.01}");
  check_same_numbers("input x: f32[1,5,4] " + rows + "y = LayerNormalization(x, s) {axis=2}");
  check_same_numbers("input x: f32[1,4] " + rows + "y = LayerNormalization(x, s, b)");
  check_same_numbers("input x: f32[1,5] y = LogSoftmax(x)");
  check_same_numbers("input x: f32[1,5] a = Gelu(x) y = Gelu(a) {approximate=\"tanh\"}");
  check_same_numbers("input x: f32[1,2,3,4,5] y = Transpose(x) {perm=[0,1,3,4,2]}");
  check_same_numbers("input x: f32[1,2,3,4,5] y = Transpose(x) {perm=[0,4,2,1,3]}");
  check_same_numbers("input x: f32[1,5,4] const i: i64[] = {-2} y = Gather(x, i) {axis=1}");
  check_same_numbers("input x: f32[1,5,4] const i: i64[2] = {1,2} y = Gather(x, i) {axis=2}");
  check_same_numbers("input x: f32[1,3,2,4] const w: f32[4,5] = random(1) y = MatMul(x, w)");
  check_same_numbers("input x: f32[1,3,1,1] const s: f32[4] = {1,1,5,4} y = Resize(x, _, s) {mode=\"linear\"}");
}

TEST_CASE("ncnn: squares and cubes are products, because its powers have no sign") {
  for (const char* const power : {"2", "3"}) {
    const std::string body = fmt::format("input x: f32[1,4,3] const p: f32[] = {{{}}} y = Pow(x, p)", power);
    CHECK(contains(lines(body), "0=2"));
    CHECK_FALSE(contains(lines(body), "0=6"));
    check_same_numbers(body);
  }
}

TEST_CASE("ncnn: a batch that a Transpose moves is left out where it is") {
  const std::string heads =
      "input x: f32[1,5,8] const s: i64[5] = {1,5,2,2,2} r = Reshape(x, s) t = Transpose(r) {perm=[2,0,3,1,4]} ";
  check_same_numbers(heads +
                     "const q: i64[] = {0} a = Gather(t, q) {axis=0} const k: i64[] = {1} "
                     "b = Gather(t, k) {axis=0} c = Transpose(b) {perm=[0,1,3,2]} y = MatMul(a, c)");
  check_same_numbers(heads +
                     "const f: f32[2,1,1,1,1] = random(1) m = Mul(t, f) u, v = Split(m) {axis=0} "
                     "d = Add(u, v) const z: i64[3] = {1,2,10} y = Reshape(d, z)");
  check_same_numbers(
      "input x: f32[1,4,6] t = Transpose(x) {perm=[2,0,1]} const w: f32[4,3] = random(1) "
      "const z: i64[2] = {6,4} r = Reshape(t, z) g = Gemm(r, w) const o: i64[3] = {6,1,3} "
      "n = Reshape(g, o) y = Transpose(n) {perm=[1,0,2]}");
  CHECK(contains(reason("input x: f32[1,4,6] t = Transpose(x) {perm=[1,0,2]} const c: f32[4,3,6] = random(1) "
                        "y = Add(t, c)"),
                 "batch"));
}
