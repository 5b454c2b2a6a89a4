// A recipe written and read again is the same: random ones, and files made to break readers.
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <random>
#include <string>

#include "octavo/error.h"
#include "octavo/quantize.h"
#include "support/graphs.h"

using namespace octavo;
using namespace octavo::test;

namespace {

class RandomRecipe {
 public:
  explicit RandomRecipe(unsigned seed) : random_(seed) {}

  Recipe make() {
    Recipe recipe;
    for (int i = below(3); i >= 0; --i) recipe.inputs[maybe() ? "" : text()] = input();
    recipe.mode = static_cast<QuantizeMode>(below(3));
    recipe.qconfig.weight = tensor();
    recipe.qconfig.activation = tensor();
    for (int i = below(4); i > 0; --i) recipe.qconfig.overrides.push_back(override_of_some());
    for (int i = below(3); i > 0; --i) recipe.qconfig.skipped_spans.push_back({text(), text(), {}});
    recipe.calibrate_steps = static_cast<std::size_t>(below(1000));
    recipe.batch_size = 1 + static_cast<std::size_t>(below(1000));
    recipe.equalize_channels = maybe();
    recipe.compensate_rounding = maybe();
    recipe.correct_biases = maybe();
    if (maybe()) recipe.calibration = text();
    if (maybe()) recipe.output = text() + "m.onnx";
    recipe.threads = below(1025);
    if (maybe()) recipe.opset = 10 + below(12);
    if (maybe()) recipe.weight_storage = maybe() ? WeightStorage::integers : WeightStorage::floats;
    recipe.skip_bad_files = maybe();
    return recipe;
  }

 private:
  int below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
  bool maybe() { return below(2) == 0; }
  double number() { return std::ldexp(static_cast<double>(random_()) / 4294967296.0 + 0.5, below(40) - 20); }
  std::vector<double> numbers() { return {number(), -number(), number()}; }

  /// Bytes of all kinds: what YAML would take for something else, control characters, characters of several bytes and
  /// what is no UTF-8.
  std::string text() {
    static const std::vector<std::string> pieces = {
        "a",        "Z9",   " ",  ": ",   "#",    "'", "\"",           "\\",
        "\n",       "\t",   "\r", "\x01", "\x7F", "é", "\xE2\x80\xA8", "\xF0\x9F\x98\x80",
        "\xC2\x85", "\xFF", "*",  "&",    "[",    "}", "true",         "~",
        "1e3",      "=",    "/",  "%",    "\x04", "-"};
    std::string made;
    for (int i = below(8); i >= 0; --i)
      made += pieces[static_cast<std::size_t>(below(static_cast<int>(pieces.size())))];
    return made;
  }

  Recipe::Input input() {
    Recipe::Input made;
    for (int i = below(3); i >= 0; --i) made.paths.emplace_back(text());
    Preprocess& steps = made.preprocess;
    if (maybe()) steps.crop_fraction = 0.5 + below(50) / 100.0;
    if (maybe()) made.shape = {-1, 1 + below(3), 1 + below(4096), 1 + below(4096)};
    if (maybe()) {
      steps.resize = {1 + below(16384), 1 + below(16384)};
    } else if (maybe()) {
      steps.resize_short = 1 + below(16384);
    }
    if (maybe()) steps.center_crop = {1 + below(16384), 1 + below(16384)};
    steps.interpolation = static_cast<Interpolation>(below(7));
    if (maybe()) steps.order = ChannelOrder::bgr;
    if (maybe()) steps.layout = maybe() ? Layout::nchw : Layout::nhwc;
    if (maybe()) steps.pixel_range = {-number(), number()};
    if (maybe()) steps.mean = numbers();
    if (maybe()) steps.scale = numbers();
    if (maybe()) steps.std = {number()};
    return made;
  }

  /// Schemes that every backend's check lets pass: this is about files.
  QScheme scheme() {
    QScheme made;
    made.qtype = maybe() ? QType::qint8 : QType::quint8;
    made.symmetric = true;
    made.symmetric_range = made.is_signed() && maybe();
    made.power_of_two = maybe();
    made.explicit_range = maybe();
    made.bits = 5 + below(4);
    made.reduce_range = maybe();
    if (maybe()) made.eps = static_cast<float>(std::ldexp(number(), -24));
    return made;
  }

  TensorQConfig tensor() {
    TensorQConfig made;
    if (maybe()) {
      ObserverChoice& choice = made.observer.emplace();
      // Of an observer only what it reads is written.
      switch (below(3)) {
        case 0:
          choice.type = "MovingAverageMinMaxObserver";
          choice.options.averaging_constant = (1 + below(100)) / 100.0;
          break;
        case 1:
          choice.type = "PercentileObserver";
          choice.options.percentile = (1 + below(1000)) / 10.0;
          choice.options.bins = 2 << below(16);
          break;
        default:
          choice.type = "EntropyObserver";
          choice.options.extra["num_bins"] = 2 + below(8191);
      }
    }
    if (maybe()) made.fake_quant = "FakeQuantize";
    if (maybe()) made.scheme = scheme();
    if (maybe()) made.granularity = Granularity::per_tensor;
    return made;
  }

