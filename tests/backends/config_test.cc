#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "configs.h"
#include "octavo/core/observers/table.h"

using namespace octavo;
using namespace octavo::test;

namespace {

QConfig with_override(QOverride over) {
  QConfig config;
  config.overrides.push_back(std::move(over));
  return config;
}

QOverride skipping(const std::string& type, const std::string& node) {
  QOverride over;
  over.op_type = type;
  over.node = node;
  over.skip = true;
  return over;
}

}  // namespace

TEST_CASE("MMRazor's example for OpenVINO is planned as it says") {
  QConfig config;
  config.weight = with_observer("PerChannelMinMaxObserver");
  config.weight.scheme = symmetric_int8();
  config.weight.scheme->explicit_range = true;
  config.activation = with_observer("MovingAverageMinMaxObserver");
  config.activation.observer->options.averaging_constant = 0.1;
  config.activation.scheme = QScheme{.qtype = QType::quint8, .bits = 8, .symmetric = true, .explicit_range = true};
  config.weight.fake_quant = "FakeQuantize";
  config.activation.fake_quant = "FakeQuantize";
  const Named plan = plan_of(kChain, "openvino", config);
  CHECK(plan.integer == Set{"c1", "r1", "c2", "p", "c3"});
  CHECK(plan.groups == Groups{{"x", "x"}, {"r1", "r1"}, {"c2", "c2"}, {"p", "c2"}});
  for (const auto& [name, activation] : plan.activations) {
    INFO(name);
    CHECK(activation.observer.name == "MovingAverageMinMaxObserver");  // the input as well
    CHECK(activation.observer_options.averaging_constant == 0.1);
    CHECK(activation.scheme == *config.activation.scheme);
  }
  for (const auto& [name, weight] : plan.weights) {
    CHECK(weight.observer.name == "PerChannelMinMaxObserver");
    CHECK(weight.scheme.axis == 0);
    CHECK(weight.scheme.explicit_range);
  }
  CHECK(plan.notes.empty());
}

TEST_CASE("overrides change operators by type, name and glob, and later ones win") {
  QOverride by_type;
  by_type.op_type = "Conv";
  by_type.activation = with_observer("KLObserver");
  by_type.weight = with_observer("MinMaxObserver");
  QOverride by_glob;
  by_glob.node = "block*conv";
  by_glob.activation = with_observer("MSEObserver");
  QConfig config;
  config.overrides = {by_type, by_glob};
  const Named plan = plan_of(kChain, "onnxruntime", config);
  CHECK(plan.activations.at("r1").observer.name == "MSEObserver");  // fused into block1/conv
  CHECK(plan.activations.at("p").observer.name == "MSEObserver");   // shares with block2/conv's
  CHECK(plan.activations.at("c3").observer.name == "KLObserver");
  CHECK(plan.activations.at("x").observer.name == "MinMaxObserver");
  CHECK(plan.weights.at("c1").scheme.axis == QScheme::kPerTensor);
  CHECK(plan.weights.at("c1").observer.name == "MinMaxObserver");

  QOverride by_input;
  by_input.node = "x";
  by_input.activation = with_scheme({.qtype = QType::qint8, .bits = 8, .symmetric = true});
  CHECK(plan_of(kChain, "onnxruntime", with_override(by_input)).activations.at("x").scheme.is_signed());
  QOverride nobody;
  nobody.node = "block?conv";
  nobody.skip = true;
  const Named unchanged = plan_of(kChain, "onnxruntime", with_override(nobody));
  REQUIRE(unchanged.notes.size() == 1);
  CHECK_THAT(unchanged.notes[0], Catch::Contains("overrides[0]") && Catch::Contains("block?conv"));
  nobody.node = "block1/con";
  CHECK_THROWS_WITH(plan_of(kChain, "onnxruntime", with_override(nobody)), Catch::Contains("'block1/conv'"));
}

TEST_CASE("globs match as file names do, whatever they are made of") {
  const auto skips = [](const std::string& glob, const std::string& name) {
    const std::string body = kIn + "y = Conv \"" + name + "\" (x, w) output y";
    return plan_of(body, "onnxruntime", with_override(skipping("", glob))).integer.empty();
  };
  CHECK(skips("*", "a"));
  CHECK(skips("a*c", "abbc"));
  CHECK(skips("a*b*c", "aXbYbZc"));
  CHECK(skips("?bc", "abc"));
  CHECK_FALSE(skips("?bc*d", "abc"));
  CHECK_FALSE(skips("b*", "abc"));
  CHECK_FALSE(skips(std::string(40, '*') + "b", std::string(5000, 'a')));
}

