#include "passes/support.h"

using namespace octavo;
using namespace octavo::test;

TEST_CASE("eliminate_identity takes out what hands on its input, and keeps names that others know") {
  const std::vector<PassCase> cases = {
      {"between two nodes", "input x: f32[1,3] a = Relu(x) b = Identity(a) y = Neg(b) output y",
       "input x: f32[1,3] a = Relu(x) y = Neg(a) output y"},
      {"its output is the graph's", "input x: f32[1,3] a = Relu(x) y = Identity(a) output y",
       "input x: f32[1,3] y = Relu(x) output y"},
      {"the same, and others read its input",
       "input x: f32[1,3] a = Relu(x) b = Neg(a) y = Identity(a) output y output b",
       "input x: f32[1,3] y = Relu(x) b = Neg(y) output y output b"},
      {"input and output are the graph's", "input x: f32[1,3] y = Identity(x) output y", ""},
      {"both are outputs", "input x: f32[1,3] a = Relu(x) y = Identity(a) output a output y", ""},
      {"of a constant", "input x: f32[1,3] const c: f32[3] = {1,2,3} i = Identity(c) y = Add(x, i) output y",
       "input x: f32[1,3] const c: f32[3] = {1,2,3} y = Add(x, c) output y"},
      {"Dropout", "input x: f32[1,3] const r: f32[] = {0.5} a = Dropout(x, r) y = Neg(a) output y",
       "input x: f32[1,3] y = Neg(x) output y"},
      {"Dropout whose mask is read", "input x: f32[1,3] a, m = Dropout(x) y = Neg(a) output y output m", ""},
      {"Dropout that trains", "input x: f32[1,3] input t: bool[] a = Dropout(x, _, t) y = my.domain::Use(a) output y",
       ""},
      {"Dropout of nothing in training",
       "input x: f32[1,3] const r: f32[] = {0} const t: bool[] = {true} a = Dropout(x, r, t) y = Neg(a) output y",
       "input x: f32[1,3] y = Neg(x) output y"},
      {"Dropout of something in training",
       "input x: f32[1,3] const r: f32[] = {0.5} const t: bool[] = {true} a = Dropout(x, r, t) "
       "y = my.domain::Use(a) output y",
       ""},
      {"Pad of nothing", "input x: f32[1,3] const p: i64[4] = fill(0) a = Pad(x, p) y = Neg(a) output y",
       "input x: f32[1,3] y = Neg(x) output y"},
      {"Pad of something", "input x: f32[1,3] const p: i64[4] = {0,1,0,0} y = Pad(x, p) output y", ""},
      {"Concat of one", "input x: f32[1,3] a = Concat(x) {axis=1} y = Neg(a) output y",
       "input x: f32[1,3] y = Neg(x) output y"},
      {"of another domain", "input x: f32[1,3] a = my.domain::Identity(x) y = Neg(a) output y", ""},
      {"a subgraph reads the output by name",
       "input x: f32[1,3] a = Identity(x) y = my.domain::Loop(x) captures(a) output y", ""},
  };
  for (const PassCase& test : cases) check_pass("eliminate_identity", test);
}

TEST_CASE("fold_constants computes what depends on constants alone") {
  const std::vector<PassCase> cases = {
      {"a sum", "input x: f32[2] const a: f32[2] = {1,2} const b: f32[2] = {3,4} c = Add(a, b) y = Add(x, c) output y",
       "input x: f32[2] const c: f32[2] = {4,6} y = Add(x, c) output y"},
      {"Constant", "input x: f32[2] c = Constant() {value=f32[2] {4,6}} y = Add(x, c) output y",
       "input x: f32[2] const c: f32[2] = {4,6} y = Add(x, c) output y"},
      {"the same operand twice", "input x: f32[2] const a: f32[2] = {1,2} c = Mul(a, a) y = Add(x, c) output y",
       "input x: f32[2] const c: f32[2] = {1,4} y = Add(x, c) output y"},
      {"several outputs",
       "input x: f32[2] const a: f32[4] = {1,2,3,4} const s: i64[2] = {2,2} c, d = Split(a, s) e = Add(x, c) "
       "y = Add(e, d) output y",
       "input x: f32[2] const c: f32[2] = {1,2} const d: f32[2] = {3,4} e = Add(x, c) y = Add(e, d) output y"},
      {"the result is the graph's", "const a: f32[2] = {1,2} y = Neg(a) output y", ""},
      {"of another domain", "input x: f32[2] const a: f32[2] = {1,2} c = my.domain::Neg(a) y = Add(x, c) output y", ""},
      {"integers of a quantized weight",
       "input x: f32[2] const q: i8[2] = {1,2} const s: f32[] = {0.5} c = DequantizeLinear(q, s) y = Add(x, c) "
       "output y",
       ""},
      {"a result larger than a file should hold",
       "input x: f32[1] const n: i64[2] = {5000, 5000} c = ConstantOfShape(n) y = ReduceSum(c) output y", ""},
  };
  for (const PassCase& test : cases) check_pass("fold_constants", test);
}

