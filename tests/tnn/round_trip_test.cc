// Graphs through TNN's files and back, computed.
#include <array>
#include <catch2/catch.hpp>
#include <filesystem>

#include "formats/tnn_support.h"
#include "octavo/backends.h"
#include "octavo/passes.h"
#include "octavo/quantize.h"
#include "support/graphs.h"
#include "support/shared_models.h"

using namespace octavo;
using namespace octavo::formats_test;
using octavo::formats::tnn::Version;

namespace {

constexpr const char* kX = "input x: f32[1,4,6,6] ";

constexpr std::array kOperators{
    "const w: f32[6,4,3,3] = random(1) const b: f32[6] = random(2) y = Conv(x, w, b) {strides=[2,1], pads=[1,1,1,1]}",
    "const w: f32[8,1,3,3] = random(1) y = Conv(x, w) {group=4, dilations=[1,2], pads=[0,2,1,1]}",
    "const w: f32[4,2,3,3] = random(1) c = Conv(x, w) {group=2, auto_pad=\"SAME_UPPER\", strides=[2,2]} y = Relu(c)",
    "const w: f32[4,3,2,2] = random(1) const b: f32[6] = random(2) y = ConvTranspose(x, w, b) {strides=[2,2], group=2}",
    "f = Flatten(x) const w: f32[144,3] = random(1) const b: f32[3] = random(2) y = Gemm(f, w, b)",
    "f = Flatten(x) const w: f32[3,144] = random(1) y = Gemm(f, w) {transB=1}",
    "f = Flatten(x) const w: f32[144,3] = random(1) y = MatMul(f, w)",
    "y = MaxPool(x) {kernel_shape=[3,3], strides=[2,2], ceil_mode=1}",
    "y = MaxPool(x) {kernel_shape=[3,2], strides=[2,2], pads=[1,0,1,0]}",
    "y = AveragePool(x) {kernel_shape=[3,3], strides=[2,2], pads=[0,0,1,1]}",
    "y = AveragePool(x) {kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1], count_include_pad=1}",
    "y = GlobalAveragePool(x)",
    "y = GlobalMaxPool(x)",
    "const p: i64[8] = {0,1,0,2,0,0,1,3} const v: f32[] = {0.5} y = Pad(x, p, v)",
    "const p: i64[8] = {0,0,1,1,0,0,1,1} y = Pad(x, p) {mode=\"reflect\"}",
    "const s: f32[4] = {1,1,2,3} y = Resize(x, _, s) "
    "{mode=\"nearest\", coordinate_transformation_mode=\"asymmetric\", nearest_mode=\"floor\"}",
    "const s: f32[4] = {1,1,2,2} y = Resize(x, _, s) {mode=\"linear\", coordinate_transformation_mode=\"half_pixel\"}",
    "y = DepthToSpace(x) {blocksize=2, mode=\"CRD\"}",
    "const s: i64[3] = {1,-1,9} y = Reshape(x, s)",
    "t = Transpose(x) {perm=[0,2,3,1]} y = Softmax(t)",
    "s = Sigmoid(x) t = Tanh(x) y = Concat(s, t, x) {axis=1}",
    "const b: i64[2] = {1,-5} const e: i64[2] = {4,9000} const a: i64[2] = {1,3} const k: i64[2] = {2,2} "
    "y = Slice(x, b, e, a, k)",
    "y = ReduceMean(x) {axes=[2,3], keepdims=0}",
    "const c: f32[4,1,1] = random(1) a = Add(x, c) const d: f32[6,6] = random(2) y = Sub(d, a)",
    "const c: f32[] = {3} a = Mul(x, c) y = Div(c, a)",
    "r = Relu(x) n = Neg(x) y = Mul(r, n)",
    "const l: f32[] = {-0.25} const h: f32[] = {0.5} y = Clip(x, l, h)",
    "const s: f32[4,1,1] = random(1) y = PRelu(x, s)",
    "y = LeakyRelu(x) {alpha=0.2}",
    "e = Elu(x) y = HardSigmoid(e)",
    "const s: f32[4] = random(1) const b: f32[4] = random(2) const m: f32[4] = random(3) const v: f32[4] = {1,2,3,4} "
    "y = BatchNormalization(x, s, b, m, v)",
};

Graph back(const Graph& graph, Version version = Version::v2) {
  const TnnFiles files = written_tnn(graph, version);
  REQUIRE_FALSE(files.proto.empty());
  return read_tnn(files);
}

/// What both compute of the same inputs, as one number.
double difference(const Graph& graph, const Graph& other) {
  const auto inputs = test::random_inputs(other, 3);
  return test::relative_difference(test::run_graph(graph, inputs), test::run_graph(other, inputs));
}

std::filesystem::path digits() {
  return std::filesystem::path(OCTAVO_SOURCE_DIR) / "examples" / "digits" / "digits.onnx";
}

}  // namespace

TEST_CASE("operators come back from TNN's files as what they compute") {
  for (const char* const body : kOperators) {
    INFO(body);
    const Graph graph = tnn_graph(std::string(kX) + body);
    CHECK(difference(graph, back(graph)) <= 1e-5);
  }
}

TEST_CASE("the bundled model comes back, from either version") {
  Graph graph = load_model(digits());
  for (const Version version : {Version::v1, Version::v2}) CHECK(difference(graph, back(graph, version)) <= 1e-4);
  prepare(graph);
  infer_shapes(graph);
  CHECK(difference(graph, back(graph)) <= 1e-4);
}

TEST_CASE("real models come back") {
  for (const auto& path : test::shared_models()) {
    INFO(path.filename().string());
    Graph graph = load_model(path);
    prepare(graph);
    infer_shapes(graph);
    CHECK(difference(graph, back(graph)) <= 1e-4);
  }
}

TEST_CASE("an integer model comes back with its decisions, for every merge type") {
  Graph model = load_model(digits());
  prepare_for(model, backend_named("tnn"));  // samples of one picture, as TNN has them
  for (int merge_type = 0; merge_type < 3; ++merge_type) {
    INFO("merge type " << merge_type);
    Recipe recipe;
    recipe.backend = "tnn";
    recipe.threads = 1;
    apply_merge_type(recipe.qconfig, merge_type);
    const Quantized result = quantize(model, test::MemorySource(model, 4), recipe);
    const TnnFiles files = written_tnn(result.graph);
    REQUIRE_FALSE(files.proto.empty());
    const Graph read = read_tnn(files);
    // The same integers and steps, to the byte; and nearly the same floats, whose order of operations differs.
    const TnnFiles again = written_tnn(read);
    CHECK(again.proto == files.proto);
    CHECK(again.model == files.model);
    CHECK(difference(result.graph, read) <= 0.02);
  }
}
