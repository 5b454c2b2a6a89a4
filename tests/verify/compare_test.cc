#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "distance_sums.h"
#include "octavo/verify.h"
#include "support/graphs.h"

using namespace octavo;
using namespace octavo::test;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

verify::DistanceSums sums_of(Shape shape, std::vector<float> f, std::vector<float> q) {
  verify::DistanceSums sums;
  sums.add(Tensor::from<float>(shape, std::span<const float>(f)),
           Tensor::from<float>(shape, std::span<const float>(q)));
  return sums;
}

Graph net(const std::string& body) { return parse_graph("graph opset 13 { input x: f32[1,3] " + body + " output y }"); }

Tensor row(float a, float b, float c) { return Tensor::from<float>({1, 3}, {a, b, c}); }

}  // namespace

TEST_CASE("distances are those worked out by hand") {
  const Distance distance = sums_of({1, 2}, {3, 4}, {3, 5}).distance();
  CHECK(distance.sqnr_db == Approx(10 * std::log10(25.0)));
  CHECK(distance.cosine == Approx(29 / (5 * std::sqrt(34.0))));
  CHECK(distance.max_error == 1.0);
}

TEST_CASE("what is equal is without error, zeros and masks too") {
  for (const std::vector<float>& same : {std::vector<float>{1, -2}, {0, 0}, {-INFINITY, 1}, {-INFINITY, INFINITY}}) {
    const Distance distance = sums_of({2}, same, same).distance();
    CHECK(distance.sqnr_db == kInfinity);
    CHECK(distance.cosine == Approx(1.0));
    CHECK(distance.max_error == 0.0);
  }
}

TEST_CASE("nothing and no number look bad") {
  CHECK(sums_of({2}, {1, 1}, {0, 0}).distance().cosine == 0.0);
  CHECK(sums_of({2}, {0, 0}, {1, 1}).distance().sqnr_db == -kInfinity);
  const Distance broken = sums_of({2}, {1, 1}, {kNaN, 1}).distance();
  CHECK(std::isnan(broken.sqnr_db));
  CHECK(std::isnan(broken.cosine));
  CHECK(broken.max_error == kInfinity);
  CHECK(sums_of({2}, {1, 1}, {INFINITY, 1}).distance().max_error == kInfinity);
}

TEST_CASE("channels are compared at the float's scale by the factors given") {
  verify::DistanceSums sums;
  const Tensor f = Tensor::from<float>({1, 2, 2}, {1, 2, 3, 4});
  const Tensor q = Tensor::from<float>({1, 2, 2}, {4, 8, 3, 5});
  sums.add(f, q, {0.25F, 1.0F});
  CHECK(sums.distance().sqnr_db == Approx(10 * std::log10(30.0 / 1.0)));
  CHECK(sums.distance().max_error == 1.0);
  verify::DistanceSums other;
  other.add(f, q, {0.25F, 1.0F, 1.0F});  // of another tensor: none apply
  CHECK(other.distance().sqnr_db == Approx(10 * std::log10(30.0 / (9 + 36 + 1))));
}

TEST_CASE("outputs are compared by name, whatever their order") {
  const Graph reference = parse_graph("graph opset 13 { input x: f32[2] y = Relu(x) z = Neg(x) output y output z }");
  const Graph other = parse_graph("graph opset 13 { input x: f32[2] y = Relu(x) z = Neg(x) output z output y }");
  const MemorySource data({{Tensor::from<float>({2}, {1, -3})}});
  const Comparison comparison = compare(reference, other, data, {});
  CHECK(comparison.outputs.at(0).name == "y");
  CHECK(comparison.outputs.at(0).distance.sqnr_db == kInfinity);
  CHECK(comparison.outputs.at(1).distance.sqnr_db == kInfinity);
}

TEST_CASE("layers of an equalized graph are compared by the factors it notes") {
  const Graph reference = parse_graph(R"(graph opset 13 { input x: f32[1,1,1,2]
    const w: f32[2,1,1,1] = {1, 2} const v: f32[1,2,1,1] = {1, 1} a = Conv(x, w) y = Conv(a, v) output y })");
  Graph quantized = parse_graph(R"(graph opset 13 { input x: f32[1,1,1,2]
    const s: f32[] = {0.001} const z: u16[] = {0}
    const w: f32[2,1,1,1] = {4, 2} const v: f32[1,2,1,1] = {0.25, 1} a = Conv(x, w)
    q = QuantizeLinear(a, s, z) d = DequantizeLinear(q, s, z) y = Conv(d, v) output y })");
  const MemorySource data({{Tensor::from<float>({1, 1, 1, 2}, {1, 3})}});
  CHECK(compare(reference, quantized, data, {}).layers.at(0).distance.sqnr_db < 10.0);
  quantized.metadata.emplace_back("octavo.equalized/a", "80");  // channel 0 times 2^(8/4)
  CHECK(compare(reference, quantized, data, {}).layers.at(0).distance.sqnr_db == kInfinity);
}

