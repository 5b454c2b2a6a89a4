// Recipes from text to a quantized graph.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "recipes.h"
#include "support/graphs.h"

using namespace octavo;
using namespace octavo::test;

namespace {

Graph network() {
  return parse_graph(R"(graph opset 13 {
  input x: f32[1,3,8,8]
  const w1: f32[8,3,3,3] = random(1, -0.3, 0.3) const b1: f32[8] = random(2)
  const w2: f32[8,8,1,1] = random(3, -0.5, 0.5) const w3: f32[8,5] = random(4)
  c1 = Conv(x, w1, b1) {pads=[1,1,1,1]}
  r1 = Relu(c1)
  c2 = Conv(r1, w2)
  a = Add(c2, r1)
  g = GlobalAveragePool(a)
  f = Flatten(g)
  y = MatMul(f, w3)
  output y })");
}

}  // namespace

TEST_CASE("MMRazor's configurations run unchanged, and again from the recipe that a run leaves") {
  const Graph model = network();
  const MemorySource data(model, 40);
  for (const auto& [backend, qdtype, zero_point] :
       {std::tuple{"openvino", "quint8", 127}, std::tuple{"tensorrt", "qint8", 0}}) {
    INFO(backend);
    const Recipe recipe = parse_recipe(mmrazor(backend, qdtype), "mmrazor.yaml");
    const Quantized result = quantize(model, data, recipe);
    REQUIRE_FALSE(result.plan.activations.empty());
    for (const ActivationPlan& activation : result.plan.activations) {
      CHECK(activation.observer.name == "MovingAverageMinMaxObserver");
      CHECK(activation.observer_options.averaging_constant == 0.1);
    }
    for (const auto& [name, params] : result.activations) CHECK(params.zero_point == std::vector{zero_point});
    for (const WeightPlan& weight : result.plan.weights) {
      CHECK(weight.observer.name == "PerChannelMinMaxObserver");
      CHECK(weight.scheme.per_channel());
      CHECK(weight.scheme.quant_min() == -127);
    }
    CHECK(to_text(quantize(model, data, parse_recipe(recipe_text(recipe), "again.yaml")).graph) ==
          to_text(result.graph));
  }
}

TEST_CASE("without samples a run says what of the recipe has no effect") {
  const Graph model = network();
  for (const std::string mode : {"weights_only", "dynamic"}) {
    INFO(mode);
    const auto notes = [&](const std::string& more) {
      std::string text;
      for (const std::string& note : quantize(model, parse_recipe("mode: " + mode + more, "r.yaml")).notes)
        text += note;
      return text;
    };
    CHECK_THAT(notes(""), Catch::Contains("no samples were looked at") && !Catch::Contains("no effect"));
    CHECK_THAT(notes("\nglobal_qconfig: {a_observer: KLObserver}"),
               Catch::Contains("a_qscheme have no effect in mode " + mode));
    CHECK_THAT(notes("\nimages: nowhere"), Catch::Contains("images and calibration have no effect in mode " + mode));
  }
}

TEST_CASE("weights alone are as wide as asked, and where a form has floats for them it is said") {
  for (const auto& [to, floats] : {std::pair("onnx", false), {"ncnn", true}, {"tnn", true}, {"openvino", false}}) {
    INFO(to);
    const Quantized result = quantize(network(), parsed("{mode: weights_only, to: " + std::string(to) + "}"));
    std::string notes;
    for (const std::string& note : result.notes) notes += note + '\n';
    CHECK((notes.find("written as the floats that their integers stand for") != std::string::npos) == floats);
    CHECK_THAT(notes, !Catch::Contains("Winograd"));
    for (const WeightPlan& weight : result.plan.weights) CHECK(weight.scheme.bits == 8);
  }
}

TEST_CASE("integers of 4 bits ask for no operator set where files have bytes for them") {
  for (const auto& [to, opset] : {std::pair("onnx", 21), {"ncnn", 13}, {"tnn", 13}}) {
    INFO(to);
    const Quantized result = quantize(
        network(),
        parsed(
            std::string("global_qconfig: {w_qscheme: {qdtype: qint8, bit: 4}}\nmode: weights_only\nto: ").append(to)));
    CHECK(result.graph.opset() == opset);
    const bool told = std::any_of(result.notes.begin(), result.notes.end(),
                                  [](const std::string& note) { return note.find("opset") != std::string::npos; });
    CHECK(told == (opset == 21));
  }
}

