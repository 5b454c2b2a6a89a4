// Configurations that contradict themselves, a backend or a graph.
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "configs.h"
#include "octavo/core/observers/table.h"
#include "octavo/core/weights/table.h"

using namespace octavo;
using namespace octavo::test;

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