TEST_CASE("sums over samples are the sums of all of them") {
  auto total = sums_of({1, 2}, {1, 2}, {1, 3});
  total.add(sums_of({1, 2}, {5, 6}, {4, 6}));
  const Distance distance = total.distance();
  CHECK(distance.sqnr_db == Approx(10 * std::log10(66.0 / 2.0)));
  CHECK(distance.max_error == 1.0);
}

TEST_CASE("two graphs are compared by outputs, layers, agreement and labels") {
  const Graph reference = net("a = Neg \"first\" (x) y = Neg(a)");
  const Graph quantized = net(R"(const s: f32[] = {1} const z: u8[] = {128} a = Neg(x)
    q = QuantizeLinear(a, s, z) d = DequantizeLinear(q, s, z) y = Neg(d))");
  // To whole numbers: 0.4 becomes 0, 0.6 becomes 1.
  const MemorySource data({{row(0.4F, 0.3F, 0.2F)}, {row(0.6F, 3, 2)}, {row(1, 2, 3)}, {row(0.1F, 0.4F, 0)}});
  VerifyOptions options;
  options.labels = {0, 2, -1, 1};
  const Comparison comparison = compare(reference, quantized, data, options);
  CHECK(comparison.samples == 4);
  REQUIRE(comparison.outputs.size() == 1);
  CHECK(comparison.outputs[0].name == "y");
  const double error = 0.16 + 0.09 + 0.04 + 0.16 + 0.01 + 0.16;
  const double signal = 0.16 + 0.09 + 0.04 + 0.36 + 9 + 4 + 1 + 4 + 9 + 0.01 + 0.16;
  CHECK(comparison.outputs[0].distance.sqnr_db == Approx(10 * std::log10(signal / error)).epsilon(1e-5));
  CHECK(comparison.outputs[0].top1_agreement == 0.75);
  REQUIRE(comparison.layers.size() == 1);
  CHECK(comparison.layers[0].value == "a");
  CHECK(comparison.layers[0].node == "first");
  CHECK(comparison.layers[0].distance.sqnr_db == kInfinity);
  CHECK(comparison.labelled == 3);
  CHECK(comparison.float_accuracy->top1 == Approx(2.0 / 3.0));
  CHECK(comparison.quantized_accuracy->top1 == Approx(1.0 / 3.0));
  CHECK(comparison.float_accuracy->top5 == 1.0);

  for (const int threads : {1, 2, 7}) {
    options.threads = threads;
    const Comparison again = compare(reference, quantized, data, options);
    CHECK(again.outputs[0].distance.sqnr_db == comparison.outputs[0].distance.sqnr_db);
    CHECK(again.outputs[0].distance.cosine == comparison.outputs[0].distance.cosine);
  }
}

TEST_CASE("fewer samples, no layers, bad ones skipped") {
  const Graph graph = net("y = Neg(x)");
  const MemorySource data(std::vector<std::vector<Tensor>>(10, {row(1, 2, 3)}), {5});
  VerifyOptions options;
  options.max_samples = 4;
  options.layers = false;
  options.skip_bad_files = true;
  const Comparison comparison = compare(graph, graph, data, options);
  CHECK(comparison.samples == 3);
  CHECK(comparison.bad_files == std::vector<std::string>{"sample5: broken"});
  CHECK(comparison.layers.empty());
  options.skip_bad_files = false;
  CHECK(error_of([&] { compare(graph, graph, data, options); }) == ErrorCode::bad_data);
}

TEST_CASE("graphs of other inputs or outputs, and labels of another number, are refused") {
  const Graph graph = net("y = Neg(x)");
  const MemorySource data({{row(1, 2, 3)}});
  const Graph renamed = parse_graph("graph opset 13 { input x: f32[1,3] z = Neg(x) output z }");
  const Graph other = parse_graph("graph opset 13 { input w: f32[1,3] y = Neg(w) output y }");
  CHECK(error_of([&] { compare(graph, renamed, data, {}); }) == ErrorCode::invalid_argument);
  CHECK(error_of([&] { compare(graph, other, data, {}); }) == ErrorCode::invalid_argument);
  VerifyOptions options;
  options.labels = {1, 2};
  CHECK(error_of([&] { compare(graph, graph, data, options); }) == ErrorCode::invalid_argument);
}

