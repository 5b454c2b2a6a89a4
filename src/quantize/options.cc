#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <numeric>
#include <optional>
#include <string>

#include "octavo/backends.h"
#include "octavo/error.h"
#include "octavo/quantize.h"
#include "parse.h"

namespace octavo {
namespace {

constexpr int kMostThreads = 1024;

[[noreturn]] void refuse(std::string_view key, std::string_view found, std::string_view expected) {
  throw Error(ErrorCode::invalid_argument, fmt::format("--{}: '{}' found, expected {}", key, found, expected));
}

template <typename Value>
Value require(std::optional<Value> value, std::string_view key, std::string_view found, std::string_view expected) {
  if (!value) refuse(key, found, expected);
  return *std::move(value);
}

std::vector<double> numbers(std::string_view key, std::string_view text) {
  return require(recipe::parse_numbers(text), key, text, "numbers between commas, such as 104,117,123 or 1.0/128");
}

std::pair<int, int> size(std::string_view key, std::string_view text) {
  return require(recipe::parse_size(text), key, text, "width and height, such as 227x227");
}

void set_pixel_range(Preprocess& preprocess, std::string_view text) {
  const auto range = numbers("pixel-range", text);
  if (range.size() != 2 || range[0] == range[1]) refuse("pixel-range", text, "two different numbers, such as 0,1");
  preprocess.pixel_range = {range[0], range[1]};
}

void set_std(Preprocess& preprocess, std::string_view text) {
  preprocess.std = numbers("std", text);
  for (const double value : preprocess.std) {
    if (value == 0.0) refuse("std", text, "numbers other than zero");
  }
}

void set_crop_fraction(Preprocess& preprocess, std::string_view text) {
  const double fraction = require(recipe::parse_number(text), "crop-fraction", text, "a number, such as 0.875");
  if (!(fraction > 0.0) || fraction > 1.0) refuse("crop-fraction", text, "a share above 0 and up to 1");
  preprocess.crop_fraction = fraction;
}

void set_layout(Preprocess& preprocess, std::string_view text) {
  if (text != "nchw" && text != "nhwc") refuse("layout", text, "nchw or nhwc");
  preprocess.layout = text == "nchw" ? Layout::nchw : Layout::nhwc;
}

void set_interpolation(Preprocess& preprocess, std::string_view text) {
  preprocess.interpolation =
      require(interpolation_named(text), "interpolation", text,
              "nearest, bilinear or bicubic (as PIL does them), opencv-nearest, opencv-bilinear, opencv-bicubic or "
              "opencv-area");
}

using Text = std::string_view;

constexpr std::string_view kData = "Data";
constexpr std::string_view kPreprocessing = "Preprocessing";
constexpr std::string_view kRun = "Run";

constexpr std::array kOptions{
    RecipeOption{"images", "PATH", kData,
                 "folder of pictures or tensors (.jpg .jpeg .png .bmp .npy .txt), or one such file",
                 [](Recipe& r, Text input, Text v) { r.inputs[std::string(input)].paths.emplace_back(v); }},
    RecipeOption{"skip-bad-images", "", kData, "leave out files that cannot be read, and list them",
                 [](Recipe& r, Text, Text) { r.skip_bad_files = true; }},
    RecipeOption{"crop-fraction", "SHARE", kPreprocessing,
                 "first cut the centre square of this share of the short side",
                 [](Recipe& r, Text input, Text v) { set_crop_fraction(r.inputs[std::string(input)].preprocess, v); }},
    RecipeOption{
        "resize", "WxH", kPreprocessing, "resize to this size; the aspect is not kept",
        [](Recipe& r, Text input, Text v) { r.inputs[std::string(input)].preprocess.resize = size("resize", v); }},
    RecipeOption{"resize-short", "N", kPreprocessing, "resize the short side to N pixels and keep the aspect",
                 [](Recipe& r, Text input, Text v) {
                   r.inputs[std::string(input)].preprocess.resize_short = require(
                       recipe::parse_integer(v, 1, 65535), "resize-short", v, "a number of pixels from 1 to 65535");
                 }},
    RecipeOption{"center-crop", "WxH", kPreprocessing, "cut this size from the middle after resizing",
                 [](Recipe& r, Text input, Text v) {
                   r.inputs[std::string(input)].preprocess.center_crop = size("center-crop", v);
                 }},
    RecipeOption{"interpolation", "NAME", kPreprocessing,
                 "nearest, bilinear (default) or bicubic as PIL does them, with antialias; opencv-nearest, "
                 "opencv-bilinear, opencv-bicubic, opencv-area",
                 [](Recipe& r, Text input, Text v) { set_interpolation(r.inputs[std::string(input)].preprocess, v); }},
    RecipeOption{
        "bgr", "", kPreprocessing, "feed channels as blue, green, red",
        [](Recipe& r, Text input, Text) { r.inputs[std::string(input)].preprocess.order = ChannelOrder::bgr; }},
    RecipeOption{
        "rgb", "", kPreprocessing, "feed channels as red, green, blue (default)",
        [](Recipe& r, Text input, Text) { r.inputs[std::string(input)].preprocess.order = ChannelOrder::rgb; }},
    RecipeOption{"layout", "NAME", kPreprocessing, "nchw or nhwc; default: from the model's input shape",
                 [](Recipe& r, Text input, Text v) { set_layout(r.inputs[std::string(input)].preprocess, v); }},
    RecipeOption{"pixel-range", "LOW,HIGH", kPreprocessing,
                 "what pixels 0 and 255 become before mean, scale and std; default 0,255",
                 [](Recipe& r, Text input, Text v) { set_pixel_range(r.inputs[std::string(input)].preprocess, v); }},
    RecipeOption{
        "mean", "M[,M,M]", kPreprocessing, "subtracted, in the order of the channels fed",
        [](Recipe& r, Text input, Text v) { r.inputs[std::string(input)].preprocess.mean = numbers("mean", v); }},
    RecipeOption{
        "scale", "S[,S,S]", kPreprocessing, "multiplied after the mean is subtracted, as TNN does; 1.0/128 is fine",
        [](Recipe& r, Text input, Text v) { r.inputs[std::string(input)].preprocess.scale = numbers("scale", v); }},
    RecipeOption{"std", "D[,D,D]", kPreprocessing, "divided by after the mean is subtracted, as PyTorch does",
                 [](Recipe& r, Text input, Text v) { set_std(r.inputs[std::string(input)].preprocess, v); }},
    RecipeOption{"backend", "NAME", kRun, "runtime the model is meant for; default onnxruntime",
                 [](Recipe& r, Text, Text v) { r.backend = backend_named(v).name; }},
    RecipeOption{"threads", "N", kRun, "threads to use; default 0: all cores. The result does not depend on it",
                 [](Recipe& r, Text, Text v) {
                   r.threads =
                       require(recipe::parse_integer(v, 0, kMostThreads), "threads", v, "a number from 0 to 1024");
                 }},
};

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

const RecipeOption& option_named(std::string_view key) {
  const RecipeOption* nearest = kOptions.data();
  for (const RecipeOption& option : kOptions) {
    if (option.key == key) return option;
    if (edit_distance(option.key, key) < edit_distance(nearest->key, key)) nearest = &option;
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("option '{}' is not known; did you mean '{}'?", key, nearest->key));
}

/// "name=value" for one input only; a path that exists is a path, whatever it is called.
std::pair<std::string_view, std::string_view> split_input(const RecipeOption& option, std::string_view value) {
  const bool by_input = option.group == kPreprocessing || option.key == "images";
  const std::size_t equals = value.find('=');
  std::error_code ignored;
  const bool is_path = option.key == "images" && std::filesystem::exists(value, ignored);
  if (!by_input || equals == std::string_view::npos || is_path) return {{}, value};
  return {value.substr(0, equals), value.substr(equals + 1)};
}

}  // namespace

std::span<const RecipeOption> recipe_options() { return kOptions; }

void set_option(Recipe& recipe, std::string_view key, std::string_view value) {
  const RecipeOption& option = option_named(key);
  const auto [input, text] = split_input(option, value);
  if (option.value.empty() && !text.empty() && text != "true") refuse(key, text, "no value, or true");
  Recipe changed = recipe;
  option.set(changed, input, text);
  recipe = std::move(changed);
}

}  // namespace octavo
