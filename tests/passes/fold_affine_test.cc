#include "passes/support.h"

using namespace octavo;
using namespace octavo::test;

namespace {

const std::string kConv = "input x: f32[1,1,2,2] const w: f32[2,1,1,1] = {1,2} const b: f32[2] = {1,-1} ";
const std::string kFolded = "input x: f32[1,1,2,2] ";

}  // namespace

TEST_CASE("fold_affine folds sums and products with constants into the weights before") {
  const std::vector<PassCase> cases = {
      {"Mul by one number a channel", kConv + "const m: f32[2,1,1] = {2,4} c = Conv(x, w, b) y = Mul(c, m) output y",
       kFolded + "const w_folded: f32[2,1,1,1] = {2,8} const b_folded: f32[2] = {2,-4} "
                 "y = Conv(x, w_folded, b_folded) output y"},
      {"Add on the left, with a leading 1",
       kConv + "const m: f32[1,2,1,1] = {2,4} c = Conv \"c\" (x, w, b) y = Add(m, c) output y",
       kFolded + "const w_folded: f32[2,1,1,1] = {1,2} const b_folded: f32[2] = {3,3} "
                 "y = Conv \"c\" (x, w_folded, b_folded) output y"},
      {"Sub", kConv + "const m: f32[] = {3} c = Conv(x, w, b) y = Sub(c, m) output y",
       kFolded + "const w_folded: f32[2,1,1,1] = {1,2} const b_folded: f32[2] = {-2,-4} "
                 "y = Conv(x, w_folded, b_folded) output y"},
      {"Sub from a constant", kConv + "const m: f32[1] = {3} c = Conv(x, w, b) y = Sub(m, c) output y",
       kFolded + "const w_folded: f32[2,1,1,1] = {-1,-2} const b_folded: f32[2] = {2,4} "
                 "y = Conv(x, w_folded, b_folded) output y"},
      {"Div", kConv + "const m: f32[2,1,1] = {2,4} c = Conv(x, w) y = Div(c, m) output y",
       kFolded + "const w_folded: f32[2,1,1,1] = {0.5,0.5} const w_bias_folded: f32[2] = {0,0} "
                 "y = Conv(x, w_folded, w_bias_folded) output y"},
      {"BatchNormalization whose result is the graph's",
       kConv + "const s: f32[2] = {2,4} const o: f32[2] = {1,1} const m: f32[2] = {1,2} const v: f32[2] = {4,16} "
               "c = Conv(x, w, b) y = BatchNormalization(c, s, o, m, v) {epsilon=0.0} output y",
       kFolded + "const w_folded: f32[2,1,1,1] = {1,2} const b_folded: f32[2] = {1,-2} "
                 "y = Conv(x, w_folded, b_folded) output y"},
      {"a weight that another Conv reads",
       kConv + "const m: f32[] = {2} c = Conv(x, w, b) d = Mul(c, m) e = Conv(x, w, b) y = Add(d, e) output y",
       kConv + "const w_folded: f32[2,1,1,1] = {2,4} const b_folded: f32[2] = {2,-2} d = Conv(x, w_folded, b_folded) "
               "e = Conv(x, w, b) y = Add(d, e) output y"},
      {"Gemm by columns",
       "input x: f32[3,1] const w: f32[1,2] = {1,2} const m: f32[2] = {2,4} c = Gemm(x, w) y = Mul(c, m) output y",
       "input x: f32[3,1] const w_folded: f32[1,2] = {2,8} const w_bias_folded: f32[2] = {0,0} "
       "y = Gemm(x, w_folded, w_bias_folded) output y"},
      {"Gemm by rows",
       "input x: f32[3,1] const w: f32[2,1] = {1,2} const m: f32[1,2] = {2,4} c = Gemm(x, w) {transB=1} "
       "y = Mul(c, m) output y",
       "input x: f32[3,1] const w_folded: f32[2,1] = {2,8} const w_bias_folded: f32[2] = {0,0} "
       "y = Gemm(x, w_folded, w_bias_folded) {transB=1} output y"},
      {"ConvTranspose in groups",
       "input x: f32[1,2,1,1] const w: f32[2,2,1,1] = {1,2,3,4} const m: f32[4,1,1] = {1,2,4,8} "
       "c = ConvTranspose(x, w) {group=2} y = Mul(c, m) output y",
       "input x: f32[1,2,1,1] const w_folded: f32[2,2,1,1] = {1,4,12,32} const w_bias_folded: f32[4] = fill(0) "
       "y = ConvTranspose(x, w_folded, w_bias_folded) {group=2} output y"},
  };
  for (const PassCase& test : cases) check_pass("fold_affine", test);
}

