#include "octavo/backends.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "named_plan.h"
#include "octavo/core/observers/table.h"

using namespace octavo;
using namespace octavo::test;

namespace {

/// A residual block, its end pooled, flattened and classified; `s` feeds a convolution.
const std::string kNet = kIn + R"(const u: f32[4,4,3,3] = random(4) const g: f32[4,4,2,2] = random(6)
    const fc: f32[4,10] = random(5) const fb: f32[10] = random(7)
    c1 = Conv(x, w, b) {pads=[1,1,1,1]} r1 = Relu(c1) c2 = Conv(r1, u) {pads=[1,1,1,1]} s = Add(c2, r1) r2 = Relu(s)
    m = MaxPool(r2) {kernel_shape=[2,2], strides=[2,2]} c3 = Conv(m, v) t = ConvTranspose(c3, g)
    a = GlobalAveragePool(t) f = Flatten(a) y = Gemm(f, fc, fb) output y)";

const std::string kJoined = kIn + R"(const u: f32[4,8,1,1] = random(5) const n: f32[4,4,1,1] = random(6)
    c1 = Conv(x, w) c2 = Conv(c1, v) c3 = Conv(c1, n) k = Concat(c2, c3) {axis=1}
    p = AveragePool(k) {kernel_shape=[2,2]} y = Conv(p, u) output y)";

}  // namespace

TEST_CASE("tables hold together: schemes within their own limits, one row an operator, roles that fit") {
  for (const BackendSpec* backend : backends()) {
    INFO(backend->name);
    CHECK(&backend_named(backend->name) == backend);
    CHECK_NOTHROW(check_config({}, *backend));
    std::set<std::string_view> types;
    for (const OpRule& rule : backend->rules) {
      CHECK(types.insert(rule.op_type).second);
      const bool for_weights = rule.float_output || rule.weight_rank != 0 || rule.merges_groups;
      CHECK((!for_weights || rule.role == OpRole::weighted));
    }
    if (!backend->observer_rule.observer.empty()) CHECK(find_observer(backend->observer_rule.observer) != nullptr);
  }
  CHECK(backend_named("native").name == "onnxruntime");
  CHECK_THROWS_WITH(backend_named("tensort"), Catch::Contains("tensorrt") && Catch::Contains("academic"));
}

TEST_CASE("onnxruntime: transposed convolutions run in float") {
  const Named plan = plan_of(kNet, "onnxruntime");
  CHECK(plan.integer == Set{"c1", "r1", "c2", "s", "r2", "m", "c3", "a", "f", "y"});
  CHECK(plan.groups == Groups{{"x", "x"},
                              {"r1", "r1"},
                              {"c2", "c2"},
                              {"r2", "r2"},
                              {"m", "r2"},
                              {"c3", "c3"},
                              {"t", "t"},
                              {"a", "a"},
                              {"f", "a"}});
  CHECK(plan.from_float == Set{"x", "t"});
  CHECK(plan.biased == Set{"c1", "y"});
  CHECK(plan.notes.empty());
}

TEST_CASE("openvino: averages have ranges of their own, and float operators go on reading floats") {
  const Named plan = plan_of(kNet, "openvino");
  CHECK(plan.integer == Set{"c1", "r1", "c2", "s", "r2", "m", "c3", "t", "a", "f", "y"});
  CHECK(plan.groups == Groups{{"x", "x"},
                              {"r1", "r1"},
                              {"c2", "c2"},
                              {"r2", "r2"},
                              {"m", "r2"},
                              {"c3", "c3"},
                              {"t", "t"},
                              {"a", "a"},
                              {"f", "a"}});
  CHECK(plan.weights.at("t").scheme.axis == 1);
  CHECK(plan.biased.empty());
  CHECK_FALSE(plan.weights.at("c2").int32_bias);  // nor one that a correction adds
  const Named joined = plan_of(kJoined, "openvino");
  CHECK(joined.groups == Groups{{"x", "x"}, {"c1", "c1"}, {"c2", "c2"}, {"c3", "c2"}, {"k", "c2"}, {"p", "p"}});
  const Named split = plan_of(kIn + "c = Conv(x, w) d = Conv(c, v) e = Sigmoid(c) output d output e", "openvino");
  CHECK(split.from_float == Set{"x", "c"});
}

TEST_CASE("tensorrt: pairs before weighted operators alone, int8 with zero points of 0") {
  const Named plan = plan_of(kNet, "tensorrt");
  CHECK(plan.integer == Set{"c1", "r1", "c2", "s", "r2", "c3", "t", "y"});
  CHECK(plan.groups == Groups{{"x", "x"}, {"r1", "r1"}, {"m", "m"}, {"c3", "c3"}, {"f", "f"}});
  CHECK(plan.from_float == Set{"x", "m", "f"});
  CHECK(plan.biased.empty());
  CHECK_THAT(plan.reasons.at("a"), Catch::Contains("GlobalAveragePool has no integer kernel in tensorrt"));
  CHECK(plan.weights.at("c2").storage == WeightStorage::integers);
  for (const auto& [name, activation] : plan.activations) {
    CHECK(activation.scheme.symmetric);
    CHECK(activation.scheme.is_signed());
  }
}

