#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "named_plan.h"
#include "octavo/backends.h"

using namespace octavo;
using namespace octavo::test;

namespace {

const std::string kChain = kIn + R"(const u: f32[4,4,3,3] = random(4)
    c1 = Conv "block1/conv" (x, w) r1 = Relu "block1/relu" (c1) c2 = Conv "block2/conv" (r1, u)
    p = MaxPool "pool" (c2) {kernel_shape=[2,2]} c3 = Conv "head" (p, v) output c3)";

QScheme symmetric_int8() { return {.qtype = QType::qint8, .bits = 8, .symmetric = true, .symmetric_range = true}; }

TensorQConfig with_observer(const std::string& type) {
  TensorQConfig config;
  config.observer = ObserverChoice{type, {}};
  return config;
}

TensorQConfig with_scheme(const QScheme& scheme) {
  TensorQConfig config;
  config.scheme = scheme;
  return config;
}

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

/// What check_config says against it.
std::string refusal(const QConfig& config, const std::string& backend) {
  try {
    check_config(config, backend_named(backend));
  } catch (const Error& error) {
    return error.what();
  }
  return "taken";
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

TEST_CASE("names come from the tables or the user's own, and unknown ones name the nearest") {
  QConfig config;
  config.activation = with_observer("MinMaxObserve");
  CHECK_THAT(refusal(config, "onnxruntime"), Catch::Contains("did you mean 'MinMaxObserver'"));
  config.extensions.observers.push_back(*find_observer("MinMaxObserver"));
  config.extensions.observers[0].name = "MinMaxObserve";
  CHECK(refusal(config, "onnxruntime") == "taken");
  CHECK(plan_of(kChain, "onnxruntime", config).activations.at("p").observer.name == "MinMaxObserve");
  config = {};
  config.weight_method = "min-max";
  CHECK_THAT(refusal(config, "onnxruntime"),
             Catch::Contains("weight method 'min-max' is not known") && Catch::Contains("'minmax'"));
  config = {};
  config.weight.fake_quant = "FakeQuant";
  CHECK_THAT(refusal(config, "onnxruntime"), Catch::Contains("'FakeQuantize'"));
}

TEST_CASE("overrides that do not fit each other are refused, though each fits alone") {
  QOverride by_type;
  by_type.op_type = "Conv";
  by_type.weight_method = "admm";
  QOverride by_name;
  by_name.node = "block2/conv";
  by_name.weight.emplace().scheme = QScheme{.qtype = QType::quint8, .bits = 8};
  by_name.weight->granularity = Granularity::per_tensor;
  QConfig config;
  config.overrides = {by_type, by_name};
  CHECK(refusal(config, "onnxruntime") == "taken");
  CHECK_THROWS_WITH(plan_of(kChain, "onnxruntime", config),
                    Catch::Contains("block2/conv") && Catch::Contains("'admm' needs weights with zero point 0"));
}

TEST_CASE("an observer refuses values of its options that it cannot take") {
  QConfig config;
  config.activation = with_observer("FixedQParamsObserver");
  auto& options = config.activation.observer->options.extra;
  CHECK_THAT(refusal(config, "onnxruntime"), Catch::Contains("needs scale and zero_point, scale is missing"));
  options["scale"] = 1.0 / 256;
  CHECK_THAT(refusal(config, "onnxruntime"), Catch::Contains("zero_point is missing"));
  options["zero_point"] = 128;
  CHECK(refusal(config, "onnxruntime") == "taken");
  CHECK_THAT(refusal(config, "tensorrt"), Catch::Contains("zero_point: 128 found, expected 0, as symmetric qint8"));
  for (const double zero_point : {-1.0, 256.0, 0.5}) {
    options["zero_point"] = zero_point;
    CHECK_THAT(refusal(config, "onnxruntime"), Catch::Contains("expected a whole number from 0 to 255"));
  }
  options["zero_point"] = 0;
  for (const double scale : {0.0, -1.0, 1e-60, 1e60, std::nan("")}) {
    INFO(scale);
    config.activation.observer->options.extra["scale"] = scale;
    CHECK_THAT(refusal(config, "onnxruntime"), Catch::Contains("'FixedQParamsObserver' could not be made"));
  }
}

TEST_CASE("what a backend cannot take is refused with what to change") {
  const auto activation = [](const QScheme& scheme, const std::string& backend) {
    QConfig config;
    config.activation.scheme = scheme;
    return refusal(config, backend);
  };
  const auto weight = [](const QScheme& scheme, const std::string& backend) {
    QConfig config;
    config.weight.scheme = scheme;
    return refusal(config, backend);
  };
  const QScheme affine_int8{.qtype = QType::qint8, .bits = 8};
  const QScheme affine_uint8{.qtype = QType::quint8, .bits = 8};
  QScheme int16 = symmetric_int8();
  int16.bits = 16;
  QScheme power = symmetric_int8();
  power.power_of_two = true;
  CHECK_THAT(activation(affine_int8, "tensorrt"),
             Catch::Contains("a_qscheme: tensorrt") && Catch::Contains("is_symmetry: true"));
  CHECK_THAT(activation(affine_uint8, "tensorrt"), Catch::Contains("set qdtype: qint8"));
  CHECK_THAT(activation({.qtype = QType::quint8, .bits = 8, .symmetric = true}, "ncnn"),
             Catch::Contains("qdtype: qint8"));
  CHECK_THAT(weight(affine_int8, "tnn"), Catch::Contains("w_qscheme: tnn takes weights with zero point 0 alone"));
  CHECK_THAT(weight(affine_int8, "onnxruntime"), Catch::Contains("granularity: per_tensor"));
  CHECK_THAT(activation(int16, "openvino"), Catch::Contains("up to 8 bits, found 16; set bit: 8"));
  CHECK(activation(int16, "onnxruntime") == "taken");
  CHECK(activation(affine_uint8, "snpe") == "taken");
  for (const BackendSpec* backend : backends()) CHECK(weight(power, std::string(backend->name)) == "taken");

  QConfig config;
  config.activation = with_observer("PerChannelMinMaxObserver");
  CHECK_THAT(refusal(config, "openvino"), Catch::Contains("a_observer") && Catch::Contains("these do: tnn") &&
                                              Catch::Contains("take MinMaxObserver"));
  CHECK(refusal(config, "tnn") == "taken");
  config = {};
  config.weight.granularity = Granularity::per_group;
  config.weight.group_size = 32;
  CHECK_THAT(refusal(config, "tensorrt"), Catch::Contains("these do: onnxruntime"));
  CHECK(refusal(config, "native") == "taken");
}

TEST_CASE("keys that contradict each other are refused") {
  QConfig config;
  const auto says = [&](const std::string& words) { CHECK_THAT(refusal(config, "academic"), Catch::Contains(words)); };
  config.weight.scheme = QScheme{.qtype = QType::quint8, .symmetric = true, .symmetric_range = true};
  says("w_qscheme: symmetric_range needs a signed type");
  config.weight.scheme = QScheme{.qtype = QType::qint8, .bits = 1};
  says("set bit: 2, or qdtype: quint8");
  config.weight.scheme = QScheme{.qtype = QType::quint8, .bits = 1, .symmetric = true};
  says("w_qscheme: symmetric with 1 bit found");
  config.weight.scheme->symmetric = false;
  CHECK(refusal(config, "academic") == "taken");
  config.weight.scheme = QScheme{.bits = 17};
  says("bits must be 1 to 16");
  config.weight.scheme = QScheme{.axis = 1};
  says("leave them, and set granularity");
  config = {};
  config.weight.group_size = 32;
  says("group_size 32 needs granularity: per_group");
  config.weight.granularity = Granularity::per_group;
  config.weight.group_size = 0;
  says("needs a group_size above 0");
  config = {};
  config.weight = with_observer("PerChannelMinMaxObserver");
  config.weight.granularity = Granularity::per_tensor;
  says("set granularity: per_channel, or take MinMaxObserver");
  config = {};
  config.activation = with_observer("MovingAverageMinMaxObserver");
  config.activation.observer->options.averaging_constant = 0.0;
  says("averaging_constant: 0 found");
  config.activation.observer->options = {};
  config.activation.observer->options.bins = 1000;
  says("bins: 1000 found, expected a power of two");

  config = {};
  config.extensions.weight_methods.push_back(weight_methods().front());
  config.extensions.weight_methods[0].name = "mine";
  config.weight_method = "mine";
  CHECK(refusal(config, "academic") == "taken");
  config.weight = with_observer("MinMaxObserver");
  says("leave out one of the two");
  config = {};
  config.weight_method = "admm";
  CHECK(refusal(config, "academic") == "taken");
  CHECK_THAT(refusal(config, "snpe"), Catch::Contains("'admm' needs weights with zero point 0, found asymmetric"));
  config = {};
  config.overrides.emplace_back().skip = true;
  says("overrides[0]: neither op_type nor node");
  config.overrides[0].op_type = "Conv";
  config.overrides[0].weight = with_scheme({.bits = 0});
  says("overrides[0]: w_qscheme: bits must be");
  config.overrides[0].where = "r.yaml:4: overrides";
  says("r.yaml:4: overrides: w_qscheme: bits must be");
  config.overrides[0].weight.reset();
  config.overrides[0].skip.reset();
  says("r.yaml:4: overrides: it says nothing of what is different for Conv");
}
