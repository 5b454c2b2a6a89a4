#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "octavo/graph.h"

namespace octavo {
namespace {

std::string type_of(const Graph& graph, ValueId id) {
  Graph alone;
  const Value& value = graph.value(id);
  alone.add_value("v", value.dtype, value.dims);
  return to_text(alone);
}

// The graph with nothing said of what its nodes compute, shapes inferred anew.
Graph inferred_anew(const Graph& expected) {
  Graph graph = expected;
  for (const ValueId id : graph.values()) {
    if (graph.producer(id) == kNoNode) continue;
    graph.value(id).dtype = DType::undefined;
    graph.value(id).dims.reset();
  }
  infer_shapes(graph);
  graph.check();
  return graph;
}

// Infers what the nodes of the text compute and compares it with what the text says of those values.
void check_shapes(const std::string& text) {
  INFO(text);
  const Graph expected = parse_graph(text);
  const Graph graph = inferred_anew(expected);
  for (const ValueId id : expected.values()) {
    if (expected.producer(id) == kNoNode) continue;
    INFO(expected.value(id).name);
    CHECK(type_of(graph, id) == type_of(expected, id));
  }
}

std::string error_of(const std::string& statements) {
  Graph graph = parse_graph("graph opset 17 {" + statements + "}");
  try {
    infer_shapes(graph);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::bad_model);
    return error.what();
  }
  return "no error";
}

// Sizes and types must be right where they are known; operators whose sizes the data decide leave them open.
TEST_CASE("shapes of ONNX's node tests") {
  std::ifstream file(OCTAVO_SOURCE_DIR "/tests/graph/golden/node_shapes.txt");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::size_t cases = 0;
  std::size_t open = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find("\n}", begin) + 3;
    const std::string one = text.substr(begin, end - begin);
    begin = end;
    INFO(one);
    ++cases;
    const Graph expected = parse_graph(one);
    const Graph graph = inferred_anew(expected);
    for (const ValueId id : expected.outputs()) {
      const Value& value = graph.value(id);
      CHECK(value.dtype == expected.value(id).dtype);
      const auto& wanted = *expected.value(id).dims;
      if (!value.dims) {
        ++open;
        continue;
      }
      REQUIRE(value.dims->size() == wanted.size());
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (value.dims->at(i).known()) CHECK(value.dims->at(i).size == wanted[i].size);
        open += value.dims->at(i).known() ? 0 : 1;
      }
    }
  }
  CHECK(cases > 600);
  CHECK(open == 9);  // how many boxes NonMaxSuppression leaves, in each of its cases
}

TEST_CASE("symbols stay through a network") {
  check_shapes(R"(graph opset 13 {
    input x: f32[N,3,H,8]
    const w: f32[4,3,3,3] = fill(0)
    const v: f32[4,1,1,1] = fill(0)
    const t: f32[4,2,2,2] = fill(0)
    const c: f32[4] = fill(1)
    a = Conv(x, w) {pads=[1,1,1,1]}                 value a: f32[N,4,H,8]
    b = BatchNormalization(a, c, c, c, c)           value b: f32[N,4,H,8]
    d = Conv(b, v) {group=4, strides=[1,2]}         value d: f32[N,4,H,4]
    e = MaxPool(d) {kernel_shape=[3,3], strides=[2,2], ceil_mode=1}   value e: f32[N,4,?,2]
    f = Conv(x, w) {auto_pad="SAME_LOWER"}          value f: f32[N,4,H,8]
    g = Add(f, a)                                   value g: f32[N,4,H,8]
    h = Concat(g, g) {axis=1}                       value h: f32[N,8,H,8]
    i = GlobalAveragePool(h)                        value i: f32[N,8,1,1]
    j = Flatten(i)                                  value j: f32[N,8]
    k = ConvTranspose(a, t) {strides=[2,2]}         value k: f32[N,2,?,16]
    l = Transpose(x) {perm=[0,2,3,1]}               value l: f32[N,H,8,3]
    m = com.example::Mystery(l)                     value m: ?
    n = Relu(m)                                     value n: ?
    output j
  })");
}