  QOverride override_of_some() {
    QOverride made;
    if (maybe()) made.op_type = text();
    if (made.op_type.empty() || maybe()) made.node = text();
    if (maybe()) made.weight = tensor();
    if (maybe()) made.activation = tensor();
    if (maybe()) made.weight_method = "minmax";
    made.skip = maybe();
    return made;
  }

  std::mt19937 random_;
};

void check_same(const TensorQConfig& a, const TensorQConfig& b) {
  REQUIRE(a.observer.has_value() == b.observer.has_value());
  if (a.observer) {
    CHECK(a.observer->type == b.observer->type);
    CHECK(a.observer->options.averaging_constant == b.observer->options.averaging_constant);
    CHECK(a.observer->options.percentile == b.observer->options.percentile);
    CHECK(a.observer->options.bins == b.observer->options.bins);
    CHECK(a.observer->options.extra == b.observer->options.extra);
  }
  CHECK(a.fake_quant == b.fake_quant);
  CHECK(a.scheme == b.scheme);
  CHECK(a.granularity == b.granularity);
  CHECK(a.group_size == b.group_size);
}

void check_same(const QOverride& a, const QOverride& b) {
  CHECK(a.op_type == b.op_type);
  CHECK(a.node == b.node);
  check_same(a.weight.value_or(TensorQConfig{}), b.weight.value_or(TensorQConfig{}));
  check_same(a.activation.value_or(TensorQConfig{}), b.activation.value_or(TensorQConfig{}));
  CHECK(a.weight_method == b.weight_method);
  CHECK(a.skip == b.skip);
}

void check_same(const Recipe& a, const Recipe& b) {
  for (const auto& [name, input] : a.inputs) {
    REQUIRE(b.inputs.contains(name));
    CHECK(b.inputs.at(name).paths == input.paths);
    CHECK(b.inputs.at(name).preprocess == input.preprocess);
    CHECK(b.inputs.at(name).shape == input.shape);
  }
  CHECK(backend_of(a).name == backend_of(b).name);  // a file names it where the recipe left it open
  CHECK(a.mode == b.mode);
  check_same(a.qconfig.weight, b.qconfig.weight);
  check_same(a.qconfig.activation, b.qconfig.activation);
  CHECK(a.qconfig.weight_method == b.qconfig.weight_method);
  REQUIRE(a.qconfig.overrides.size() == b.qconfig.overrides.size());
  for (std::size_t i = 0; i < a.qconfig.overrides.size(); ++i) {
    check_same(a.qconfig.overrides[i], b.qconfig.overrides[i]);
  }
  REQUIRE(a.qconfig.skipped_spans.size() == b.qconfig.skipped_spans.size());
  for (std::size_t i = 0; i < a.qconfig.skipped_spans.size(); ++i) {
    CHECK(a.qconfig.skipped_spans[i].from == b.qconfig.skipped_spans[i].from);
    CHECK(a.qconfig.skipped_spans[i].to == b.qconfig.skipped_spans[i].to);
  }
  CHECK(a.calibrate_steps == b.calibrate_steps);
  CHECK(a.batch_size == b.batch_size);
  CHECK(a.equalize_channels == b.equalize_channels);
  CHECK(a.compensate_rounding == b.compensate_rounding);
  CHECK(a.qconfig.full_range_weights == b.qconfig.full_range_weights);
  CHECK(a.correct_biases == b.correct_biases);
  CHECK(a.calibration == b.calibration);
  CHECK(a.output == b.output);
  CHECK(a.threads == b.threads);
  CHECK(a.opset == b.opset);
  CHECK(a.weight_storage == b.weight_storage);
  CHECK(a.runtime_version == b.runtime_version);
  CHECK(a.skip_bad_files == b.skip_bad_files);
}

std::string repeated(const std::string& piece, std::size_t bytes) {
  std::string made;
  while (made.size() + piece.size() <= bytes) made += piece;
  return made;
}

}  // namespace

TEST_CASE("a recipe written and read again is the same") {
  for (unsigned seed = 1; seed <= 500; ++seed) {
    const Recipe recipe = RandomRecipe(seed).make();
    const std::string text = recipe_text(recipe);
    INFO("seed " << seed << "\n" << text);
    Recipe again;
    REQUIRE_NOTHROW(again = parse_recipe(text, "r.yaml"));
    check_same(recipe, again);
    CHECK(recipe_text(again) == text);
  }
}