TEST_CASE("fold_affine leaves alone what the weights cannot take in") {
  const std::string batchnorm = "const s: f32[2] = {2,4} const v: f32[2] = {4,16} ";
  const std::vector<PassCase> cases = {
      {"a number for each column", kConv + "const m: f32[2] = {2,4} c = Conv(x, w, b) y = Mul(c, m) output y", ""},
      {"a number for each place", kConv + "const m: f32[1,1,2,2] = random(1) c = Conv(x, w, b) y = Mul(c, m) output y",
       ""},
      {"a sum that grows the rank", kConv + "const m: f32[1,1,1,1,1] = {1} c = Conv(x, w, b) y = Add(c, m) output y",
       ""},
      {"another reader", kConv + "const m: f32[] = {2} c = Conv(x, w, b) y = Mul(c, m) z = Relu(c) output y output z",
       ""},
      {"its result is the graph's", kConv + "const m: f32[] = {2} c = Conv(x, w, b) y = Mul(c, m) output y output c",
       ""},
      {"a subgraph reads its result",
       kConv +
           "const m: f32[] = {2} c = Conv(x, w, b) y = Mul(c, m) z = my.domain::If(x) captures(c) output y output z",
       ""},
      {"squared", kConv + "c = Conv(x, w, b) y = Mul(c, c) output y", ""},
      {"division of a constant", kConv + "const m: f32[] = {2} c = Conv(x, w, b) y = Div(m, c) output y", ""},
      {"division by zero",
       kConv + "const m: f32[] = {0} c = Conv(x, w, b) y = my.domain::Use(d) d = Div(c, m) output y", ""},
      {"infinity", kConv + "const m: f32[] = {inf} c = Conv(x, w, b) d = Mul(c, m) y = my.domain::Use(d) output y", ""},
      {"a computed weight",
       "input x: f32[1,1,2,2] input w: f32[2,1,1,1] const m: f32[] = {2} c = Conv(x, w) "
       "y = Mul(c, m) output y",
       ""},
      {"a computed bias",
       "input x: f32[1,1,2,2] const w: f32[2,1,1,1] = {1,2} input b: f32[2] const m: f32[] = {2} "
       "c = Conv(x, w, b) y = Mul(c, m) output y",
       ""},
      {"BatchNormalization that also gives means",
       kConv + batchnorm + "c = Conv(x, w, b) y, m = my.domain::BatchNormalization(c, s, s, s, v) output y output m",
       ""},
      {"Gemm with alpha",
       "input x: f32[3,1] const w: f32[1,2] = {1,2} const m: f32[2] = {2,4} "
       "c = Gemm(x, w) {alpha=2.0} y = Mul(c, m) output y",
       ""},
      {"a power", kConv + "const m: f32[] = {2} c = Conv(x, w, b) y = Pow(c, m) output y", ""},
  };
  for (const PassCase& test : cases) check_pass("fold_affine", test);
}

TEST_CASE("fold_affine survives numbers of channels that contradict each other") {
  for (const std::string& body :
       {std::string("const w: f32[2,1,1,1] = {1,2} const b: f32[5] = random(1) const m: f32[] = {2} "
                    "c = Conv(x, w, b) y = Mul(c, m)"),
        std::string("const w: f32[1,2,1,1] = {1,2} const m: f32[] = {2} c = ConvTranspose(x, w) {group=0} "
                    "y = Mul(c, m)"),
        std::string("const w: f32[1,2,1,1] = {1,2} const m: f32[] = {2} "
                    "c = ConvTranspose(x, w) {group=9223372036854775807} y = Mul(c, m)"),
        std::string("const w: f32[0,1,1,1] = {} const m: f32[] = {2} c = Conv(x, w) y = Mul(c, m)")}) {
    Graph graph = parse_graph("graph opset 13 { input x: f32[1,1,2,2] " + body + " output y }");
    CHECK(pass_named("fold_affine").run(graph) == 0);
  }
}

TEST_CASE("prepare folds whole chains and keeps what the graph computes") {
  const std::string bn1 =
      "const s1: f32[4] = random(11, 0.5, 2) const o1: f32[4] = random(12) const m1: f32[4] = "
      "random(13) const v1: f32[4] = random(14, 0.5, 2) ";
  Graph graph = parse_graph("graph opset 13 { input x: f32[N,3,8,8] const w1: f32[4,3,3,3] = random(1) " + bn1 +
                            R"(c = Constant() {value=f32[1,4,1,1] {1,2,3,4}}
      a1 = Conv "conv1" (x, w1) {pads=[1,1,1,1]}
      a2 = BatchNormalization(a1, s1, o1, m1, v1)
      a3 = Mul(a2, c)
      a4 = Identity(a3)
      a5 = Relu(a4)
      a6 = Dropout(a5)
      const w2: f32[4,1,3,3] = random(2)
      a7 = Conv "conv2" (a6, w2) {group=4}
      a8 = BatchNormalization(a7, s1, o1, m1, v1)
      a9 = GlobalAveragePool(a8)
      b = Flatten(a9)
      const w3: f32[4,5] = random(3)
      const k: f32[5] = random(4)
      p = MatMul "fc" (b, w3)
      y = Add(p, k)
      output y
    })");
  const Graph before = graph;
  prepare(graph);
  graph.check();
  std::map<std::string, int> counts;
  for (const NodeId id : graph.nodes()) ++counts[graph.node(id).op_type];
  CHECK(counts ==
        std::map<std::string, int>{{"Conv", 2}, {"Flatten", 1}, {"Gemm", 1}, {"GlobalAveragePool", 1}, {"Relu", 1}});
  for (std::uint32_t seed = 1; seed < 4; ++seed) {
    const auto inputs = random_inputs(before, seed);
    CHECK(relative_difference(run_graph(before, inputs), run_graph(graph, inputs)) < 1e-5);
  }
  const std::string once = to_text(graph);
  prepare(graph);
  CHECK(to_text(graph) == once);
}