TEST_CASE("shapes are computed through Shape, Gather, Concat and Reshape") {
  check_shapes(R"(graph opset 13 {
    input x: f32[N,3,4,5]
    const zero: i64[] = {0}
    const first: i64[1] = {0}
    const rest: i64[1] = {-1}
    const two: i64[1] = {2}
    const last: i64[1] = {9223372036854775807}
    shape = Shape(x)                    value shape: i64[4]
    n = Gather(shape, zero)             value n: i64[]
    n1 = Unsqueeze(n, first)            value n1: i64[1]
    to = Concat(n1, rest) {axis=0}      value to: i64[2]
    y = Reshape(x, to)                  value y: f32[N,60]
    hw = Slice(shape, two, last)        value hw: i64[2]
    hw2 = Mul(hw, two)                  value hw2: i64[2]
    nc = Slice(shape, first, two)       value nc: i64[2]
    size = Concat(nc, hw2) {axis=0}     value size: i64[4]
    r = Resize(x, _, _, size)           value r: f32[N,3,8,10]
    z = ConstantOfShape(nc)             value z: f32[N,3]
    e = Expand(x, shape)                value e: f32[N,3,4,5]
    output y
  })");
}

TEST_CASE("reshaping with -1, 0 and symbols") {
  check_shapes(R"(graph opset 14 {
    input x: f32[N,6,H,W]
    input u: f32[?,6]
    const a: i64[3] = {0, 6, -1}
    const b: i64[2] = {-1, 6}
    const c: i64[4] = {0, -1, 0, 0}
    const d: i64[5] = {0, 2, 3, 0, 0}
    const e: i64[2] = {-1, 3}
    input s: i64[3]
    xa = Reshape(x, a)   value xa: f32[N,6,?]
    xb = Reshape(x, b)   value xb: f32[?,6]
    xc = Reshape(x, c)   value xc: f32[N,6,H,W]
    ub = Reshape(u, b)   value ub: f32[?,6]
    xs = Reshape(x, s)   value xs: f32[?,?,?]
    output xa
  })");
}

TEST_CASE("operators take axes as attribute or input, by opset") {
  check_shapes(R"(graph opset 11 {
    input x: f32[N,1,6,1]
    a = Squeeze(x) {axes=[1,-1]}                         value a: f32[N,6]
    b = Unsqueeze(a) {axes=[0]}                          value b: f32[1,N,6]
    c, d = Split(x) {axis=2, split=[2,4]}                value c: f32[N,1,2,1] value d: f32[N,1,4,1]
    e = ReduceSum(x) {axes=[2], keepdims=0}              value e: f32[N,1,1]
    f = Slice(g, h, i)                                   value f: f32[N,1,2,1]
    g = Relu(x)                                          value g: f32[N,1,6,1]
    const h: i64[3] = {0, 0, -2}
    const i: i64[3] = {9223372036854775807, 1, 100}
    output f
  })");
  check_shapes(R"(graph opset 18 {
    input x: f32[N,1,6,1]
    const axes: i64[2] = {1, -1}
    const parts: i64[2] = {2, 4}
    const front: i64[1] = {0}
    const k: i64[1] = {2}
    a = Squeeze(x, axes)                                 value a: f32[N,6]
    b = Unsqueeze(a, front)                              value b: f32[1,N,6]
    c, d = Split(x, parts) {axis=2}                      value c: f32[N,1,2,1] value d: f32[N,1,4,1]
    e = ReduceMean(x, axes) {keepdims=0}                 value e: f32[N,6]
    f, g = TopK(a, k)                                    value f: f32[N,2] value g: i64[N,2]
    output f
  })");
}