TEST_CASE("a flag's recipe and its file are the same") {
  Recipe recipe;
  set_option(recipe, "merge-type", "0");
  set_option(recipe, "a-observer", "KLObserver");
  set_option(recipe, "weights-only", "");
  set_option(recipe, "skip", "op_type=Softmax");
  set_option(recipe, "scale", "1/3");
  recipe.backend = "tnn";
  check_same(recipe, parse_recipe(recipe_text(recipe), "r.yaml"));
  recipe = {};
  set_option(recipe, "to", "ncnn");
  set_option(recipe, "full-range-weights", "");
  check_same(recipe, parse_recipe(recipe_text(recipe), "r.yaml"));
  recipe = {};
  set_option(recipe, "to", "tensorrt-cache");
  set_option(recipe, "runtime-version", "8601");
  check_same(recipe, parse_recipe(recipe_text(recipe), "r.yaml"));
}

TEST_CASE("files made to break a reader are refused, quickly") {
  constexpr std::size_t kBytes = (std::size_t{1} << 20U) - 64;
  const std::vector<std::string> texts = {repeated("[", kBytes),
                                          repeated("{", kBytes),
                                          repeated("{a: ", kBytes),
                                          repeated("- ", kBytes),
                                          repeated("a: ", kBytes),
                                          repeated("? ", kBytes),
                                          repeated("?\n", kBytes),
                                          repeated("-\n", kBytes),
                                          repeated("[a]: ", kBytes),
                                          repeated("[?", kBytes),
                                          repeated("!a ", kBytes),
                                          repeated("&a ", kBytes),
                                          repeated("!", kBytes),
                                          repeated("%TAG ! x\n", kBytes),
                                          repeated("---\n", kBytes),
                                          repeated("a\n", kBytes),
                                          repeated("\"", kBytes),
                                          repeated("'", kBytes),
                                          repeated("|\n", kBytes),
                                          repeated("a,", kBytes),
                                          repeated("]", kBytes),
                                          repeated("- a\n", kBytes),
                                          "threads: " + repeated("1", kBytes),
                                          "images: [" + repeated("a,", kBytes) + "b]",
                                          repeated("k", kBytes) + ": 1",
                                          "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: [*c,*c,*c,*c]",
                                          "skip: !!binary \"" + repeated("!", kBytes) + "\"",
                                          "x: \"\\ud83d\\ude00\"",
                                          std::string("threads: 1\0", 11),
                                          "<<: {threads: 1}",
                                          "\xFF\xFE"
                                          "a\0:\0 \0001\0"};
  for (const std::string& text : texts) {
    INFO(text.substr(0, 60));
    const auto code = error_of([&] { parse_recipe(text, "r.yaml"); });
    CHECK((code == ErrorCode::invalid_argument || code == ErrorCode::resource_limit));
  }
  CHECK(error_of([] { parse_recipe(std::string((std::size_t{1} << 20U) + 1, '#'), "r.yaml"); }) ==
        ErrorCode::resource_limit);
  CHECK(error_of([] { parse_recipe("{x: [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}", "r.yaml"); }) ==
        ErrorCode::resource_limit);
}

TEST_CASE("a recipe damaged anywhere is read or refused") {
  RandomRecipe recipes(7);
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    const std::string text = recipe_text(recipes.make());
    for (int change = 0; change < 100; ++change) {
      std::string damaged = text;
      damaged[random() % damaged.size()] = static_cast<char>(random());
      if (random() % 4 == 0) damaged.resize(random() % damaged.size());
      INFO(damaged);
      try {
        recipe_text(parse_recipe(damaged, "r.yaml"));
      } catch (const Error& error) {
        CHECK(error.code() != ErrorCode::internal);
      }
    }
  }
}

TEST_CASE("a recipe file that cannot be read is said") {
  CHECK(error_of([] { read_recipe("no/such.yaml"); }) == ErrorCode::io);
  CHECK_THROWS_WITH(read_recipe("no/such.yaml"), Catch::Contains("no/such.yaml"));
  CHECK(error_of([] { read_recipe(std::filesystem::temp_directory_path()); }) == ErrorCode::io);
}

TEST_CASE("a recipe is held against a model") {
  const Graph graph =
      parse_graph("graph opset 13 { input x: f32[1,3,4,4] const w: f32[2,3,1,1] = random(1) y = Conv(x, w) output y }");
  CHECK_NOTHROW(check_recipe(Recipe{}, graph));
  Recipe recipe;
  set_option(recipe, "mean", "picture=1");
  CHECK_THROWS_WITH(check_recipe(recipe, graph), Catch::Contains("no input 'picture'"));
  recipe = {};
  set_option(recipe, "resize", "5x4");
  CHECK_THROWS_WITH(check_recipe(recipe, graph), Catch::Contains("resize 5x4 contradicts input 'x'"));
  recipe = {};
  set_option(recipe, "mean", "1");
  set_option(recipe, "resize", "4x4");
  CHECK_NOTHROW(check_recipe(recipe, graph));
  set_option(recipe, "runtime-version", "8601");
  CHECK_THROWS_WITH(check_recipe(recipe, graph), Catch::Contains("runtime_version: has no effect"));
}
