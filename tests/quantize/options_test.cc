#include <catch2/catch.hpp>
#include <set>

#include "octavo/quantize.h"
#include "support/graphs.h"

using namespace octavo;
using namespace octavo::test;

namespace {

Preprocess after(const std::string& key, const std::string& value) {
  Recipe recipe;
  set_option(recipe, key, value);
  return recipe.inputs.at("").preprocess;
}

}  // namespace

TEST_CASE("options are read as people type them") {
  using Numbers = std::vector<double>;
  CHECK(after("mean", "104,117,123").mean == Numbers{104, 117, 123});
  CHECK(after("mean", " .485 , .456,.406").mean == Numbers{.485, .456, .406});
  CHECK(after("scale", "1.0/128").scale == Numbers{0.0078125});
  CHECK(after("scale", "0.0078125").scale == after("scale", "1/128").scale);
  CHECK(after("scale", "+2,-3e-1,1/4").scale == Numbers{2, -0.3, 0.25});
  CHECK(after("std", "0.229,.224,.225").std == Numbers{.229, .224, .225});
  CHECK(after("resize", "227x128").resize == std::pair{227, 128});
  CHECK(after("resize", "64").resize == std::pair{64, 64});
  CHECK(after("center-crop", "224x224").center_crop == std::pair{224, 224});
  CHECK(after("resize-short", "256").resize_short == 256);
  CHECK(after("crop-fraction", "0.875").crop_fraction == 0.875);
  CHECK(after("crop-fraction", "7/8").crop_fraction == 0.875);
  CHECK(after("interpolation", "opencv-area").interpolation == Interpolation::opencv_area);
  CHECK(after("layout", "nhwc").layout == Layout::nhwc);
  CHECK(after("pixel-range", "0,1").pixel_range == std::pair{0.0, 1.0});
  CHECK(after("bgr", "").order == ChannelOrder::bgr);
  CHECK(after("bgr", "true").order == ChannelOrder::bgr);
  CHECK(after("bgr", "false").order == ChannelOrder::rgb);
  CHECK(after("rgb", "").order == ChannelOrder::rgb);
  Recipe recipe;
  set_option(recipe, "threads", "7");
  set_option(recipe, "skip-bad-images", "");
  set_option(recipe, "images", "a");
  set_option(recipe, "images", "b");
  CHECK(recipe.threads == 7);
  CHECK(recipe.skip_bad_files);
  CHECK(recipe.inputs.at("").paths.size() == 2);
}

TEST_CASE("a wrong value is refused with what was found, and changes nothing") {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"mean", ""},
      {"mean", "1,,2"},
      {"mean", "1,2,"},
      {"mean", "one"},
      {"mean", "inf"},
      {"mean", "nan"},
      {"mean", "1 2"},
      {"mean", "+-5"},
      {"scale", "1/0"},
      {"scale", "1/2/3"},
      {"scale", "1e308/1e-308"},
      {"std", "1,0,1"},
      {"resize", "0x5"},
      {"resize", "5x"},
      {"resize", "x5"},
      {"resize", "5x5x5"},
      {"resize", "99999"},
      {"resize", "-5"},
      {"resize-short", "0"},
      {"resize-short", "1.5"},
      {"crop-fraction", "0"},
      {"crop-fraction", "1.01"},
      {"crop-fraction", "-1"},
      {"interpolation", "lanczos"},
      {"layout", "chw"},
      {"pixel-range", "1"},
      {"pixel-range", "1,1"},
      {"bgr", "maybe"},
      {"threads", "-1"},
      {"threads", "1025"},
      {"threads", "two"},
      {"threads", "x=2"},
      {"backend", "ort"},
      {"skip-bad-images", "x=true"},
  };
  for (const auto& [key, value] : wrong) {
    INFO(key << " " << value);
    Recipe recipe;
    CHECK(error_of([&] { set_option(recipe, key, value); }) == ErrorCode::invalid_argument);
    CHECK(recipe.inputs.empty());
    CHECK_THROWS_WITH(set_option(recipe, key, value), Catch::Contains(key) && Catch::Contains(value));
  }
}

TEST_CASE("an unknown option names the nearest one") {
  Recipe recipe;
  CHECK_THROWS_WITH(set_option(recipe, "meen", "1"), Catch::Contains("'mean'"));
  CHECK_THROWS_WITH(set_option(recipe, "centre-crop", "1"), Catch::Contains("'center-crop'"));
  CHECK_THROWS_WITH(set_option(recipe, "thread", "1"), Catch::Contains("'threads'"));
  CHECK(error_of([&] { set_option(recipe, "", "1"); }) == ErrorCode::invalid_argument);
}

TEST_CASE("a value may be for one input only") {
  Recipe recipe;
  set_option(recipe, "mean", "data=1,2,3");
  set_option(recipe, "bgr", "data=");
  set_option(recipe, "std", "2");
  CHECK(recipe.inputs.at("data").preprocess.mean == std::vector<double>{1, 2, 3});
  CHECK(recipe.inputs.at("data").preprocess.order == ChannelOrder::bgr);
  CHECK(recipe.inputs.at("").preprocess.mean.empty());
}

TEST_CASE("every option has help, and a name of its own") {
  std::set<std::string_view> names;
  for (const RecipeOption& option : recipe_options()) {
    CHECK(names.insert(option.key).second);
    CHECK_FALSE(option.help.empty());
    CHECK_FALSE(option.group.empty());
  }
}

TEST_CASE("samples for unknown inputs, or none at all, are refused") {
  const Graph graph = parse_graph("graph opset 13 { input x: f32[1,3,4,4] y = Relu(x) output y }");
  Recipe recipe;
  CHECK_THROWS_WITH(open_recipe_data(graph, recipe), Catch::Contains("--images PATH"));
  set_option(recipe, "images", "data=nowhere");
  CHECK_THROWS_WITH(open_recipe_data(graph, recipe), Catch::Contains("no input 'data'") && Catch::Contains("'x'"));
}
