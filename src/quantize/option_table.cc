#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "choices.h"
#include "octavo/backends.h"
#include "octavo/quantize.h"
#include "parse.h"
#include "recipe_file.h"

namespace octavo {
namespace {

using Text = std::string_view;
using recipe::refuse;

constexpr int kMostThreads = 1024;
constexpr int kMost = 1'000'000'000;
/// Operator sets with QuantizeLinear that are written.
constexpr int kOldestOpset = 10;
constexpr int kNewestOpset = 21;
constexpr std::size_t kMostDigits = 8;

template <typename Value>
Value require(std::optional<Value> value, Text found, Text expected) {
  if (!value) refuse(found, expected);
  return *std::move(value);
}

std::vector<double> numbers(Text text) {
  return require(recipe::parse_numbers(text), text, "numbers between commas, such as 104,117,123 or 1.0/128");
}

std::pair<int, int> size(Text text) {
  return require(recipe::parse_size(text), text, "width and height, such as 227x227");
}

/// "1,3,224,224" or "1x3x224x224"; -1 is left as the model has it.
std::vector<std::int64_t> shape(Text text) {
  constexpr Text kExpected = "sizes with commas between, such as 1,3,224,224; -1 leaves one as it is";
  constexpr std::size_t kMostDimensions = 16;
  std::vector<std::int64_t> sizes;
  for (Text rest = text;;) {
    const std::size_t end = rest.find_first_of(",x");
    const auto size = recipe::parse_integer(rest.substr(0, end), -1, kMost);
    if (!size || *size == 0 || sizes.size() == kMostDimensions) refuse(text, kExpected);
    sizes.push_back(*size);
    if (end == Text::npos) return sizes;
    rest.remove_prefix(end + 1);
  }
}

bool yes(Text text) {
  return text.empty() || require(recipe::parse_boolean(text), text, "true or false (nothing means true)");
}

Recipe::Input& input_of(Recipe& recipe, Text name) { return recipe.inputs[std::string(name)]; }
Preprocess& steps_of(Recipe& recipe, Text name) { return input_of(recipe, name).preprocess; }

std::pair<double, double> pixel_range(Text text) {
  const auto range = numbers(text);
  if (range.size() != 2 || range[0] == range[1]) refuse(text, "two different numbers, such as 0,1");
  return {range[0], range[1]};
}

std::vector<double> divisors(Text text) {
  std::vector<double> values = numbers(text);
  for (const double value : values) {
    if (value == 0.0) refuse(text, "numbers other than zero");
  }
  return values;
}

double share(Text text) {
  const double fraction = require(recipe::parse_number(text), text, "a number, such as 0.875");
  if (!(fraction > 0.0) || fraction > 1.0) refuse(text, "a share above 0 and up to 1");
  return fraction;
}

Layout layout(Text text) {
  if (text != "nchw" && text != "nhwc") refuse(text, "nchw or nhwc");
  return text == "nchw" ? Layout::nchw : Layout::nhwc;
}

Interpolation interpolation(Text text) {
  return require(interpolation_named(text), text,
                 "nearest, bilinear or bicubic (as PIL does them), opencv-nearest, opencv-bilinear, opencv-bicubic or "
                 "opencv-area");
}

QuantizeMode mode(Text text) {
  if (text == "static") return QuantizeMode::static_ranges;
  if (text == "weights_only") return QuantizeMode::weights_only;
  if (text == "dynamic") return QuantizeMode::dynamic;
  refuse(text, "static, weights_only or dynamic");
}

WeightStorage weight_storage(Text text) {
  if (text != "integers" && text != "floats") refuse(text, "integers or floats");
  return text == "integers" ? WeightStorage::integers : WeightStorage::floats;
}

std::string digits(Text text) {
  const bool all = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (text.empty() || text.size() > kMostDigits || !all) refuse(text, "up to 8 digits, such as 8601");
  return std::string(text);
}

/// Turned off, a mode's switch gives the default back.
void set_mode(Recipe& recipe, QuantizeMode mode, bool on) {
  if (on) recipe.mode = mode;
  if (!on && recipe.mode == mode) recipe.mode = QuantizeMode::static_ranges;
}

/// Another observer has other options of its own; those that all may have stay.
void set_observer(TensorQConfig& tensor, Text name, const Extensions& extensions) {
  std::string type = recipe::observer_choice(name, extensions);
  if (!tensor.observer) tensor.observer.emplace();
  if (tensor.observer->type != type) tensor.observer->options.extra.clear();
  tensor.observer->type = std::move(type);
}

template <auto Member>
void forget(Recipe::Input& input) {
  input.preprocess.*Member = Preprocess{}.*Member;
}

constexpr Text kFile = "Recipe";
constexpr Text kData = "Data";
constexpr Text kPreprocessing = "Preprocessing";
constexpr Text kMethod = "Method";
constexpr Text kRun = "Run";

constexpr std::array kOptions{
    RecipeOption{
        "config", "FILE", kFile, "recipe to begin with, YAML or JSON (docs/recipe.md); flags override it", "",
        [](Recipe& r, Text, Text v) { r = recipe::read_unchecked(std::filesystem::path(v), r.qconfig.extensions); }},
    RecipeOption{"images", "PATH", kData,
                 "folder of pictures or tensors (.jpg .jpeg .png .bmp .npy .txt), or one such file", "#images: calib",
                 [](Recipe& r, Text input, Text v) { input_of(r, input).paths.emplace_back(v); },
                 [](Recipe::Input& input) { input.paths.clear(); }, "--quant-image-dir", /*adds=*/true},
    RecipeOption{"skip-bad-images", "", kData, "leave out files that cannot be read, and list them",
                 "skip_bad_images: false", [](Recipe& r, Text, Text v) { r.skip_bad_files = yes(v); }},
    RecipeOption{"batch-size", "N", kData,
                 "pictures that moving averages and means take as one batch; default 1. Memory does not grow with it",
                 "batch_size: 1",
                 [](Recipe& r, Text, Text v) {
                   r.batch_size = static_cast<std::size_t>(
                       require(recipe::parse_integer(v, 1, kMost), v, "a number of pictures from 1"));
                 }},
    RecipeOption{"calibrate-steps", "N", kData, "calibrate on so many batches, from the first; default 0: all",
                 "calibrate_steps: 0",
                 [](Recipe& r, Text, Text v) {
                   r.calibrate_steps = static_cast<std::size_t>(
                       require(recipe::parse_integer(v, 0, kMost), v, "a number of batches, 0 for all"));
                 }},
    RecipeOption{"calibration", "FILE", kData, "statistics that `octavo calibrate` saved, taken instead of samples",
                 "#calibration: model.stats", [](Recipe& r, Text, Text v) { r.calibration = v; }},
    RecipeOption{"input-shape", "D[,D]", kPreprocessing,
                 "fix the sizes that the model leaves open, such as 1,3,224,224; -1 leaves one open",
                 "#input_shape: [1, 3, 224, 224]",
                 [](Recipe& r, Text input, Text v) { input_of(r, input).shape = shape(v); },
                 [](Recipe::Input& input) { input.shape.clear(); }},
    RecipeOption{"crop-fraction", "SHARE", kPreprocessing,
                 "first cut the centre square of this share of the short side", "#crop_fraction: 0.875",
                 [](Recipe& r, Text input, Text v) { steps_of(r, input).crop_fraction = share(v); },
                 &forget<&Preprocess::crop_fraction>},
    RecipeOption{"resize", "WxH", kPreprocessing, "resize to this size; the aspect is not kept", "#resize: 227x227",
                 [](Recipe& r, Text input, Text v) { steps_of(r, input).resize = size(v); },
                 &forget<&Preprocess::resize>},
    RecipeOption{"resize-short", "N", kPreprocessing, "resize the short side to N pixels and keep the aspect",
                 "#resize_short: 256",
                 [](Recipe& r, Text input, Text v) {
                   steps_of(r, input).resize_short =
                       require(recipe::parse_integer(v, 1, 65535), v, "a number of pixels from 1 to 65535");
                 },
                 &forget<&Preprocess::resize_short>},
    RecipeOption{"center-crop", "WxH", kPreprocessing, "cut this size from the middle after resizing",
                 "#center_crop: 224x224",
                 [](Recipe& r, Text input, Text v) { steps_of(r, input).center_crop = size(v); },
                 &forget<&Preprocess::center_crop>},
    RecipeOption{"interpolation", "NAME", kPreprocessing,
                 "nearest, bilinear (default) or bicubic as PIL does them, with antialias; opencv-nearest, "
                 "opencv-bilinear, opencv-bicubic, opencv-area",
                 "interpolation: bilinear",
                 [](Recipe& r, Text input, Text v) { steps_of(r, input).interpolation = interpolation(v); },
                 &forget<&Preprocess::interpolation>},
    RecipeOption{"bgr", "", kPreprocessing, "feed channels as blue, green, red; default red, green, blue", "bgr: false",
                 [](Recipe& r, Text input, Text v) {
                   steps_of(r, input).order = yes(v) ? ChannelOrder::bgr : ChannelOrder::rgb;
                 },
                 &forget<&Preprocess::order>},
    RecipeOption{"rgb", "", kPreprocessing, "feed channels as red, green, blue, whatever the recipe says", "",
                 [](Recipe& r, Text input, Text v) {
                   steps_of(r, input).order = yes(v) ? ChannelOrder::rgb : ChannelOrder::bgr;
                 },
                 &forget<&Preprocess::order>},
    RecipeOption{"layout", "NAME", kPreprocessing, "nchw or nhwc; default: from the model's input shape",
                 "#layout: nchw", [](Recipe& r, Text input, Text v) { steps_of(r, input).layout = layout(v); },
                 &forget<&Preprocess::layout>},
    RecipeOption{"pixel-range", "LOW,HIGH", kPreprocessing,
                 "what pixels 0 and 255 become before mean, scale and std; default 0,255", "pixel_range: [0, 255]",
                 [](Recipe& r, Text input, Text v) { steps_of(r, input).pixel_range = pixel_range(v); },
                 &forget<&Preprocess::pixel_range>},
    RecipeOption{"mean", "M[,M,M]", kPreprocessing, "subtracted, in the order of the channels fed",
                 "#mean: [104, 117, 123]", [](Recipe& r, Text input, Text v) { steps_of(r, input).mean = numbers(v); },
                 &forget<&Preprocess::mean>},
    RecipeOption{"scale", "S[,S,S]", kPreprocessing,
                 "multiplied after the mean is subtracted, as TNN does; 1.0/128 is fine", "#scale: 1.0/128",
                 [](Recipe& r, Text input, Text v) { steps_of(r, input).scale = numbers(v); },
                 &forget<&Preprocess::scale>},
    RecipeOption{"std", "D[,D,D]", kPreprocessing, "divided by after the mean is subtracted, as PyTorch does",
                 "#std: [58.395, 57.12, 57.375]",
                 [](Recipe& r, Text input, Text v) { steps_of(r, input).std = divisors(v); },
                 &forget<&Preprocess::std>},
    RecipeOption{"backend", "NAME", kMethod, "runtime the model is meant for; default: that of what is written",
                 "#backend: onnxruntime", [](Recipe& r, Text, Text v) { r.backend = backend_named(v).name; }},
    RecipeOption{
        "mode", "NAME", kMethod,
        "static (default), weights_only, or dynamic: activations by ranges measured at run time; the last two need no "
        "samples",
        "mode: static", [](Recipe& r, Text, Text v) { r.mode = mode(v); }},
    RecipeOption{"weights-only", "", kMethod, "the same as --mode weights_only", "",
                 [](Recipe& r, Text, Text v) { set_mode(r, QuantizeMode::weights_only, yes(v)); }},
    RecipeOption{"dynamic", "", kMethod, "the same as --mode dynamic", "",
                 [](Recipe& r, Text, Text v) { set_mode(r, QuantizeMode::dynamic, yes(v)); }},
    RecipeOption{"weight-method", "NAME", kMethod, "how weights are rounded: minmax (default), mse, admm or tnn_admm",
                 "weight_method: minmax",
                 [](Recipe& r, Text, Text v) {
                   r.qconfig.weight_method = recipe::weight_method_choice(v, r.qconfig.extensions);
                 }},
    RecipeOption{
        "full-range-weights", "true|false", kMethod,
        "use all 8 bits of 3x3 weights for ncnn, which must then run with use_winograd_convolution off; default "
        "false",
        "full_range_weights: false", [](Recipe& r, Text, Text v) { r.qconfig.full_range_weights = yes(v); }},
    RecipeOption{"w-observer", "NAME", kMethod, "observer of weights, such as PerChannelMinMaxObserver", "",
                 [](Recipe& r, Text, Text v) { set_observer(r.qconfig.weight, v, r.qconfig.extensions); }},
    RecipeOption{"a-observer", "NAME", kMethod, "observer of activations, such as MinMaxObserver or KLObserver", "",
                 [](Recipe& r, Text, Text v) { set_observer(r.qconfig.activation, v, r.qconfig.extensions); }},
    RecipeOption{"merge-type", "0|1|2", kMethod,
                 "TNN's: 0 a scale for each channel of weights and activations, 1 of weights alone, 2 of neither",
                 "#merge_type: 1",
                 [](Recipe& r, Text, Text v) {
                   apply_merge_type(r.qconfig, require(recipe::parse_integer(v, 0, 2), v, "0, 1 or 2"));
                 }},
    RecipeOption{"equalize-channels", "true|false", kMethod,
                 "move scales between layers so that channels reach equally far; default true",
                 "equalize_channels: true", [](Recipe& r, Text, Text v) { r.equalize_channels = yes(v); }},
    RecipeOption{"compensate-rounding", "true|false", kMethod,
                 "let the errors of one output's weights make up for each other; default true",
                 "compensate_rounding: true", [](Recipe& r, Text, Text v) { r.compensate_rounding = yes(v); }},
    RecipeOption{"correct-biases", "true|false", kMethod,
                 "take out of the biases what rounding has put into the means; default true", "correct_biases: true",
                 [](Recipe& r, Text, Text v) { r.correct_biases = yes(v); }},
    RecipeOption{"skip",
                 "NODE",
                 kMethod,
                 "leave in float: a node's name, a glob ('fire9/*'), or op_type=Softmax. Adds to the recipe's",
                 "#skip: [conv1, 'fire9/*', op_type=Softmax]",
                 [](Recipe& r, Text, Text v) { r.qconfig.overrides.push_back(recipe::skip_choice(v)); },
                 nullptr,
                 {},
                 /*adds=*/true},
    RecipeOption{"output", "FILE", kRun, "file to write; whole or not at all", "#output: model.int8.onnx",
                 [](Recipe& r, Text, Text v) { r.output = v; }, nullptr, "-o"},
    RecipeOption{"to", "FORMAT", kRun, "what to write; default: by the ending of the output", "#to: onnx",
                 [](Recipe& r, Text, Text v) { r.to = exporter_named(v).name; }},
    RecipeOption{"opset", "N", kRun, "write ONNX of at least this operator set, 10 to 21; default: as integers need it",
                 "#opset: 13",
                 [](Recipe& r, Text, Text v) {
                   r.opset = require(recipe::parse_integer(v, kOldestOpset, kNewestOpset), v, "a number from 10 to 21");
                 }},
    RecipeOption{"weight-storage", "KIND", kRun,
                 "integers behind DequantizeLinear, or floats before QuantizeLinear; default: the backend's choice",
                 "#weight_storage: integers", [](Recipe& r, Text, Text v) { r.weight_storage = weight_storage(v); }},
    RecipeOption{"runtime-version", "DIGITS", kRun, "of TensorRT, for its calibration cache: 8601 is 8.6.1",
                 "#runtime_version: 8601", [](Recipe& r, Text, Text v) { r.runtime_version = digits(v); }},
    RecipeOption{"threads", "N", kRun, "threads to use; default 0: all cores. The result does not depend on it",
                 "threads: 0",
                 [](Recipe& r, Text, Text v) {
                   r.threads = require(recipe::parse_integer(v, 0, kMostThreads), v, "a number from 0 to 1024");
                 }},
};

}  // namespace

std::span<const RecipeOption> recipe_options() { return kOptions; }

}  // namespace octavo
