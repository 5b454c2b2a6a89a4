// Quantization configurations in recipes.
#include <catch2/catch.hpp>
#include <string>

#include "octavo/core/fake_quantizers/table.h"
#include "octavo/core/observers/table.h"
#include "octavo/core/weights/table.h"
#include "recipes.h"

using namespace octavo;
using namespace octavo::test;

TEST_CASE("MMRazor's configurations are read as MMRazor reads them") {
  const Recipe recipe = parsed(mmrazor("openvino", "quint8"));
  const TensorQConfig& weight = recipe.qconfig.weight;
  CHECK(weight.observer->type == "PerChannelMinMaxObserver");
  CHECK(weight.fake_quant == "FakeQuantize");
  CHECK(*weight.scheme ==
        QScheme{.qtype = QType::qint8, .symmetric = true, .symmetric_range = true, .explicit_range = true});
  const TensorQConfig& activation = recipe.qconfig.activation;
  CHECK(activation.observer->type == "MovingAverageMinMaxObserver");
  CHECK(activation.observer->options.averaging_constant == 0.1);
  CHECK(*activation.scheme == QScheme{.symmetric = true, .explicit_range = true});
  CHECK_FALSE(activation.granularity.has_value());

  // Left out: quint8, 8 bits, symmetric, the whole range.
  CHECK(*parsed("global_qconfig: {a_qscheme: {bit: 8}}").qconfig.activation.scheme ==
        QScheme{.symmetric = true, .explicit_range = true});
  CHECK(parsed("global_qconfig: {a_qscheme: {qdtype: quint8}}").qconfig.activation.scheme->symmetric);
  CHECK_FALSE(parsed("global_qconfig: {w_qscheme: {granularity: per_tensor}}").qconfig.weight.scheme.has_value());
}

TEST_CASE("an override begins from the global configuration") {
  const Recipe recipe = parsed(R"(
global_qconfig:
  w_qscheme: {qdtype: qint8, bit: 8, is_symmetry: true, is_symmetric_range: true}
  a_observer: {type: MovingAverageMinMaxObserver, averaging_constant: 0.2}
overrides:
  - {node: conv1, w_qscheme: {bit: 7}}
  - {op_type: Gemm, a_qscheme: {averaging_constant: 0.5}, weight_method: minmax}
)");
  const auto& overrides = recipe.qconfig.overrides;
  REQUIRE(overrides.size() == 2);
  QScheme expected = *recipe.qconfig.weight.scheme;
  expected.bits = 7;
  CHECK(overrides[0].weight->scheme == expected);
  CHECK_FALSE(overrides[0].weight->observer.has_value());
  CHECK_FALSE(overrides[0].activation.has_value());
  CHECK(overrides[1].activation->observer->type == "MovingAverageMinMaxObserver");
  CHECK(overrides[1].activation->observer->options.averaging_constant == 0.5);
  CHECK_FALSE(overrides[1].activation->scheme.has_value());
  CHECK(overrides[1].weight_method == "minmax");
}

TEST_CASE("a user's own names are known with their options") {
  Extensions own;
  own.observers.push_back({"OwnObserver", observers().front().make});
  own.fake_quantizers.push_back({"OwnQuantize", fake_quantizers().front().compute_qparams, nullptr});
  WeightMethodEntry& method = own.weight_methods.emplace_back(weight_methods().front());
  method.name = "own_method";
  const std::string text =
      "weight_method: own_method\n"
      "global_qconfig: {a_observer: {sigmas: 4, type: OwnObserver}, a_fake_quant: OwnQuantize}\n";
  const Recipe recipe = parse_recipe(text, "r.yaml", own);
  CHECK(recipe.qconfig.weight_method == "own_method");
  CHECK(recipe.qconfig.activation.observer->options.extra.at("sigmas") == 4.0);
  CHECK(recipe.qconfig.activation.fake_quant == "OwnQuantize");
  CHECK(recipe_text(parse_recipe(recipe_text(recipe), "r.yaml", own)) == recipe_text(recipe));
  CHECK_THAT(complaint(text), Catch::Contains("not known"));
}