TEST_CASE("activations of few bits are refused before any work where the kernels have no such limits") {
  const std::string few = "global_qconfig: {a_qscheme: {qdtype: qint8, bit: 6}}\n";
  CHECK_THROWS_WITH(parsed(few + "to: tnn"),
                    Catch::Contains("tnn takes activations of 8 bits") && Catch::Contains("found 6; set bit: 8"));
  CHECK_NOTHROW(parsed(few + "to: ncnn"));  // a Clip keeps them
}

TEST_CASE("sizes that the model leaves open can be fixed") {
  const Graph model =
      parse_graph("graph opset 13 { input x: f32[N,3,H,W] const w: f32[4,3,1,1] = random(1) y = Conv(x, w) output y }");
  const Recipe recipe = parsed("{mode: weights_only, preprocess: {input_shape: [-1, 3, 6, 5]}}");
  const Quantized result = quantize(model, recipe);
  CHECK_THAT(to_text(result.graph, 0), Catch::Contains("input x: f32[N,3,6,5]") && Catch::Contains("y: f32[N,4,6,5]"));
  CHECK_NOTHROW(check_recipe(parsed("{to: tnn, preprocess: {input_shape: [-1, 3, 6, 5]}}"), model));
  CHECK_THROWS_WITH(check_recipe(parsed("to: tnn"), model), Catch::Contains("open dimension"));
  for (const char* shape : {"1,4,6,5", "3,6,5"}) {
    Recipe wrong;
    set_option(wrong, "input-shape", std::string("x=") + shape);
    CHECK_THROWS_WITH(check_recipe(wrong, model), Catch::Contains("input 'x' is [N,3,H,W]"));
  }
}

TEST_CASE("more batches than there are samples are noted") {
  const Graph model = network();
  const MemorySource samples(model, 5);
  const auto noted = [&](std::size_t steps) {
    Recipe recipe;
    recipe.batch_size = 2;
    recipe.calibrate_steps = steps;
    const auto notes = quantize(model, samples, recipe).notes;
    return std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
      return note.find("batches of 2 samples found, and there are 5 samples: all are taken") != std::string::npos;
    });
  };
  CHECK_FALSE(noted(0));
  CHECK_FALSE(noted(3));
  CHECK(noted(4));
}

TEST_CASE("a model that is quantized in any form is refused, with what can be done with it") {
  for (const std::string node :
       {"QuantizeLinear(x, s)", "org.openvinotoolkit::FakeQuantize(x, s, s, s, s)", "com.microsoft::QGemm(x, s, s)"}) {
    std::string text = R"(graph opset 13, "org.openvinotoolkit" 1, "com.microsoft" 1 {
      input x: f32[1,3] const s: f32[] = {1} y = )";
    const Graph model = parse_graph(text.append(node).append(" output y }"));
    CHECK_THROWS_WITH(check_recipe(Recipe{}, model),
                      Catch::Contains("quantized already") && Catch::Contains("octavo inspect"));
  }
}

TEST_CASE("ranges measured at run time are refused where the backend has no kernels for them") {
  for (const std::string backend : {"tensorrt", "ncnn", "tnn", "snpe"}) {
    const std::string text = "mode: dynamic\nbackend: " + backend;
    CHECK_THROWS_WITH(parse_recipe(text, "r.yaml"), Catch::Contains("r.yaml: mode: dynamic found, and " + backend) &&
                                                        Catch::Contains("these do: onnxruntime, openvino"));
    Recipe recipe;
    recipe.backend = backend;
    recipe.mode = QuantizeMode::dynamic;
    CHECK_THROWS_WITH(quantize(network(), recipe), Catch::Contains("mode: dynamic"));
  }
  const auto with_weights = [](const std::string& scheme) {
    return "mode: dynamic\nglobal_qconfig: {w_qscheme: {" + scheme + "}}";
  };
  CHECK_THROWS_WITH(parse_recipe(with_weights("qdtype: qint16, is_symmetry: true"), "r.yaml"),
                    Catch::StartsWith("r.yaml: mode: dynamic") && Catch::Contains("asks for 16 bits; set bit: 8"));
  CHECK_THROWS_WITH(parse_recipe(with_weights("granularity: per_group, group_size: 32"), "r.yaml"),
                    Catch::Contains("asks for groups"));
}

