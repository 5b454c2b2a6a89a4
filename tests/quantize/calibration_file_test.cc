#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "octavo/quantize.h"
#include "support/graphs.h"
#include "support/messages.h"

using namespace octavo;
using namespace octavo::test;

namespace {

namespace fs = std::filesystem;

const std::string kNet = R"(graph opset 13 {
  input x: f32[1,3,12,12]
  const w1: f32[6,3,3,3] = random(1) const b1: f32[6] = random(2)
  const w2: f32[8,6,3,3] = random(3) const b2: f32[8] = random(4)
  const w3: f32[8,5] = random(5)
  c1 = Conv(x, w1, b1) {pads=[1,1,1,1]}
  r1 = Relu(c1)
  c2 = Conv(r1, w2, b2) {strides=[2,2]}
  r2 = Relu(c2)
  g = GlobalAveragePool(r2)
  f = Flatten(g)
  y = Gemm(f, w3)
  output y})";

/// An empty folder of its own.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("octavo-calibration-" + std::to_string(getpid()));
  Folder() {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Recipe recipe_with(const std::string& observer) {
  Recipe recipe;
  recipe.threads = 2;
  if (!observer.empty()) {
    ObserverChoice choice;
    choice.type = observer;
    recipe.qconfig.activation.observer = choice;
  }
  return recipe;
}

}  // namespace

TEST_CASE("quantizing from a file is quantizing from the samples, whatever observer the file was made for") {
  const Folder folder;
  const Graph model = parse_graph(kNet);
  const MemorySource data(model, 40);
  const fs::path file = folder.path / "stats";
  calibrate_to_file(model, data, recipe_with("MinMaxObserver"), {file, {}, false});
  CHECK_FALSE(fs::exists(checkpoint_path(file)));
  for (const std::string observer : {"", "MinMaxObserver", "KLObserver", "TNNKLObserver", "MSEObserver",
                                     "MovingAverageMinMaxObserver", "MeanMinMaxObserver", "ACIQLaplaceObserver"}) {
    INFO(observer);
    Recipe recipe = recipe_with(observer);
    const std::string direct = to_text(quantize(model, data, recipe).graph);
    recipe.calibration = file;
    CHECK(to_text(quantize(model, recipe).graph) == direct);
    CHECK(to_text(quantize(model, data, recipe).graph) == direct);
  }
}

TEST_CASE("an observer that needs the values themselves is refused other calibrations than its own") {
  const Folder folder;
  const Graph model = parse_graph(kNet);
  const MemorySource data(model, 8);
  const fs::path file = folder.path / "stats";
  Recipe recipe = recipe_with("LSQObserver");
  const std::string direct = to_text(quantize(model, data, recipe).graph);
  calibrate_to_file(model, data, recipe, {file, {}, false});
  recipe.calibration = file;
  CHECK(to_text(quantize(model, recipe).graph) == direct);
  calibrate_to_file(model, data, recipe_with(""), {file, {}, false});
  CHECK_THAT(message_of([&] { quantize(model, recipe); }), Catch::Contains("does not hold what LSQObserver needs"));
}

TEST_CASE("a calibration knows what its samples went through, and a run from it writes that down") {
  const Folder folder;
  const Graph model = parse_graph(kNet);
  Recipe measured;
  set_option(measured, "bgr", "");
  set_option(measured, "mean", "x=1,2,3");
  const fs::path file = folder.path / "stats";
  calibrate_to_file(model, MemorySource(model, 4), measured, {file, {}, false});
  Recipe recipe;
  recipe.calibration = file;
  const Recipe followed = parse_recipe(recipe_text(quantize(model, recipe).recipe), "again.yaml");
  CHECK(followed.inputs.at("").preprocess == measured.inputs.at("").preprocess);
  CHECK(followed.inputs.at("x").preprocess == measured.inputs.at("x").preprocess);
  CHECK(quantize(model, followed).recipe.inputs.size() == 2);
  CHECK_FALSE(has_samples(followed));

  set_option(recipe, "mean", "4");
  CHECK_THAT(message_of([&] { quantize(model, recipe); }), Catch::Contains("another way") && Catch::Contains("bgr"));
  recipe = {};
  recipe.calibration = file;
  recipe.calibrate_steps = 2;
  CHECK_THAT(message_of([&] { quantize(model, recipe); }),
             Catch::Contains("calibrate_steps: 2 found") && Catch::Contains("4 samples"));
}

TEST_CASE("a calibration knows the input's shape that it was measured with") {
  const Folder folder;
  std::string open = kNet;
  open.replace(open.find("[1,3,12,12]"), 11, "[N,3,H,W]");
  const Graph model = parse_graph(open);
  const MemorySource data(parse_graph(kNet), 8);
  Recipe with_shape = recipe_with("");
  with_shape.inputs[""].shape = {1, 3, 12, 12};
  const fs::path file = folder.path / "stats";
  calibrate_to_file(model, data, with_shape, {file, {}, false});
  const std::string direct = to_text(quantize(model, data, with_shape).graph);
  Recipe recipe = recipe_with("");
  recipe.calibration = file;
  const Quantized from_file = quantize(model, recipe);
  CHECK(to_text(from_file.graph) == direct);
  CHECK(from_file.recipe.inputs.at("").shape == with_shape.inputs.at("").shape);
  CHECK(to_text(quantize(model, data, recipe).graph) == direct);
  recipe.inputs["x"].shape = {1, 3, 14, 14};
  CHECK_THAT(message_of([&] { quantize(model, recipe); }), Catch::Contains("was measured on model"));
}

