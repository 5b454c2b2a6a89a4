#include <catch2/catch.hpp>
#include <limits>

#include "execute/support.h"

using namespace octavo;
using octavo::test::random_tensor;
using octavo::test::run_text;
using octavo::test::values;

namespace {

const Tensor kInput = random_tensor({2, 3, 4}, 1);

/// Runs `nodes`, which make y from x, of shape [2,3,4].
Tensor run_nodes(const std::string& nodes) {
  return run_text("graph opset 18 { input x: f32[2,3,4] " + nodes + " output y: ? }", std::vector{kInput})[0];
}

std::string problem_of(const std::string& nodes) {
  try {
    run_nodes(nodes);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("impossible arguments are errors that name the node") {
  const std::string huge = std::to_string(std::int64_t{1} << 62);
  const std::string lowest = std::to_string(std::numeric_limits<std::int64_t>::min());
  const std::vector<std::string> cases = {
      "const i: i64[1] = {2} y = Gather(x, i)",
      "const i: i64[1] = {-3} y = Gather(x, i)",
      "const i: i64[1] = {" + lowest + "} y = Gather(x, i)",
      "const i: i64[1] = {0} y = Gather(x, i) {axis=3}",
      "const i: i64[2,3,1] = {0,0,0,0,4,0} y = GatherElements(x, i) {axis=2}",
      "const i: i64[3,3,1] = fill(0) y = GatherElements(x, i) {axis=2}",
      "const i: i64[1,2] = {0,3} y = GatherND(x, i)",
      "const i: i64[1,4] = {0,0,0,0} y = GatherND(x, i)",
      "const i: i64[2,1] = {0,0} y = GatherND(x, i) {batch_dims=2}",
      "const i: i64[1,3] = {0,0,4} const u: f32[1] = {1} y = ScatterND(x, i, u)",
      "const i: i64[1,4] = {0,0,0,0} const u: f32[1] = {1} y = ScatterND(x, i, u)",
      "const i: i64[1,2] = {0,0} const u: f32[1,3] = {1,2,3} y = ScatterND(x, i, u)",
      "const i: i64[1,3] = {0,0,0} const u: i64[1] = {1} y = ScatterND(x, i, u)",
      "const i: i64[1,3] = {0,0,0} const u: f32[1] = {1} y = ScatterND(x, i, u) {reduction=\"mean\"}",
      "const i: i64[1,1,1] = {-5} const u: f32[1,1,1] = {1} y = ScatterElements(x, i, u) {axis=2}",
      "const i: i64[3,1,1] = {0,0,0} const u: f32[3,1,1] = {1,2,3} y = ScatterElements(x, i, u) {axis=2}",
      "const i: i64[1,1,1] = {0} const u: f32[1,1,2] = {1,2} y = ScatterElements(x, i, u)",
      "const s: i64[2] = {5,-1} y = Reshape(x, s)",
      "const s: i64[2] = {-1,-1} y = Reshape(x, s)",
      "const s: i64[4] = {0,0,0,0} y = Reshape(x, s)",
      "const s: i64[3] = {" + huge + "," + huge + ",-1} y = Reshape(x, s)",
      "const p: i64[6] = {0,0,0,0,0,-5} y = Pad(x, p)",
      "const p: i64[6] = {0,0,0,0,0," + std::to_string(std::numeric_limits<std::int64_t>::max()) + "} y = Pad(x, p)",
      "const p: i64[6] = {0,0,0,0,0," + huge + "} y = Pad(x, p)",
      "const p: i64[5] = {0,0,0,0,0} y = Pad(x, p)",
      "const r: i64[3] = {" + huge + ",1,1} y = Tile(x, r)",
      "const r: i64[3] = {-1,1,1} y = Tile(x, r)",
      "const r: i64[2] = {1,1} y = Tile(x, r)",
      "const s: i64[4] = {" + huge + ",1,1,1} y = Expand(x, s)",
      "const s: i64[3] = {2,2,4} y = Expand(x, s)",
      "const s: i64[2] = {" + huge + "," + huge + "} y = ConstantOfShape(s)",
      "const s: i64[1] = {-1} y = ConstantOfShape(s)",
      "y = Transpose(x) {perm=[0,0,1]}",
      "y = Transpose(x) {perm=[0,1]}",
      "y = Concat(x, x) {axis=3}",
      "const c: f32[2,2,4] = random(1) y = Concat(x, c) {axis=2}",
      "const s: i64[2] = {1,1} y, z = Split(x, s) {axis=2}",
      "const s: i64[2] = {-1,5} y, z = Split(x, s) {axis=2}",
      "const a: i64[1] = {0} const s: i64[1] = {0} y = Slice(x, a, a, a, s)",
      "const a: i64[1] = {3} y = Slice(x, a, a, a)",
      "const a: i64[2] = {1,1} y = Slice(x, a, a, a)",
      "const a: i64[1] = {1} y = Squeeze(x, a)",
      "const a: i64[2] = {0,-5} y = Unsqueeze(x, a)",
      "const k: i64[1] = {5} y, i = TopK(x, k)",
      "const k: i64[1] = {-1} y, i = TopK(x, k)",
      "const a: i64[1] = {3} y = ReduceSum(x, a)",
      "const a: i64[2] = {1,-2} y = ReduceSum(x, a)",
      "y = DepthToSpace(x) {blocksize=2}",
      "const a: i64[] = {0} const b: i64[] = {9} const d: i64[] = {0} y = Range(a, b, d)",
      "const a: i64[] = {" + lowest + "} const b: i64[] = {" + huge + "} const d: i64[] = {1} y = Range(a, b, d)",
      "const s: f32[1] = {0.5} y = NonMaxSuppression(x, x)",
      "y = Cast(x) {to=8}",
      "y = CumSum(x, x)",
  };
  for (const std::string& nodes : cases) {
    INFO(nodes);
    const std::string problem = problem_of(nodes);
    CHECK_THAT(problem, Catch::Contains("writing 'y'"));
  }
}

TEST_CASE("slices clamp every bound as Python does") {
  const std::string lowest = std::to_string(std::numeric_limits<std::int64_t>::min());
  const std::string highest = std::to_string(std::numeric_limits<std::int64_t>::max());
  const auto row = [](const std::string& start, const std::string& end, const std::string& step) {
    return values<std::int64_t>(run_text(
        "graph opset 13 { const x: i64[5] = range(0, 4) const a: i64[1] = {" + start + "} const b: i64[1] = {" + end +
            "} const d: i64[1] = {0} const s: i64[1] = {" + step + "} y = Slice(x, a, b, d, s) output y: i64 }",
        {})[0]);
  };
  using Row = std::vector<std::int64_t>;
  CHECK(row("1", highest, "2") == Row{1, 3});
  CHECK(row("-2", highest, "1") == Row{3, 4});
  CHECK(row(highest, lowest, "-1") == Row{4, 3, 2, 1, 0});
  CHECK(row("3", lowest, "-2") == Row{3, 1});
  CHECK(row("-1", lowest, lowest) == Row{4});
  CHECK(row("0", highest, highest) == Row{0});
  CHECK(row("3", "1", "1").empty());
}

TEST_CASE("updates are put, or counted in, where indices say") {
  const auto scattered = [](const std::string& nodes) {
    return values<std::int64_t>(
        run_text("graph opset 18 { const x: i64[2,3] = {1,2,3,4,5,6} " + nodes + " output y: i64 }", {})[0]);
  };
  using Row = std::vector<std::int64_t>;
  const std::string rows = "const i: i64[2,1] = {-1,0} const u: i64[2,3] = {7,8,9,10,11,12} y = ScatterND(x, i, u) ";
  CHECK(scattered(rows) == Row{10, 11, 12, 7, 8, 9});
  CHECK(scattered(rows + "{reduction=\"max\"}") == Row{10, 11, 12, 7, 8, 9});
  CHECK(scattered(rows + "{reduction=\"min\"}") == Row{1, 2, 3, 4, 5, 6});
  const std::string twice = "const i: i64[3,2] = {0,1, 0,1, 1,2} const u: i64[3] = {10,20,-1} y = ScatterND(x, i, u) ";
  CHECK(scattered(twice) == Row{1, 20, 3, 4, 5, -1});
  CHECK(scattered(twice + "{reduction=\"add\"}") == Row{1, 32, 3, 4, 5, 5});
  const std::string elements = "const i: i64[2,2] = {2,0, 1,-1} const u: i64[2,2] = {7,8,9,10} ";
  CHECK(scattered(elements + "y = ScatterElements(x, i, u) {axis=1}") == Row{8, 2, 7, 4, 9, 10});
  CHECK(scattered(elements + "y = ScatterElements(x, i, u) {axis=-1, reduction=\"mul\"}") == Row{8, 2, 21, 4, 45, 60});
}

TEST_CASE("padding by more than the input is wide repeats it") {
  const auto pad = [](const std::string& mode) {
    return values<std::int64_t>(
        run_text("graph opset 19 { const x: i64[3] = {1,2,3} const p: i64[2] = {5,4} y = Pad(x, p) {mode=\"" + mode +
                     "\"} output y: i64 }",
                 {})[0]);
  };
  using Row = std::vector<std::int64_t>;
  CHECK(pad("reflect") == Row{2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3});
  CHECK(pad("wrap") == Row{2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1});
  CHECK(pad("edge") == Row{1, 1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3});
  CHECK(pad("constant") == Row{0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0});
}

TEST_CASE("a transposition and its inverse give the input back") {
  for (const char* nodes :
       {"t = Transpose(x) {perm=[2,0,1]} y = Transpose(t) {perm=[1,2,0]}",
        "t = Transpose(x) {perm=[0,2,1]} y = Transpose(t) {perm=[0,2,1]}", "t = Transpose(x) y = Transpose(t)"}) {
    INFO(nodes);
    CHECK(values<float>(run_nodes(nodes)) == values<float>(kInput));
  }
}

TEST_CASE("reductions over any axes agree with sums one axis after the other") {
  for (const auto& [axes, steps] : std::vector<std::pair<std::string, std::vector<int>>>{
           {"{0,2}", {2, 0}}, {"{1}", {1}}, {"{0,1}", {1, 0}}, {"{1,2}", {2, 1}}, {"{0,1,2}", {2, 1, 0}}}) {
    INFO(axes);
    const auto count = std::to_string(steps.size());
    const Tensor direct = run_nodes("const a: i64[" + count + "] = " + axes + " y = ReduceSum(x, a)");
    std::string nodes;
    std::string last = "x";
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const std::string n = std::to_string(i);
      const std::string out = i + 1 == steps.size() ? "y" : "v" + n;
      nodes += "const a" + n + ": i64[1] = {" + std::to_string(steps[i]) + "} " + out + " = ReduceSum(" + last + ", a" +
               n + ") ";
      last = out;
    }
    const Tensor chain = run_nodes(nodes);
    REQUIRE(direct.shape() == chain.shape());
    for (std::size_t i = 0; i < static_cast<std::size_t>(direct.size()); ++i)
      CHECK(direct.data<float>()[i] == Approx(chain.data<float>()[i]).margin(1e-6));
  }
}

TEST_CASE("the largest come first, equal ones by place, NaN before all numbers") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto out =
      run_text("graph opset 11 { input x: f32[5] const k: i64[1] = {4} v, i = TopK(x, k) output v: f32 output i: i64 }",
               std::vector{Tensor::from<float>({5}, {1.0F, 3.0F, nan, 3.0F, 2.0F})});
  CHECK(values<std::int64_t>(out[1]) == std::vector<std::int64_t>{2, 1, 3, 4});
}