TEST_CASE("tensorrt: the branch that skips a convolution has a pair, and what the convolution computes has none") {
  const std::string head = kIn + "const u: f32[4,4,1,1] = random(4) const n: f32[4,4,1,1] = random(6) ";
  // A float operator computes the branch.
  const Named skip = plan_of(head +
                                 "c = Conv(x, w) e = Sigmoid(c) d = Conv(e, u) s = Add(e, d) r = Relu(s) "
                                 "y = Softmax(r) output y",
                             "tensorrt");
  CHECK(skip.integer == Set{"c", "d", "s", "r"});
  CHECK(skip.groups == Groups{{"x", "x"}, {"e", "e"}});
  CHECK(skip.from_float == Set{"x", "e"});
  // Convolutions compute both: the second is the branch.
  const Named both =
      plan_of(head + "c = Conv(x, w) d = Conv(c, u) e = Conv(c, n) s = Add(d, e) y = Softmax(s) output y", "tensorrt");
  CHECK(both.integer == Set{"c", "d", "e", "s"});
  CHECK(both.groups == Groups{{"x", "x"}, {"c", "c"}, {"e", "e"}});
  // Somebody else reads the sums as well, no convolution is there, or the branch is to stay in float.
  const Named read =
      plan_of(head + "c = Conv(x, w) d = Conv(c, u) e = Sigmoid(c) s = Add(d, e) y = Add(s, d) output y", "tensorrt");
  CHECK_THAT(read.reasons.at("s"), Catch::Contains("no integer operator before it"));
  CHECK_THAT(
      plan_of(head + "c = Conv(x, w) e = Sigmoid(c) f = Tanh(c) y = Add(e, f) output y", "tensorrt").reasons.at("y"),
      Catch::Contains("no integer operator before it"));
}

TEST_CASE("academic: every result of a convolution or linear layer, and nothing else") {
  const Named plan = plan_of(kNet, "academic");
  CHECK(plan.integer == Set{"c1", "r1", "c2", "c3", "t", "y"});
  CHECK(plan.groups ==
        Groups{{"x", "x"}, {"r1", "r1"}, {"c2", "c2"}, {"m", "m"}, {"c3", "c3"}, {"t", "t"}, {"f", "f"}, {"y", "y"}});
}

TEST_CASE("ncnn: inputs of convolutions and linear layers; 3x3 weights within 31") {
  const Named plan = plan_of(kNet, "ncnn");
  CHECK(plan.integer == Set{"c1", "r1", "c2", "c3", "y"});
  CHECK(plan.groups == Groups{{"x", "x"}, {"r1", "r1"}, {"m", "m"}, {"f", "f"}});
  CHECK(plan.from_float == Set{"x", "r1", "m", "f"});  // Add reads r1 as well
  CHECK(plan.activations.at("x").observer.name == "MSEObserver");
  CHECK(plan.activations.at("f").observer.name == "MSEObserver");
  CHECK(plan.weights.at("c1").scheme.quant_max() == 31);
  CHECK(plan.weights.at("c3").scheme.quant_max() == 127);
  REQUIRE(plan.notes.size() == 1);
  CHECK_THAT(plan.notes[0], Catch::Contains("within 31") && Catch::Contains("Winograd") && Catch::Contains("c2"));
  CHECK_THAT(plan.reasons.at("t"), Catch::Contains("no integer kernel in ncnn"));

  const auto narrow = [](const std::string& attributes) {
    return plan_of(kIn + "y = Conv(x, w) {" + attributes + "} output y", "ncnn").weights.at("y").scheme.bits == 6;
  };
  CHECK(narrow("kernel_shape=[3,3]"));
  CHECK_FALSE(narrow("strides=[2,2]"));
  CHECK_FALSE(narrow("dilations=[2,2]"));
  QConfig full;
  full.full_range_weights = true;
  const Named asked = plan_of(kNet, "ncnn", full);
  CHECK(asked.weights.at("c1").scheme.quant_max() == 127);
  REQUIRE(asked.notes.size() == 1);
  CHECK_THAT(asked.notes[0], Catch::Contains("full_range_weights") && Catch::Contains("switch that kernel off"));
  const auto grouped = [](const std::string& weight) {
    return plan_of("input x: f32[1,4,8,8] const w: f32" + weight +
                       " = random(1) y = Conv(x, w) {group=" + (weight == "[4,1,3,3]" ? "4" : "2") + "} output y",
                   "ncnn")
        .weights.at("y");
  };
  CHECK(grouped("[4,1,3,3]").scheme.axis == 0);
  CHECK(grouped("[4,1,3,3]").scheme.bits == 8);
  CHECK(grouped("[4,2,3,3]").scheme.axis == QScheme::kPerTensor);
  const std::string line = "input x: f32[1,3,8] const w: f32[4,3,3] = random(1) y = Conv(x, w) output y";
  CHECK_THAT(plan_of(line, "ncnn").reasons.at("y"), Catch::Contains("3 dimensions"));
}