TEST_CASE("fold_shapes takes sizes that are known for constants") {
  const std::string head = "input x: f32[2,N,4] ";
  const std::vector<PassCase> cases = {
      {"all", "input x: f32[2,3] s = Shape(x) y = my.domain::Use(x, s) output y",
       "input x: f32[2,3] const s: i64[2] = {2,3} y = my.domain::Use(x, s) output y"},
      {"those asked for", head + "s = Shape(x) {start=-1} y = my.domain::Use(x, s) output y",
       head + "const s: i64[1] = {4} y = my.domain::Use(x, s) output y"},
      {"up to an open one", head + "s = Shape(x) {end=1} y = my.domain::Use(x, s) output y",
       head + "const s: i64[1] = {2} y = my.domain::Use(x, s) output y"},
      {"one beside an open one",
       head + "s = Shape(x) const i: i64[] = {-1} g = Gather(s, i) y = my.domain::Use(x, g) output y",
       head + "const g: i64[] = {4} y = my.domain::Use(x, g) output y"},
      {"two beside an open one",
       head + "s = Shape(x) const i: i64[2] = {2,0} g = Gather(s, i) y = my.domain::Use(x, g) output y",
       head + "const g: i64[2] = {4,2} y = my.domain::Use(x, g) output y"},
      {"the open one", head + "s = Shape(x) const i: i64[] = {1} g = Gather(s, i) y = my.domain::Use(x, g) output y",
       ""},
      {"an open one", head + "s = Shape(x) y = my.domain::Use(x, s) output y", ""},
      {"the graph gives them out", "input x: f32[2,3] s = Shape(x) output s", ""},
  };
  for (const PassCase& test : cases) check_pass("fold_shapes", test);
  Graph unread = parse_graph("graph opset 13 { input x: f32[2,3] _ = Shape(x) y = Relu(x) output y }");
  CHECK(pass_named("fold_shapes").run(unread) == 0);
}

TEST_CASE("an open batch is one sample for runtimes that run one at a time, and sizes follow from it") {
  const std::string text = R"(graph opset 13 { input x: f32[N,2,4,4] input z: f32[3,N] s = Shape(x)
    const zero: i64[] = {0} n = Gather(s, zero) const ax: i64[1] = {0} u = Unsqueeze(n, ax) const r: i64[1] = {-1}
    t = Concat(u, r) {axis=0} y = Reshape(x, t) v = Relu(z) output y output v })";
  Graph fixed = parse_graph(text);
  prepare_for(fixed, backend_named("tnn"));
  CHECK(fixed.value(*fixed.find_value("y")).static_shape() == Shape{1, 32});
  CHECK(fixed.value(*fixed.find_value("v")).static_shape() == Shape{3, 1});
  CHECK(fixed.nodes().size() == 2);
  Graph open = parse_graph(text);
  prepare_for(open, backend_named("onnxruntime"));
  CHECK_FALSE(open.value(*open.find_value("y")).static_shape());
  CHECK_FALSE(open.value(*open.find_value("v")).static_shape());
}

TEST_CASE("fold_reshapes names the sizes of reshapes where one alone is open") {
  const std::string first =
      "s = Shape(x) const zero: i64[] = {0} n = Gather(s, zero) const ax: i64[1] = {0} u = Unsqueeze(n, ax) ";
  const std::vector<PassCase> cases = {
      {"the batch",
       "input x: f32[N,6,4] " + first +
           "const r: i64[2] = {2,12} t = Concat(u, r) {axis=0} "
           "y = Reshape(x, t) output y",
       "input x: f32[N,6,4] const y_shape: i64[3] = {-1,2,12} y = Reshape(x, y_shape) output y"},
      {"all but the batch",
       "input x: f32[N,6,4] " + first +
           "const r: i64[1] = {-1} t = Concat(u, r) {axis=0} "
           "y = Reshape(x, t) output y",
       "input x: f32[N,6,4] const y_shape: i64[2] = {-1,24} y = Reshape(x, y_shape) output y"},
      {"two",
       "input x: f32[N,M,4] " + first +
           "const r: i64[2] = {-1,2} t = Concat(u, r) {axis=0} "
           "y = Reshape(x, t) output y",
       ""},
      {"an input says", "input x: f32[2,6] input t: i64[2] y = my.domain::Use(x) z = Reshape(y, t) output z", ""},
      {"the file alone says",
       "input x: f32[2,6] input t: i64[2] y = my.domain::Use(x) z = Reshape(y, t) "
       "output z: f32[3,4]",
       ""},
  };
  for (const PassCase& test : cases) check_pass("fold_reshapes", test);
}