TEST_CASE("quantized operators have the type of their zero point") {
  check_shapes(R"(graph opset 13 {
    input x: f32[N,3,8,8]
    const s: f32[] = {0.1}
    const z: i8[] = {0}
    const w: i8[4,3,1,1] = fill(1)
    const m: i8[8,5] = fill(1)
    const scales: f32[4] = {1, 1, 2, 0.5}
    q = QuantizeLinear(x, s, z)                    value q: i8[N,3,8,8]
    u = QuantizeLinear(x, s)                       value u: u8[N,3,8,8]
    d = DequantizeLinear(q, s, z)                  value d: f32[N,3,8,8]
    c = QLinearConv(q, s, z, w, s, z, s, z)        value c: i8[N,4,8,8]
    i = ConvInteger(q, w)                          value i: i32[N,4,8,8]
    l = QLinearMatMul(q, s, z, m, s, z, s, z)      value l: i8[N,3,8,5]
    y, ys, yz = DynamicQuantizeLinear(x)           value y: u8[N,3,8,8] value ys: f32[] value yz: u8[]
    r = Resize(x, _, scales)                       value r: f32[N,3,16,4]
    output d
  })");
}

TEST_CASE("annotations stay where nothing better is known") {
  Graph graph = parse_graph(R"(graph opset 13 {
    input x: f32[N,3]
    y = com.example::Mystery(x)
    value y: f32[N,7]
    z = Relu(y)
    value z: ?[batch,?]
    output z
  })");
  infer_shapes(graph);
  CHECK(graph.value(*graph.find_value("z")).dtype == DType::f32);
  CHECK(*graph.value(*graph.find_value("z")).dims == Dims{{Dim::kUnknown, "N"}, {7, ""}});
}

TEST_CASE("shapes that contradict the graph are not believed") {
  // ONNX Runtime warns of both and runs: PyTorch 1.9 declares a rank of 2 here, and batches are changed by hand.
  Graph graph = parse_graph(R"(graph opset 13 {
    input x: f32[2,3,4]
    y = Relu(x)
    value y: f32[1,3,4]
    z = Transpose(y)
    value z: f32[1,seqlen]
    output z
  })");
  infer_shapes(graph);
  CHECK(*graph.value(*graph.find_value("y")).dims == Dims{{2, ""}, {3, ""}, {4, ""}});
  CHECK(*graph.value(*graph.find_value("z")).dims == Dims{{4, ""}, {3, ""}, {2, ""}});
}