TEST_CASE("a calibration of another model, of other samples or another recipe is refused, naming both") {
  const Folder folder;
  const Graph model = parse_graph(kNet);
  const MemorySource data(model, 8);
  const fs::path file = folder.path / "stats";
  Recipe recipe;
  calibrate_to_file(model, data, recipe, {file, {}, false});
  recipe.calibration = file;
  std::string other = kNet;
  other.replace(other.find("random(4)"), 9, "random(9)");
  CHECK_THAT(message_of([&] { quantize(parse_graph(other), recipe); }),
             Catch::Contains("was measured on model") && Catch::Contains("this is model") && Catch::Contains("stats"));
  CHECK_THAT(message_of([&] { quantize(model, MemorySource(model, 9), recipe); }),
             Catch::Contains("8 samples, 'sample0' to 'sample7'") && Catch::Contains("9 samples"));
  Recipe unequalized = recipe;
  unequalized.equalize_channels = false;
  CHECK_THAT(message_of([&] { quantize(model, unequalized); }), Catch::Contains("equalized channels"));
  calibrate_to_file(model, data, Recipe{}, {file, {1, 2}, false});
  CHECK_THAT(message_of([&] { quantize(model, recipe); }), Catch::Contains("share 1 of 2"));
  Recipe plain;
  plain.compensate_rounding = plain.correct_biases = false;
  calibrate_to_file(model, data, plain, {file, {}, false});
  CHECK_THAT(message_of([&] { quantize(model, recipe); }), Catch::Contains("compensate_rounding"));
}

TEST_CASE("an interrupted run leaves a checkpoint that ends in the same file, for the same work alone") {
  const Folder folder;
  const Graph model = parse_graph(kNet);
  const MemorySource data(model, 24);
  const fs::path whole = folder.path / "whole";
  calibrate_to_file(model, data, {}, {whole, {}, false});
  const fs::path file = folder.path / "stats";
  const auto interrupted = [&](const ProgressEvent& event) { return event.stage != "calibrate" || event.done < 10; };
  CHECK(error_of([&] { calibrate_to_file(model, data, {}, {file, {}, false}, interrupted); }) == ErrorCode::cancelled);
  CHECK_FALSE(fs::exists(file));
  REQUIRE(fs::exists(checkpoint_path(file)));

  Recipe recipe;
  recipe.calibration = checkpoint_path(file);
  CHECK_THAT(message_of([&] { quantize(model, recipe); }), Catch::Contains("--resume"));
  CHECK_THAT(message_of([&] {
               calibrate_to_file(model, MemorySource(model, 25), {}, {file, {}, true});
             }),
             Catch::Contains("25 samples"));
  CHECK_THAT(message_of([&] {
               calibrate_to_file(model, data, {}, {file, {1, 2}, true});
             }),
             Catch::Contains("share 1 of 1"));
  Recipe other;
  other.equalize_channels = false;
  CHECK_THAT(message_of([&] { calibrate_to_file(model, data, other, {file, {}, true}); }), Catch::Contains("--resume"));

  std::int64_t total = 0;
  const auto watch = [&](const ProgressEvent& event) {
    CHECK(event.stage == "calibrate");  // channels were measured before
    total = event.total;
    return true;
  };
  calibrate_to_file(model, data, {}, {file, {}, true}, watch);
  CHECK(total == 14);
  CHECK(content(file) == content(whole));
  CHECK_FALSE(fs::exists(checkpoint_path(file)));
}

TEST_CASE("modes that measure nothing are not calibrated for") {
  const Folder folder;
  const Graph model = parse_graph(kNet);
  for (const QuantizeMode mode : {QuantizeMode::weights_only, QuantizeMode::dynamic}) {
    Recipe recipe;
    recipe.mode = mode;
    CHECK_THAT(message_of([&] {
                 calibrate_to_file(model, MemorySource(model, 2), recipe, {folder.path / "stats", {}, false});
               }),
               Catch::Contains("mode: static"));
  }
  CHECK_FALSE(fs::exists(folder.path / "stats"));
}

TEST_CASE("so many batches are calibrated on, from the first") {
  const Graph model = parse_graph(kNet);
  const MemorySource data(model, 20);
  Recipe recipe;
  recipe.calibrate_steps = 3;
  recipe.batch_size = 4;
  CHECK(quantize(model, data, recipe).calibration.samples == 12);
  CHECK(to_text(quantize(model, data, recipe).graph) == to_text(quantize(model, MemorySource(model, 12), {}).graph));
  recipe.calibrate_steps = static_cast<std::size_t>(-1);
  CHECK(quantize(model, data, recipe).calibration.samples == 20);
}