TEST_CASE("fold_constants leaves to others what it cannot compute") {
  const std::vector<std::string> bodies = {
      "const n: i64[2] = {3000000000, 3} c = ConstantOfShape(n) y = my.domain::Use(c) output y",
      "const n: i64[1] = {-2} const a: f32[6] = random(1) c = Tile(a, n) y = my.domain::Use(c) output y",
      "const a: opaque[1] = opaque(\"onnx\", \"00\") c = Identity(a) y = my.domain::Use(c) output y",
  };
  for (const std::string& body : bodies) {
    INFO(body);
    Graph graph = parse_graph("graph opset 13 {" + body + "}");
    CHECK(pass_named("fold_constants").run(graph) == 0);
    graph.check();
  }
}

TEST_CASE("fuse_matmul_add makes Gemm of a product and a constant row") {
  const std::string head = "input x: f32[2,3] const w: f32[3,4] = random(1) ";
  const std::vector<PassCase> cases = {
      {"a row", head + "const b: f32[4] = random(2) p = MatMul \"fc\" (x, w) y = Add \"sum\" (p, b) output y",
       head + "const b: f32[4] = random(2) y = Gemm \"fc\" (x, w, b) output y"},
      {"constant on the left", head + "const b: f32[1,4] = random(2) p = MatMul(x, w) y = Add(b, p) output y",
       head + "const b: f32[1,4] = random(2) y = Gemm(x, w, b) output y"},
      {"one number", head + "const b: f32[] = {3} p = MatMul(x, w) y = Add(p, b) output y",
       head + "const b: f32[] = {3} y = Gemm(x, w, b) output y"},
      {"readers behind the sum",
       head + "const b: f32[4] = random(2) p = MatMul(x, w) a = Add(p, b) y = Neg(a) output y",
       head + "const b: f32[4] = random(2) a = Gemm(x, w, b) y = Neg(a) output y"},
      {"a column", head + "const b: f32[2,1] = random(2) p = MatMul(x, w) y = Add(p, b) output y", ""},
      {"a sum that grows the rank", head + "const b: f32[1,1,4] = random(2) p = MatMul(x, w) y = Add(p, b) output y",
       ""},
      {"the product is read twice",
       head + "const b: f32[4] = random(2) p = MatMul(x, w) y = Add(p, b) z = Neg(p) output y output z", ""},
      {"the product is the graph's",
       head + "const b: f32[4] = random(2) p = MatMul(x, w) y = Add(p, b) output y output p", ""},
      {"twice the product", head + "p = MatMul(x, w) y = Add(p, p) output y", ""},
      {"three dimensions",
       "input x: f32[2,5,3] const w: f32[3,4] = random(1) const b: f32[4] = random(2) p = MatMul(x, w) y = Add(p, b) "
       "output y",
       ""},
  };
  for (const PassCase& test : cases) check_pass("fuse_matmul_add", test);
}

TEST_CASE("normalize_gemm moves factors and odd biases into constants") {
  const std::string head = "input x: f32[2,2] const w: f32[2,2] = {1,2,3,4} ";
  const std::vector<PassCase> cases = {
      {"alpha and beta", head + "const b: f32[2] = {1,2} y = Gemm(x, w, b) {alpha=0.5, beta=2.0} output y",
       "input x: f32[2,2] const w_1: f32[2,2] = {0.5,1,1.5,2} const b_1: f32[2] = {2,4} y = Gemm(x, w_1, b_1) output "
       "y"},
      {"a weight that others read", head + "a = Gemm(x, w) {alpha=2.0} y = Gemm(a, w) output y",
       head + "const w_1: f32[2,2] = {2,4,6,8} a = Gemm(x, w_1) y = Gemm(a, w) output y"},
      {"a bias of one number", head + "const b: f32[1] = {3} y = Gemm(x, w, b) output y",
       head + "const b_1: f32[2] = {3,3} y = Gemm(x, w, b_1) output y"},
      {"a bias without dimensions", head + "const b: f32[] = {3} y = Gemm(x, w, b) {transB=1} output y",
       head + "const b_1: f32[2] = {3,3} y = Gemm(x, w, b_1) {transB=1} output y"},
      {"a row", head + "const b: f32[1,2] = {3,4} y = Gemm(x, w, b) output y",
       head + "const b_1: f32[2] = {3,4} y = Gemm(x, w, b_1) output y"},
      {"beta without a bias", head + "y = Gemm(x, w) {beta=0.5} output y", head + "y = Gemm(x, w) output y"},
      {"a column", head + "const b: f32[2,1] = {3,4} y = Gemm(x, w, b) output y", ""},
      {"weights that are computed", "input x: f32[2,2] input v: f32[2,2] y = Gemm(x, v) {alpha=2.0} output y", ""},
      {"nothing to do", head + "const b: f32[2] = {1,2} y = Gemm(x, w, b) {alpha=1.0, transB=1} output y", ""},
  };
  for (const PassCase& test : cases) check_pass("normalize_gemm", test);
}