TEST_CASE("overrides that disagree about shared parameters are refused by the values' names") {
  QOverride first;
  first.node = "block2/conv";
  first.activation = with_observer("KLObserver");
  QOverride second;
  second.node = "pool";
  second.activation = with_observer("MSEObserver");
  QConfig config;
  config.overrides = {first, second};
  CHECK_THROWS_WITH(plan_of(kChain, "onnxruntime", config), Catch::Contains("'c2'") && Catch::Contains("'p'"));
  config.overrides[1].activation = first.activation;
  CHECK(plan_of(kChain, "onnxruntime", config).activations.at("p").observer.name == "KLObserver");
}

TEST_CASE("skipped operators stay in float, and so does what lived by them") {
  SECTION("by name") {
    const Named plan = plan_of(kChain, "onnxruntime", with_override(skipping("", "block2/conv")));
    CHECK(plan.integer == Set{"c1", "r1", "c3"});
    CHECK(plan.groups == Groups{{"x", "x"}, {"r1", "r1"}, {"p", "p"}, {"c3", "c3"}});
    CHECK_THAT(plan.reasons.at("c2"), Catch::Contains("skipped by the name 'block2/conv'"));
  }
  SECTION("an activation is then not fused") {
    const Named plan = plan_of(kChain, "onnxruntime", with_override(skipping("Relu", "")));
    CHECK(plan.integer == Set{"c1", "c2", "p", "c3"});
    CHECK(plan.groups.contains("c1"));
    CHECK_THAT(plan.reasons.at("r1"), Catch::Contains("all Relu are"));
  }
}

TEST_CASE("of overrides that skip and do not skip the later one holds") {
  QOverride kept;
  kept.node = "block2/conv";
  kept.skip = false;
  QConfig config = with_override(skipping("Conv", ""));
  config.overrides.push_back(kept);
  CHECK(plan_of(kChain, "onnxruntime", config).integer == Set{"c2"});
  std::swap(config.overrides[0], config.overrides[1]);
  CHECK(plan_of(kChain, "onnxruntime", config).integer.empty());
}

TEST_CASE("names that the graph has not are refused where the user wrote them") {
  QOverride over = skipping("", "nowhere");
  over.where = "r.yaml:7: skip";
  CHECK_THROWS_WITH(plan_of(kChain, "onnxruntime", with_override(over)),
                    Catch::StartsWith("r.yaml:7: skip: the graph has no node 'nowhere'"));
  over = skipping("Covn", "");
  over.where = "--skip";
  CHECK_THROWS_WITH(plan_of(kChain, "onnxruntime", with_override(over)),
                    Catch::StartsWith("--skip: op_type 'Covn' is not known; did you mean 'Conv'"));
  over.op_type = "Softmax";  // of ONNX, though not of this graph
  CHECK(plan_of(kChain, "onnxruntime", with_override(over)).notes.size() == 1);
  QConfig config;
  config.skipped_spans.push_back({"pol", "head", "r.yaml:9: skip_between"});
  CHECK_THROWS_WITH(plan_of(kChain, "onnxruntime", config), Catch::StartsWith("r.yaml:9: skip_between: the graph"));
}

TEST_CASE("an override's weight observer beside another's method that searches for itself is refused") {
  QOverride observed;
  observed.op_type = "Conv";
  observed.weight = with_observer("MinMaxObserver");
  QOverride searching;
  searching.node = "block2/conv";
  searching.weight_method = "mse";
  QConfig config = with_override(observed);
  config.overrides.push_back(searching);
  CHECK(refusal(config, "onnxruntime") == "taken");
  CHECK_THROWS_WITH(
      plan_of(kChain, "onnxruntime", config),
      Catch::Contains("overrides[0]: w_observer MinMaxObserver would have no effect on Conv 'block2/conv'"));
}

TEST_CASE("spans stay in float from one name to another") {
  QConfig config;
  const auto floats = [&](const std::string& from, const std::string& to) {
    config.skipped_spans = {{from, to, ""}};
    Set names;
    for (const auto& [name, reason] : plan_of(kChain, "onnxruntime", config).reasons) {
      if (reason.find("between") != std::string::npos) names.insert(name);
    }
    return names;
  };
  CHECK(floats("block1/relu", "pool") == Set{"r1", "c2", "p"});
  CHECK(floats("pool", "pool") == Set{"p"});
  CHECK(floats("r1", "p") == Set{"c2", "p"});  // values: from their readers to their producer
  CHECK(floats("x", "c3") == Set{"c1", "r1", "c2", "p", "c3"});
  CHECK_THROWS_WITH(floats("pol", "head"), Catch::Contains("did you mean 'pool'"));
  CHECK_THROWS_WITH(floats("head", "pool"), Catch::Contains("no way leads") && Catch::Contains("other way round"));
}