TEST_CASE("a contradiction names the node") {
  CHECK(error_of("input a: f32[2] input b: f32[3] y = Add \"sum\" (a, b) output y").starts_with("Add 'sum': dim"));
  CHECK(error_of("input a: f32[2] input b: i8[2] y = Add(a, b)") ==
        "Add writing 'y': types f32 and i8 meet where one is expected");
  CHECK(error_of("input a: f32[2] y = Relu(a) value y: i8[2]").find("(output 'y')") != std::string::npos);
  const std::vector<std::string> wrong = {
      "input x: f32[1,3,8,8] const w: f32[4,2,1,1] = fill(0) y = Conv(x, w)",
      "input x: f32[1,3,2,2] const w: f32[4,3,3,3] = fill(0) y = Conv(x, w)",
      "input x: f32[1,3,8,8] const w: f32[4,3,3] = fill(0) y = Conv(x, w)",
      "input x: f32[1,3,8,8] const w: f32[4,3,1,1] = fill(0) y = Conv(x, w) {strides=[0,1]}",
      "input x: f32[1,3,8,8] const w: f32[4,3,1,1] = fill(0) y = Conv(x, w) {group=0}",
      "input x: f32[1] y = Relu(x) z = Conv(x, y)",
      "input x: f32[1,3,8,8] y = MaxPool(x)",
      "input x: f32[1,3,8,8] y = MaxPool(x) {kernel_shape=[2]}",
      "input x: f32[2,3] input w: f32[4,5] y = MatMul(x, w)",
      "input x: f32[] input w: f32[4,5] y = MatMul(x, w)",
      "input x: f32[2,3,4] input w: f32[3,5] y = Gemm(x, w)",
      "input x: f32[2,3] const s: i64[1] = {7} y = Reshape(x, s)",
      "input x: f32[2,3] const s: i64[2] = {-1, 4} y = Reshape(x, s)",
      "input x: f32[2,3] const s: i64[2] = {-1, -1} y = Reshape(x, s)",
      "input x: f32[2,3] const s: i64[1] = {-2} y = Reshape(x, s)",
      "input x: f32[2,3] const s: i64[3] = {2, 3, 0} y = Reshape(x, s)",
      "input x: f32[2,3] y = Transpose(x) {perm=[0,0]}",
      "input x: f32[2,3] y = Transpose(x) {perm=[0]}",
      "input x: f32[2,3] y = Transpose(x) {perm=[0,-9223372036854775808]}",
      "input x: f32[2,3] y = Concat(x) {axis=2}",
      "input x: f32[2,3] y, z = Split(x) {axis=1}",
      "input x: f32[2,3] const a: i64[1] = {1} y = Squeeze(x, a)",
      "input x: f32[2,3] const a: i64[2] = {0, 0} y = Unsqueeze(x, a)",
      "input x: f32[2,3] const r: i64[2] = {9223372036854775807, 2} y = Tile(x, r)",
      "input x: f32[2,3] const r: i64[2] = {-1, 2} y = Tile(x, r)",
      "input x: f32[2,3] const p: i64[4] = {9223372036854775807, 0, 9223372036854775807, 0} y = Pad(x, p)",
      "input x: f32[2,3] const p: i64[4] = {-3, 0, 0, 0} y = Pad(x, p)",
      "input x: f32[2,3] const p: i64[1] = {0} const s: i64[1] = {0} y = Slice(x, p, p, p, s)",
      "input x: f32[1,3,4,4] y = DepthToSpace(x) {blocksize=0}",
      "input x: f32[1,3,4,4] y = SpaceToDepth(x) {blocksize=9223372036854775807}",
      "input x: f32[1,3,4,4] y = SpaceToDepth(x) {blocksize=3}",
      "input x: f32[1,3] const s: f32[2] = {1, 1e30} y = Resize(x, _, s)",
      "input x: f32[1,3] const s: f32[2] = {1, -1} y = Resize(x, _, s)",
      "input x: f32[1,3] const s: f32[1] = {2} y = Resize(x, _, s)",
      "input x: f32[1,3] const k: i64[1] = {4} y = TopK(x, k)",
      "input x: f32[1,3] y = ArgMax(x) {axis=7}",
      "input x: f32[4294967296,4294967296] y = Flatten(x) {axis=2}",
      "input x: f32[2,3] y = ReduceSum(x) {axes=[5]}",
  };
  for (const std::string& statements : wrong) {
    INFO(statements);
    CHECK(error_of(statements).find(" writing '") != std::string::npos);
  }
}

TEST_CASE("extreme slices do not overflow") {
  const std::string low = "-9223372036854775808";
  const std::string high = "9223372036854775807";
  for (const std::string& start : {low, std::string("0"), high}) {
    for (const std::string& end : {low, std::string("0"), high}) {
      for (const std::string& step : {low, std::string("-1"), std::string("1"), high}) {
        for (const std::string size : {"0", "1", "7", "9223372036854775807"}) {
          Graph graph = parse_graph("graph opset 13 { input x: i8[" + size + "] const s: i64[1] = {" + start +
                                    "} const e: i64[1] = {" + end + "} const a: i64[1] = {0} const t: i64[1] = {" +
                                    step + "} y = Slice(x, s, e, a, t) }");
          infer_shapes(graph);
          const std::int64_t found = graph.value(*graph.find_value("y")).dims->at(0).size;
          CHECK(found >= 0);
          CHECK(found <= graph.value(graph.inputs()[0]).dims->at(0).size);
        }
      }
    }
  }
}

}  // namespace
}  // namespace octavo