TEST_CASE("tnn: concatenation rescales, average pooling stays in float, small planes are measured by their extremes") {
  const Named plan = plan_of(kNet, "tnn");
  CHECK(plan.integer == Set{"c1", "r1", "c2", "s", "r2", "m", "c3", "y"});
  CHECK(
      plan.groups ==
      Groups{{"x", "x"}, {"r1", "r1"}, {"c2", "c2"}, {"r2", "r2"}, {"m", "r2"}, {"c3", "c3"}, {"f", "f"}, {"y", "y"}});
  for (const auto& [name, activation] : plan.activations) {  // planes of 8x8
    CHECK(activation.observer.name == "TNNMinMaxObserver");
  }
  const Named joined = plan_of(kJoined, "tnn");
  CHECK(joined.reasons.at("p") == "AveragePool has no integer kernel in tnn");
  const std::string large =
      "input x: f32[1,3,16,16] const w: f32[4,3,3,3] = random(1) const v: f32[4,4,1,1] = random(2) "
      "c = Conv(x, w) {pads=[1,1,1,1]} d = Conv(c, w2) {strides=[2,2]} "
      "const w2: f32[4,4,1,1] = random(2) y = Conv(d, v) output y";
  QConfig config;
  config.activation.observer = ObserverChoice{"KLObserver", {}};
  const Named rule = plan_of(large, "tnn", config);
  CHECK(rule.activations.at("c").observer.name == "KLObserver");
  for (const auto& name : {"x", "d", "y"}) CHECK(rule.activations.at(name).observer.name == "TNNMinMaxObserver");
  REQUIRE(rule.notes.size() == 1);
  CHECK_THAT(rule.notes[0], Catch::Contains("TNNMinMaxObserver instead of KLObserver") && Catch::Contains("'d'"));
}

TEST_CASE("snpe: the whole network in affine integers, weights per tensor") {
  const Named plan = plan_of(kNet, "snpe");
  CHECK(plan.integer == Set{"c1", "r1", "c2", "s", "r2", "m", "c3", "t", "a", "f", "y"});
  CHECK(plan.groups == Groups{{"x", "x"},
                              {"r1", "r1"},
                              {"c2", "c2"},
                              {"r2", "r2"},
                              {"m", "r2"},
                              {"c3", "c3"},
                              {"t", "t"},
                              {"a", "a"},
                              {"f", "a"},
                              {"y", "y"}});
  CHECK(plan.weights.at("c1").scheme == QScheme{.qtype = QType::quint8, .bits = 8});
  CHECK(plan.biased == Set{"c1", "y"});
}

TEST_CASE("tnn's merge types set how finely weights and activations are scaled") {
  QConfig config;
  config.weight.observer = ObserverChoice{"MinMaxObserver", {}};
  config.activation.observer = ObserverChoice{"MovingAverageMinMaxObserver", {}};
  SECTION("0: both for each channel, but not around a linear layer") {
    apply_merge_type(config, 0);
    CHECK(config.activation.observer->type == "MovingAveragePerChannelMinMaxObserver");
    const Named plan = plan_of(kNet, "tnn", config);
    CHECK(plan.weights.at("c1").scheme.axis == 0);
    CHECK(plan.activations.at("r1").scheme.axis == 1);
    CHECK(plan.activations.at("r1").observer_options.axis == 1);
    CHECK(plan.activations.at("x").observer.name == "PerChannelTNNMinMaxObserver");
    CHECK(plan.activations.at("m").scheme.axis == 1);
    CHECK(plan.activations.at("f").scheme.axis == QScheme::kPerTensor);
    CHECK(plan.activations.at("f").observer.name == "TNNMinMaxObserver");
    CHECK(plan.biased == Set{"y"});  // a bias in integers needs one scale of the input
    REQUIRE(plan.notes.size() >= 1);
  }
  SECTION("1: weights alone") {
    apply_merge_type(config, 1);
    CHECK(config.weight.observer->type == "PerChannelMinMaxObserver");
    const Named plan = plan_of(kNet, "tnn", config);
    CHECK(plan.weights.at("c1").scheme.axis == 0);
    CHECK(plan.activations.at("r1").scheme.axis == QScheme::kPerTensor);
    CHECK(plan.biased == Set{"c1", "y"});
  }
  SECTION("2: neither, whatever was there before") {
    apply_merge_type(config, 0);
    apply_merge_type(config, 2);
    CHECK(config.activation.observer->type == "MovingAverageMinMaxObserver");
    CHECK(plan_of(kNet, "tnn", config).weights.at("c1").scheme.axis == QScheme::kPerTensor);
  }
  SECTION("an observer that looks at channels contradicts one scale for a tensor") {
    config.activation.observer = ObserverChoice{"PerChannelTNNKLObserver", {}};
    CHECK_THROWS_WITH(apply_merge_type(config, 1),
                      Catch::Contains("a_observer PerChannelTNNKLObserver") && Catch::Contains("take TNNKLObserver"));
    apply_merge_type(config, 0);
  }
  CHECK_THROWS_WITH(apply_merge_type(config, 3), Catch::Contains("no merge type 3; expected 0"));
}
