#include <catch2/catch.hpp>

#include "octavo/graph.h"
#include "octavo/verify.h"

using namespace octavo;

namespace {

WorkShare share_of(const std::string& body) {
  return work_share(parse_graph(R"(graph opset 13 { input x: f32[N,2,4,4]
    const s: f32[] = {0.1} const z: i8[] = {0} const w: i8[3,2,1,1] = fill(1) const f: f32[3,2,1,1] = fill(1)
    const v: i8[5,48] = fill(1) )" +
                                body + "}"));
}

constexpr const char* kInput =
    "q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z) i = DequantizeLinear(w, s, z) ";

}  // namespace

TEST_CASE("a float graph has no integer work and no boundaries") {
  const WorkShare share = share_of("y = Conv(x, f) output y");
  CHECK(share.float_multiplies == 3 * 16 * 2);
  CHECK(share.integer_multiplies == 0);
  CHECK(share.boundaries == 0);
  CHECK(share.integer_share() == 0.0);
  CHECK_FALSE(share_of("y = Relu(x) output y").integer_share());
}

TEST_CASE("a convolution of dequantized data and weights is integer work") {
  const WorkShare share = share_of(std::string(kInput) + "c = Conv(d, i) y = Relu(c) output y");
  CHECK(share.integer_multiplies == 96);
  CHECK(share.boundaries == 2);  // into the convolution and out of it
  CHECK(share.integer_share() == 1.0);
  // Its result goes on as integers, through an activation and what stands between pairs, to the output.
  const WorkShare chain = share_of(std::string(kInput) + R"(c = Conv(d, i) r = Relu(c)
    rq = QuantizeLinear(r, s, z) rd = DequantizeLinear(rq, s, z) p = MaxPool(rd) {kernel_shape=[2,2]}
    pq = QuantizeLinear(p, s, z) y = DequantizeLinear(pq, s, z) output y)");
  CHECK(chain.integer_multiplies == 96);
  CHECK(chain.boundaries == 2);
}

TEST_CASE("operators left in float cost a change on each side") {
  const WorkShare share = share_of(std::string(kInput) + R"(c = Conv(d, i) h = Sigmoid(c) hq = QuantizeLinear(h, s, z)
    hd = DequantizeLinear(hq, s, z) e = Flatten(hd) m = DequantizeLinear(v, s, z) y = Gemm(e, m) {transB=1} output y)");
  // The Gemm's data come from a Flatten that no pair follows: float.
  CHECK(share.integer_multiplies == 96);
  CHECK(share.float_multiplies == 5 * 48);
  CHECK(share.boundaries == 4);
  CHECK(share.integer_share() == Approx(96.0 / 336.0));
}

TEST_CASE("weights alone in integers are float work, and QLinear operators integer work") {
  CHECK(share_of("i = DequantizeLinear(w, s, z) y = Conv(x, i) output y").float_multiplies == 96);
  const WorkShare share = share_of(R"(q = QuantizeLinear(x, s, z) c = QLinearConv(q, s, z, w, s, z, s, z)
    y = DequantizeLinear(c, s, z) output y)");
  CHECK(share.integer_multiplies == 96);
  CHECK(share.boundaries == 2);
}

TEST_CASE("a recurrent operator is float work of all its weights at each step") {
  const auto of = [](const std::string& dims, const std::string& attributes) {
    return work_share(parse_graph("graph opset 14 { input x: f32[" + dims + R"(]
      const w: f32[1,20,3] = fill(1) const r: f32[1,20,5] = fill(1)
      _, h = LSTM(x, w, r) {hidden_size=5)" +
                                  attributes + "} output h }"));
  };
  CHECK(of("7,N,3", "").float_multiplies == 7 * (20 * 3 + 20 * 5));
  CHECK(of("2,7,3", ", layout=1").float_multiplies == 2 * 7 * (20 * 3 + 20 * 5));
  CHECK(of("T,1,3", "").unknown == 1);
}

TEST_CASE("operators of unknown shape are counted apart") {
  const Graph graph = parse_graph(R"(graph opset 13 { input x: f32[N,2,H,4] const f: f32[3,2,1,1] = fill(1)
    y = Conv(x, f) output y })");
  CHECK(work_share(graph).unknown == 1);
  CHECK(work_share(graph).float_multiplies == 0);
}

TEST_CASE("what nobody reads is no work") {
  const WorkShare share =
      share_of(std::string(kInput) + "c = Conv(d, i) _ = Conv(d, i) _ = Relu(c) y = Neg(c) output y");
  CHECK(share.integer_multiplies == 96);
}

TEST_CASE("FakeQuantize counts as the pair that it is") {
  const WorkShare share = share_of(R"(const l: f32[] = {0} const h: f32[] = {255} i = DequantizeLinear(w, s, z)
    d = org.openvinotoolkit::FakeQuantize(x, l, h, l, h) {levels=256} c = Conv(d, i) y = Neg(c) output y)");
  CHECK(share.integer_multiplies == 96);
  CHECK(share.boundaries == 2);
}