TEST_CASE("mode dynamic says which operators have no ranges at run time") {
  Recipe recipe;
  recipe.mode = QuantizeMode::dynamic;
  const auto notes = [&](const std::string& graph) {
    std::string text;
    for (const std::string& note : quantize(parse_graph(graph), recipe).notes) text += note + "\n";
    return text;
  };
  const std::string head = "graph opset 13 { input x: f32[1,3,4,4] const w: f32[2,3,1,1] = random(1) c = Conv(x, w) ";
  CHECK_THAT(notes(head + "output c }"), Catch::Contains("activations stay in float") &&
                                             Catch::Contains("no activation is measured at run time") &&
                                             Catch::Contains("Conv writing 'c'"));
  const std::string both = head + "const v: f32[4,5] = random(2) m = MatMul(c, v) output m }";
  CHECK_THAT(notes(both), Catch::Contains("their range from each run") && Catch::Contains("some operators are"));
  recipe.qconfig.overrides.emplace_back().op_type = "MatMul";
  recipe.qconfig.overrides[0].weight.emplace().scheme =
      QScheme{.qtype = QType::qint8, .bits = 16, .symmetric = true, .symmetric_range = true};
  CHECK_THAT(notes(both), Catch::Contains("activations stay in float") && Catch::Contains("MatMul writing 'm'"));
}

TEST_CASE("scores that an observer clips hard are named") {
  const Graph model = parse_graph(R"(graph opset 13 { input x: f32[1,4,1,1]
    const w: f32[4,4,1,1] = {1,0,0,0,0,1,0,0,0,0,1,0,0,0,0,1}
    y = Conv(x, w) output y })");
  std::vector<std::vector<Tensor>> samples;
  for (int i = 0; i < 50; ++i) {
    samples.push_back({uniform_tensor({1, 4, 1, 1}, static_cast<std::uint32_t>(i), i == 7 ? 1000.0F : 1.0F)});
  }
  Recipe recipe = parse_recipe(
      "global_qconfig: {a_observer: {type: PercentileObserver, percentile: 90}}\nequalize_channels: false\n", "r.yaml");
  const auto notes = [&] {
    std::string text;
    for (const std::string& note : quantize(model, MemorySource(samples), recipe).notes) text += note + "\n";
    return text;
  };
  CHECK_THAT(notes(), Catch::Contains("next to the outputs are clipped") && Catch::Contains("'y' at ") &&
                          Catch::Contains("PercentileObserver") && !Catch::Contains("'x'"));
  recipe.qconfig.activation.observer->type = "MinMaxObserver";
  CHECK_THAT(notes(), !Catch::Contains("clipped"));
}

TEST_CASE("a recipe that leaves nothing to quantize, or names no input, is refused when it is held against a model") {
  const Graph model = network();
  const auto says = [&](const std::string& text) {
    try {
      check_recipe(parse_recipe(text, "r.yaml"), model);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(says("skip: ['*']"), Catch::Contains("no operator can run in integers") && Catch::Contains("name '*'"));
  CHECK_THAT(says("\nskip: [c1, nowhere]"), Catch::StartsWith("r.yaml:2: skip: the graph has no node 'nowhere'"));
  CHECK_THAT(says("images:\n  z: a"), Catch::StartsWith("r.yaml:2: images: the model has no input 'z'"));
  CHECK_THAT(says("preprocess:\n  inputs: {z: {\n    mean: 1}}"),
             Catch::StartsWith("r.yaml:3: mean: the model has no"));
  CHECK(says("global_qconfig: {a_observer: HistogramObserver}").empty());
}

TEST_CASE("overrides and skips reach the plan") {
  const Graph model = network();
  const Recipe recipe = parse_recipe(R"(
overrides: [{op_type: MatMul, w_observer: MinMaxObserver}]
skip_between: [[c2, a]]
)",
                                     "r.yaml");
  const Quantized result = quantize(model, MemorySource(model, 4), recipe);
  CHECK(result.plan.weights.size() == 2);
  for (const WeightPlan& weight : result.plan.weights) {
    const bool matmul = result.prepared.node(weight.node).op_type != "Conv";
    CHECK(weight.observer.name == (matmul ? "MinMaxObserver" : "PerChannelMinMaxObserver"));
  }
  Recipe wrong = recipe;
  wrong.qconfig.skipped_spans[0].to = "aa";
  CHECK_THROWS_WITH(check_recipe(wrong, model), Catch::Contains("'aa'"));
}