TEST_CASE("labels belong to samples by path, or by order where they have none") {
  const MemorySource data(std::vector<std::vector<Tensor>>(3));  // sample0 sample1 sample2
  CHECK(labels_for(data, {{"./sample2", 7, {}}, {"x/../sample0", 4, {}}}) == std::vector<std::int64_t>{4, -1, 7});
  CHECK(labels_for(data, {{"", 1, {}}, {"", 2, {}}, {"", 3, {}}}) == std::vector<std::int64_t>{1, 2, 3});
  CHECK(error_of([&] { labels_for(data, {{"", 1, {}}}); }) == ErrorCode::bad_data);
  CHECK(error_of([&] { labels_for(data, {{"elsewhere", 1, {}}}); }) == ErrorCode::bad_data);
  CHECK(error_of([&] { labels_for(data, {}); }) == ErrorCode::bad_data);
  CHECK(error_of([&] { labels_for(data, {{std::string(100000, 'x'), 1, {}}}); }) == ErrorCode::bad_data);
}

TEST_CASE("outputs of integers are compared as numbers, those of other shapes are said not to be") {
  const std::string head = "graph opset 13 { input x: f32[1,4] ";
  const Graph reference = parse_graph(head + "y = ArgMax(x) {axis=1} output y }");
  const Graph quantized = parse_graph(head + "n = Neg(x) y = ArgMax(n) {axis=1} output y }");
  const Graph flat = parse_graph(head + "y = ArgMax(x) {axis=1, keepdims=0} output y }");
  const MemorySource data({{Tensor::from<float>({1, 4}, {0, 3, 2, -1})}});
  const OutputComparison output = compare(reference, quantized, data, {}).outputs.at(0);
  CHECK(output.compared == 1);
  CHECK(output.distance.max_error == 2.0);
  CHECK(compare(reference, flat, data, {}).outputs.at(0).compared == 0);
}

TEST_CASE("samples that hold no numbers are refused by name") {
  const Graph graph = net("y = Neg(x)");
  for (const float bad : {kNaN, INFINITY}) {
    const MemorySource data({{row(1, 2, 3)}, {row(1, bad, 3)}});
    CHECK(error_of([&] { compare(graph, graph, data, {}); }) == ErrorCode::bad_data);
  }
}

TEST_CASE("values of few bits are layers too, though a Clip stands before their integers") {
  const Graph reference =
      net("const w: f32[3,3] = random(1) const v: f32[3,3] = random(2) const l: f32[] = {-0.5} "
          "const h: f32[] = {0.5} a = MatMul(x, w) b = Clip(a, l, h) y = MatMul(b, v)");
  const Graph quantized =
      net("const w: f32[3,3] = random(1) const v: f32[3,3] = random(2) const l: f32[] = {-0.5} const h: f32[] = {0.5} "
          "const s: f32[] = {0.0625} const z: i8[] = {0} a = MatMul(x, w) b = Clip(a, l, h) b_clipped = Clip(b, l, h) "
          "q = QuantizeLinear(b_clipped, s, z) d = DequantizeLinear(q, s, z) y = MatMul(d, v)");
  const Comparison comparison = compare(reference, quantized, MemorySource(reference, 2), {});
  REQUIRE(comparison.layers.size() == 1);
  CHECK(comparison.layers[0].value == "b");
}

TEST_CASE("a label that no class has is refused") {
  const Graph graph = net("y = Identity(x)");
  VerifyOptions options;
  options.labels = {2, 3};
  options.threads = 1;
  CHECK_THROWS_WITH(compare(graph, graph, MemorySource(graph, 2), options),
                    Catch::Contains("sample 1 has label 3") && Catch::Contains("3 classes"));
}

TEST_CASE("the quantized graph is computed with the arithmetic asked for, the float one is not touched by it") {
  const Graph reference = net("const h: f32[] = {0.5} y = Mul(x, h)");
  const Graph quantized = net(R"(const h: f32[] = {0.5} const s: f32[] = {1} const z: i8[] = {0} m = Mul(x, h)
    q = QuantizeLinear(m, s, z) y = DequantizeLinear(q, s, z))");
  const MemorySource data({{row(1, 2, 6)}});  // 0.5 becomes 0, or 1
  CHECK(compare(reference, quantized, data, {}).outputs[0].distance.cosine == Approx(10 / std::sqrt(10.25 * 10)));
  VerifyOptions options;
  options.arithmetic = kNcnnArithmetic;
  CHECK(compare(reference, quantized, data, options).outputs[0].distance.cosine ==
        Approx(10.5 / std::sqrt(10.25 * 11)));
}