TEST_CASE("a span holds the branches between its ends and no others") {
  QConfig config;
  config.skipped_spans = {{"fork", "join", ""}};
  const Named plan = plan_of(kIn + R"(const u: f32[4,4,1,1] = random(5) const t: f32[4,4,1,1] = random(6)
      c = Conv "fork" (x, w) l = Conv "left" (c, v) r = Conv "right" (c, u) s = Add "join" (l, r)
      o = Conv "aside" (c, t) y = Conv "after" (s, t) output y output o)",
                             "onnxruntime", config);
  CHECK(plan.integer == Set{"o", "y"});
}

TEST_CASE("observers without parameters leave activations in float and weights in integers") {
  QConfig config;
  config.activation = with_observer("NothingObserver");
  struct Nothing final : ObserverBase {
    std::unique_ptr<Summary> summarize(const TensorView&) const override { return std::make_unique<Summary>(); }
    void fold(const Summary&) override {}
    void merge(const ObserverBase&) override {}
    QParams compute_qparams(const QScheme&) const override { return {}; }
    bool has_qparams() const override { return false; }
    void save(std::vector<std::byte>&) const override {}
    bool load(std::span<const std::byte>) override { return false; }
  };
  ObserverEntry entry = observers().front();
  entry.name = "NothingObserver";
  entry.make = [](const ObserverOptions&) -> std::unique_ptr<ObserverBase> { return std::make_unique<Nothing>(); };
  config.extensions.observers.push_back(entry);
  SECTION("everywhere") {
    const Named plan = plan_of(kChain, "onnxruntime", config);
    CHECK(plan.integer.empty());
    CHECK(plan.groups.empty());
    CHECK(plan.weighted == Set{"c1", "c2", "c3"});
    CHECK_THAT(plan.reasons.at("c2"), Catch::Contains("'r1' stays in float") && Catch::Contains("weight becomes"));
  }
  SECTION("for one operator") {
    QOverride over;
    over.node = "block1/conv";
    std::swap(over.activation.emplace(), config.activation);
    config.overrides.push_back(over);
    const Named plan = plan_of(kChain, "onnxruntime", config);
    CHECK(plan.integer == Set{"c1", "r1", "c3"});
    CHECK(plan.groups == Groups{{"x", "x"}, {"p", "p"}, {"c3", "c3"}});
    CHECK(plan.weighted == Set{"c1", "c2", "c3"});
  }
  SECTION("weights need some") {
    std::swap(config.weight, config.activation);
    CHECK_THAT(refusal(config, "onnxruntime"), Catch::Contains("w_observer") && Catch::Contains("skip"));
  }
}

TEST_CASE("PyTorch's observers without parameters mean what they mean there, or are refused") {
  QConfig config;
  config.activation = with_observer("PlaceholderObserver");
  CHECK(plan_of(kChain, "onnxruntime", config).groups.empty());
  config.activation = with_observer("RecordingObserver");
  CHECK_THAT(refusal(config, "onnxruntime"), Catch::Contains("PlaceholderObserver"));
  config.activation = with_observer("ReuseInputObserver");
  CHECK_THAT(refusal(config, "onnxruntime"), Catch::Contains("move data alone") && Catch::Contains("override"));
  QOverride over;
  over.node = "pool";
  over.activation = config.activation;
  CHECK(plan_of(kChain, "onnxruntime", with_override(over)).groups.at("p") == "c2");
  over.node = "head";
  CHECK_THROWS_WITH(plan_of(kChain, "onnxruntime", with_override(over)),
                    Catch::Contains("'c3' comes from Conv 'head'"));
}

TEST_CASE("groups of weights run along their inputs, and what has none keeps a scale for each channel") {
  QConfig config;
  config.weight.granularity = Granularity::per_group;
  config.weight.group_size = 2;
  const Named plan = plan_of(kIn + R"(input a: f32[2,4] const g: f32[4,5] = random(2) const t: f32[5,4] = random(3)
    const gb: f32[5] = random(5)
    c = Conv(x, w, b) d = Conv(c, v) y1 = Gemm(a, g, gb) y2 = Gemm(a, t) {transB=1} y3 = MatMul(a, g)
    output d output y1 output y2 output y3)",
                             "onnxruntime", config);
  const auto axis = [&](const std::string& name) { return plan.weights.at(name).scheme.axis; };
  CHECK(axis("d") == 1);
  CHECK(axis("y1") == 0);
  CHECK(axis("y2") == 1);
  CHECK(axis("y3") == 0);
  CHECK(plan.weights.at("y3").scheme.group_size == 2);
  CHECK(axis("c") == 0);
  CHECK(plan.weights.at("c").scheme.group_size == 0);
  CHECK(plan.biased == Set{"c"});  // no one scale for a channel's sum
  REQUIRE(plan.notes.size() == 1);
  CHECK_THAT(plan.notes[0], Catch::Contains("each group") && Catch::Contains("Conv writing 'c'"));
}
