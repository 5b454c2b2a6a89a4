#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "recipes.h"
#include "support/graphs.h"

using namespace octavo;
using namespace octavo::test;

namespace {

class TemporaryFile {
 public:
  TemporaryFile(const std::string& name, const std::string& text)
      : path_(std::filesystem::temp_directory_path() / name) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("an empty recipe is the default one") {
  for (const char* text : {"", "\n", "# nothing\n", "{}", "---\n", "null", "\xEF\xBB\xBF{}"}) {
    INFO(text);
    CHECK(recipe_text(parsed(text)) == recipe_text(Recipe{}));
  }
}

TEST_CASE("every key arrives where it belongs") {
  const Recipe recipe = parsed(R"(
images: [calib, more/pictures]
skip_bad_images: true
batch_size: 32
calibrate_steps: 4
calibration: saved.stats
preprocess:
  crop_fraction: 7/8
  resize: [227, 128]
  interpolation: opencv-area
  bgr: true
  mean: [104, 117, 123]
  scale: 1.0/128
  inputs:
    right: {layout: nhwc, std: 2, resize_short: 256, center_crop: 224x224, pixel_range: [0, 1]}
backend: onnxruntime
mode: weights_only
equalize_channels: false
compensate_rounding: False
correct_biases: false
skip: [conv1, 'fire9/*', op_type=Softmax]
skip_between: [[a, b], [c, d]]
output: out.onnx
threads: 3
)");
  using Paths = std::vector<std::filesystem::path>;
  using Numbers = std::vector<double>;
  const Recipe::Input& all = recipe.inputs.at("");
  CHECK(all.paths == Paths{"calib", "more/pictures"});
  CHECK(all.preprocess.crop_fraction == 0.875);
  CHECK(all.preprocess.resize == std::pair{227, 128});
  CHECK(all.preprocess.interpolation == Interpolation::opencv_area);
  CHECK(all.preprocess.order == ChannelOrder::bgr);
  CHECK(all.preprocess.mean == Numbers{104, 117, 123});
  CHECK(all.preprocess.scale == Numbers{1.0 / 128});
  const Preprocess& right = recipe.inputs.at("right").preprocess;
  CHECK(right.layout == Layout::nhwc);
  CHECK(right.std == Numbers{2});
  CHECK(right.resize_short == 256);
  CHECK(right.center_crop == std::pair{224, 224});
  CHECK(right.pixel_range == std::pair{0.0, 1.0});
  CHECK(recipe.skip_bad_files);
  CHECK(recipe.batch_size == 32);
  CHECK(recipe.calibrate_steps == 4);
  CHECK(recipe.calibration == "saved.stats");
  CHECK(recipe.mode == QuantizeMode::weights_only);
  CHECK_FALSE((recipe.equalize_channels || recipe.compensate_rounding || recipe.correct_biases));
  REQUIRE(recipe.qconfig.overrides.size() == 3);
  CHECK(recipe.qconfig.overrides[1].node == "fire9/*");
  CHECK(recipe.qconfig.overrides[2].op_type == "Softmax");
  CHECK(std::all_of(recipe.qconfig.overrides.begin(), recipe.qconfig.overrides.end(),
                    [](const QOverride& o) { return o.skip.value_or(false); }));
  REQUIRE(recipe.qconfig.skipped_spans.size() == 2);
  CHECK(recipe.qconfig.skipped_spans[1].from == "c");
  CHECK(recipe.qconfig.skipped_spans[1].to == "d");
  CHECK(recipe.output == "out.onnx");
  CHECK(recipe.threads == 3);
}

TEST_CASE("images may be given by input") {
  const Recipe recipe = parsed("images: {left: a, right: [b, c], '': d}");
  CHECK(recipe.inputs.at("left").paths.size() == 1);
  CHECK(recipe.inputs.at("right").paths.size() == 2);
  CHECK(recipe.inputs.at("").paths.size() == 1);
}

TEST_CASE("JSON is YAML") {
  const Recipe recipe = parsed(
      "{\n\t\"images\": [\"a\\/b\", \"\\u00e9\"],\n\t\"preprocess\": {\"mean\": [1.5, 2, 3e0], \"bgr\": true},\n"
      "\t\"global_qconfig\": {\"a_observer\": {\"type\": \"MinMaxObserver\"}}\n}\n");
  CHECK(recipe.inputs.at("").paths == std::vector<std::filesystem::path>{"a/b", "\xC3\xA9"});
  CHECK(recipe.inputs.at("").preprocess.mean == std::vector<double>{1.5, 2, 3});
  CHECK(recipe.qconfig.activation.observer->type == "MinMaxObserver");

  // What is beyond 16 bits is two escapes in JSON, and one in YAML.
  CHECK(parsed("{\"images\": [\"\\ud83d\\ude00 \\\\ud83d\"]}").inputs.at("").paths ==
        std::vector<std::filesystem::path>{"\xF0\x9F\x98\x80 \\ud83d"});
  for (const char* half : {"{\"images\": [\"\\ud83d\"]}", "{\"images\": [\"\\ude00\\ud83d\"]}"}) {
    CHECK_THAT(complaint(half), Catch::Contains("r.yaml:1: no YAML or JSON"));
  }
}

TEST_CASE("two modes among the options contradict each other, and one overrides a file's") {
  const TemporaryFile file("octavo_modes.yaml", "mode: dynamic\n");
  RecipeBuilder builder;
  builder.set("config", file.path());
  builder.set("weights-only", "");
  CHECK(builder.recipe().mode == QuantizeMode::weights_only);
  builder.set("mode", "weights_only");
  CHECK_THROWS_WITH(builder.set("dynamic", ""), Catch::Contains("--weights-only and --dynamic"));
  CHECK_THROWS_WITH(builder.set("mode", "static"), Catch::Contains("two modes"));
  builder.set("dynamic", "false");
  CHECK(builder.recipe().mode == QuantizeMode::weights_only);
}

TEST_CASE("two options for one step of preprocessing contradict each other, and one overrides a file's") {
  const TemporaryFile file("octavo_orders.yaml", "preprocess: {bgr: true}\n");
  RecipeBuilder builder;
  builder.set("config", file.path());
  builder.set("rgb", "");
  CHECK(builder.recipe().inputs.at("").preprocess.order == ChannelOrder::rgb);
  builder.set("bgr", "false");   // says the same
  builder.set("bgr", "x=true");  // of another input
  CHECK_THROWS_WITH(builder.set("bgr", ""), Catch::Contains("--rgb and --bgr contradict each other"));
}

TEST_CASE("flags override a recipe file wherever they stand") {
  const TemporaryFile file("octavo_builder.yaml",
                           "images: {left: a, right: b}\nthreads: 2\nskip: x\n"
                           "preprocess: {mean: 1, bgr: true, inputs: {left: {mean: 2, std: 3}}}\n");
  for (const bool config_first : {true, false}) {
    RecipeBuilder builder;
    if (config_first) builder.set("config", file.path());
    builder.set("threads", "5");
    builder.set("images", "right=c");
    builder.set("images", "right=d");
    builder.set("mean", "left=7");
    builder.set("mean", "9");
    builder.set("skip", "y");
    builder.set("rgb", "");
    CHECK_THROWS(builder.set("threads", "many"));
    CHECK_THROWS(builder.set("images2", "x"));
    if (!config_first) builder.set("config", file.path());
    const Recipe& recipe = builder.recipe();
    using Paths = std::vector<std::filesystem::path>;
    CHECK(recipe.threads == 5);
    CHECK(recipe.inputs.at("left").paths == Paths{"a"});
    CHECK(recipe.inputs.at("right").paths == Paths{"c", "d"});
    CHECK(recipe.inputs.at("left").preprocess.mean == std::vector<double>{7});
    CHECK(recipe.inputs.at("left").preprocess.std == std::vector<double>{3});
    CHECK(recipe.inputs.at("").preprocess.mean == std::vector<double>{9});
    CHECK(recipe.inputs.at("").preprocess.order == ChannelOrder::rgb);
    CHECK(recipe.qconfig.overrides.size() == 2);
  }
  RecipeBuilder builder;
  builder.set("images", "e");
  builder.set("config", file.path());
  for (const auto& [name, input] : builder.recipe().inputs) CHECK(input.paths.size() == (name.empty() ? 1 : 0));
}

TEST_CASE("what a file says wrongly is named by file, line and key") {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"threads: 1\nthraeds: 2", "r.yaml:2: key 'thraeds' is not known in a recipe; did you mean 'threads'?"},
      {"preprocess:\n  meen: 1", "r.yaml:2: key 'meen' is not known in preprocess; did you mean 'mean'?"},
      {"preprocess: {inputs: {x:\n {meen: 1}}}", "r.yaml:2: key 'meen'"},
      {"global_qconfig:\n  w_obsever: {type: MinMaxObserver}",
       "r.yaml:2: key 'w_obsever' is not known in "
       "global_qconfig; did you mean 'w_observer'?"},
      {"global_qconfig:\n  w_qscheme: {bits: 8}", "did you mean 'bit'?"},
      {"global_qconfig:\n  w_qscheme: {is_symetry: true}", "did you mean 'is_symmetry'?"},
      {"global_qconfig:\n  a_observer: {type: MinMaxObserver,\n    averging_constant: 1}",
       "r.yaml:3: key 'averging_constant' is not known in a_observer; did you mean 'averaging_constant'?"},
      {"overrides:\n- {node: a, w_qsheme: {}}", "did you mean 'w_qscheme'?"},
      {"global_qconfig: {a_observer: {type: MinMaxObservr}}", "did you mean 'MinMaxObserver'?"},
      {"global_qconfig: {a_observer: {type: torch.MinMaxObserver}}", "did you mean 'MinMaxObserver'?"},
      {"global_qconfig: {a_fake_quant: {type: FakeQuantise}}", "did you mean 'FakeQuantize'?"},
      {"weight_method: minmix", "r.yaml:1: weight_method: weight method 'minmix' is not known; did you mean 'minmax'?"},
      {"backend: abacus", "r.yaml:1: backend: backend 'abacus' is not known"},
      {"\nthreads: two", "r.yaml:2: threads: 'two' found, expected a number from 0 to 1024"},
      {"threads: [1]", "r.yaml:1: threads: a list found"},
      {"threads:", "r.yaml:1: threads: nothing found"},
      {"threads: 1\nthreads: 2", "r.yaml:2: key 'threads' is given twice"},
      {"skip_bad_images: maybe", "'maybe' found, expected true or false"},
      {"batch_size: 0", "'0' found"},
      {"mode: staticc", "static, weights_only or dynamic"},
      {"merge_type: 3", "0, 1 or 2"},
      {"preprocess: {mean: {}}", "a map found"},
      {"preprocess: {mean: [1, [2]]}", "a list found"},
      {"preprocess: {bgr: 1}", "expected true or false"},
      {"preprocess: 5", "r.yaml:1: preprocess: '5' found, expected keys with values"},
      {"images: {x: {y: z}}", "a map found"},
      {"images:", "nothing found"},
      {"global_qconfig: [a]", "a list found"},
      {"global_qconfig: {a_observer: {averaging_constant: 0.1}}", "'type' is missing"},
      {"global_qconfig: {w_fake_quant: {}}", "'type' is missing"},
      {"global_qconfig: {a_observer: {type: MovingAverageMinMaxObserver, averaging_constant: 0}}",
       "averaging_constant: '0' found"},
      {"global_qconfig: {a_observer: {type: FixedQParamsObserver, scale: 0}}",
       "scale: '0' found, expected a scale above 0"},
      {"global_qconfig: {a_observer: {type: MovingAverageMinMaxObserver, averaging_constant: x}}",
       "'x' found, expected a number"},
      {"global_qconfig: {a_observer: {type: KLObserver, bins: 1000}}", "power of two"},
      {"global_qconfig: {a_observer: {type: PercentileObserver, percentile: 101}}", "100 per cent"},
      {"global_qconfig:\n  a_observer: KLObserver\n  a_qscheme: {averaging_constant: 0.1}",
       "r.yaml:3: a_observer: KLObserver reads no averaging_constant; its options are bins"},
      {"global_qconfig: {a_qscheme: {averaging_constant: 0.1}}", "name one with 'a_observer'"},
      {"global_qconfig: {a_qscheme: {qdtype: int8}}", "'int8' found, expected qint8, quint8"},
      {"global_qconfig: {a_qscheme: {bit: 17}}", "'17' found, expected a whole number from 1 to 16"},
      {"global_qconfig: {a_qscheme: {bit: 12}}", "take qint16 or quint16"},
      {"global_qconfig: {a_qscheme: {qdtype: qint16, bit: 4}}", "take qint8 or quint8"},
      {"global_qconfig: {a_qscheme: {qdtype: qint8, bit: 1}}", "at least 2 bits"},
      {"global_qconfig: {a_qscheme: {eps: 0}}", "eps must be above 0"},
      {"global_qconfig: {w_qscheme: {granularity: row}}", "per_tensor, per_channel or per_group"},
      {"global_qconfig: {w_qscheme: {group_size: 0}}", "'0' found"},
      {"overrides: {node: a}", "a list of maps"},
      {"overrides: [{skip: true}]", "give op_type, node or both"},
      {"threads: 1\noverrides:\n- {op_type: Conv}",
       "r.yaml:3: overrides: it says nothing of what is different for Conv"},
      {"overrides:\n- {node: a, w_qscheme: {qdtype: qint8, is_symmetry: true}}\n- {node: b, a_observer: "
       "FixedQParamsObserver}",
       "r.yaml:3: overrides: a_observer: FixedQParamsObserver looks at nothing and needs scale and zero_point, scale"},
      {"global_qconfig: {a_qscheme: {qdtype: quint8, is_symmetry: false},\n a_observer: {type: FixedQParamsObserver, "
       "scale: 1, zero_point: 300}}",
       "a_observer: zero_point: 300 found, expected a whole number from 0 to 255"},
      {"global_qconfig: {a_qscheme: {bit: 1}}", "symmetric with 1 bit found"},
      {"merge_type: 1\nglobal_qconfig: {a_observer: PerChannelTNNKLObserver}",
       "r.yaml:1: merge_type: merge type 1 has one scale for a tensor, beside a_observer"},
      {"global_qconfig: {w_qscheme: {granularity: per_tensor}}\nmerge_type: 1",
       "r.yaml:2: merge_type: it sets granularity"},
      {"overrides: [{node: a, w_qscheme: {bit: 4}}]", "give qdtype as well"},
      {"skip: {a: b}", "a map found"},
      {"skip: ['']", "a node's name, a glob"},
      {"skip_between: [a, b]", "a list of pairs"},
      {"skip_between: [[a, b, c]]", "a list of pairs"},
      {"- a\n- b", "r.yaml:1: a recipe: a list found, expected keys with values"},
      {"threads: 1\n  x: [", "r.yaml:2: no YAML or JSON"},
      {"a: &x 1", "anchors (&) and aliases (*)"},
      {"a: *x", "r.yaml:1"},
      {"a: !thing 1", "tag '!thing' found"},
      {"a: 1\n---\nb: 2", "a second document"},
      {"? [a]\n: b", "a key that is not a word"},
      {"a: \"\x01\"", "control character"},
      {"a: \xFF", "not UTF-8"},
      // What check_config says of the whole.
      {"global_qconfig: {w_qscheme: {qdtype: quint8, is_symmetric_range: true}}", "symmetric_range"},
      // What can be known of files and preprocessing without a model.
      {"{to: ncnn, output: x.onnx}", "output: x.onnx: what is written as ncnn has a name that ends with .param"},
      {"{to: tnn, opset: 13}", "opset: has no effect on what is written as tnn"},
      {"{to: onnx-qoperator, weight_storage: floats}", "(it has for: onnx, openvino, tensorrt)"},
      {"{output: x.onnx, runtime_version: 8601}", "(it has for: tensorrt-cache)"},
      {"full_range_weights: true", "full_range_weights: has no effect for onnxruntime"},
      {"preprocess: {mean: [1, 2]}", "preprocess: mean has 2 values"},
      {"preprocess: {inputs: {x: {std: [1, 2, 3, 4]}}}", "preprocess of input 'x': std has 4 values"},
      {"preprocess: {resize: 8, resize_short: 8}", "exclude each other"},
      {"preprocess: {input_shape: [1, 0]}", "'1,0' found, expected sizes"},
  };
  for (const auto& [text, part] : wrong) {
    INFO(text);
    CHECK_THAT(complaint(text), Catch::Contains(part) && Catch::StartsWith("r.yaml:"));
  }
}

TEST_CASE("what is written says the backend, and some forms take no other") {
  CHECK(backend_of(parsed("{to: tnn}")).name == "tnn");
  CHECK(backend_of(parsed("{output: m.param}")).name == "ncnn");
  CHECK(backend_of(parsed("{to: onnx, backend: openvino}")).name == "openvino");
  CHECK_THROWS_WITH(parsed("{to: ncnn, backend: onnxruntime}"),
                    Catch::Contains("planned for 'ncnn'") && Catch::Contains("leave the backend out"));
}
