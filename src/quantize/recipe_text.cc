#include <fmt/format.h>

#include <string>

#include "observer_options.h"
#include "octavo/quantize.h"
#include "qconfig_reader.h"
#include "recipe_file.h"
#include "yaml_tree.h"

namespace octavo {
namespace recipe {
namespace {

std::string_view name_of(QuantizeMode mode) {
  if (mode == QuantizeMode::weights_only) return "weights_only";
  return mode == QuantizeMode::dynamic ? "dynamic" : "static";
}

std::string_view name_of(Granularity granularity) {
  if (granularity == Granularity::per_group) return "per_group";
  return granularity == Granularity::per_channel ? "per_channel" : "per_tensor";
}

constexpr int kWidestByte = 8;

std::string scheme_text(const QScheme& scheme) {
  return fmt::format(
      "qdtype: q{}int{}, bit: {}, is_symmetry: {}, is_symmetric_range: {}, reduce_range: {}, power_of_two: {}, "
      "explicit_range: {}, eps: {}",
      scheme.is_signed() ? "" : "u", scheme.bits > kWidestByte ? 16 : 8, scheme.bits, scheme.symmetric,
      scheme.symmetric_range, scheme.reduce_range, scheme.power_of_two, scheme.explicit_range,
      static_cast<double>(scheme.eps));
}

std::string qscheme_text(const TensorQConfig& config) {
  std::string text = config.scheme ? scheme_text(*config.scheme) : "";
  const auto add = [&](const std::string& pair) { text += (text.empty() ? "" : ", ") + pair; };
  if (config.granularity) add(fmt::format("granularity: {}", name_of(*config.granularity)));
  if (config.group_size > 0) add(fmt::format("group_size: {}", config.group_size));
  return text;
}

std::string numbers_text(const std::vector<double>& numbers) { return fmt::format("[{}]", fmt::join(numbers, ", ")); }

/// What differs from nothing set; all of it where `complete`.
std::string preprocess_text(const Recipe::Input& input, std::string_view indent, bool complete) {
  const Preprocess& steps = input.preprocess;
  const Preprocess unset;
  std::string text;
  const auto add = [&](std::string_view key, const std::string& value) {
    text += fmt::format("{}{}: {}\n", indent, key, value);
  };
  const auto size = [](const std::pair<int, int>& pair) { return fmt::format("{}x{}", pair.first, pair.second); };
  if (!input.shape.empty()) add("input_shape", fmt::format("[{}]", fmt::join(input.shape, ", ")));
  if (steps.crop_fraction) add("crop_fraction", fmt::format("{}", *steps.crop_fraction));
  if (steps.resize) add("resize", size(*steps.resize));
  if (steps.resize_short) add("resize_short", fmt::format("{}", *steps.resize_short));
  if (steps.center_crop) add("center_crop", size(*steps.center_crop));
  if (complete || steps.interpolation != unset.interpolation) {
    add("interpolation", std::string(octavo::name_of(steps.interpolation)));
  }
  if (complete || steps.order != unset.order) add("bgr", steps.order == ChannelOrder::bgr ? "true" : "false");
  if (steps.layout) add("layout", *steps.layout == Layout::nchw ? "nchw" : "nhwc");
  if (complete || steps.pixel_range != unset.pixel_range) {
    add("pixel_range", numbers_text({steps.pixel_range.first, steps.pixel_range.second}));
  }
  if (!steps.mean.empty()) add("mean", numbers_text(steps.mean));
  if (!steps.scale.empty()) add("scale", numbers_text(steps.scale));
  if (!steps.std.empty()) add("std", numbers_text(steps.std));
  return text;
}

std::string images_text(const Recipe& recipe) {
  std::string text;
  for (const auto& [name, input] : recipe.inputs) {
    if (input.paths.empty()) continue;
    text += fmt::format("  {}:\n", yaml_scalar(name));
    for (const auto& path : input.paths) text += fmt::format("    - {}\n", yaml_scalar(path.string()));
  }
  return text.empty() ? text : "images:\n" + text;
}

std::string inputs_text(const Recipe& recipe) {
  std::string text;
  for (const auto& [name, input] : recipe.inputs) {
    const std::string steps = name.empty() ? "" : preprocess_text(input, "      ", false);
    if (!steps.empty()) text += fmt::format("    {}:\n{}", yaml_scalar(name), steps);
  }
  return text.empty() ? text : "  inputs:\n" + text;
}

std::string override_text(const QOverride& what) {
  std::string text;
  if (!what.op_type.empty()) text += fmt::format("    op_type: {}\n", yaml_scalar(what.op_type));
  if (!what.node.empty()) text += fmt::format("    node: {}\n", yaml_scalar(what.node));
  if (what.weight) text += tensor_text(*what.weight, "w_", "    ");
  if (what.activation) text += tensor_text(*what.activation, "a_", "    ");
  if (what.weight_method) text += fmt::format("    weight_method: {}\n", yaml_scalar(*what.weight_method));
  if (what.skip) text += fmt::format("    skip: {}\n", *what.skip);
  if (!text.empty()) text[2] = '-';
  return text;
}

std::string qconfig_text(const QConfig& config) {
  std::string text = fmt::format("weight_method: {}\n", yaml_scalar(config.weight_method));
  const std::string global = tensor_text(config.weight, "w_", "  ") + tensor_text(config.activation, "a_", "  ");
  if (!global.empty()) text += "global_qconfig:\n" + global;
  if (!config.overrides.empty()) text += "overrides:\n";
  for (const QOverride& what : config.overrides) text += override_text(what);
  if (!config.skipped_spans.empty()) text += "skip_between:\n";
  for (const QSpan& span : config.skipped_spans) {
    text += fmt::format("  - [{}, {}]\n", yaml_scalar(span.from), yaml_scalar(span.to));
  }
  return text;
}

}  // namespace

std::string preprocess_of(const Recipe& recipe) {
  const auto common = recipe.inputs.find("");
  std::string text = common == recipe.inputs.end() ? "" : preprocess_text(common->second, "  ", false);
  text += inputs_text(recipe);
  return text.empty() ? text : "preprocess:\n" + text;
}

std::string tensor_text(const TensorQConfig& config, std::string_view prefix, std::string_view indent) {
  std::string text;
  const auto add = [&](std::string_view key, const std::string& value) {
    text += fmt::format("{}{}{}: {{{}}}\n", indent, prefix, key, value);
  };
  if (config.observer) {
    add("observer",
        fmt::format("type: {}{}", yaml_scalar(config.observer->type), observer_options_text(*config.observer)));
  }
  if (config.fake_quant) add("fake_quant", fmt::format("type: {}", yaml_scalar(*config.fake_quant)));
  if (const std::string scheme = qscheme_text(config); !scheme.empty()) add("qscheme", scheme);
  return text;
}

}  // namespace recipe

std::string recipe_text(const Recipe& recipe) {
  using recipe::yaml_scalar;
  std::string text = fmt::format(
      "backend: {}\nmode: {}\nthreads: {}\nskip_bad_images: {}\nbatch_size: {}\ncalibrate_steps: {}\n"
      "equalize_channels: {}\ncompensate_rounding: {}\ncorrect_biases: {}\n",
      backend_of(recipe).name, recipe::name_of(recipe.mode), recipe.threads, recipe.skip_bad_files, recipe.batch_size,
      recipe.calibrate_steps, recipe.equalize_channels, recipe.compensate_rounding, recipe.correct_biases);
  if (recipe.qconfig.full_range_weights) text += "full_range_weights: true\n";
  if (!recipe.calibration.empty()) text += fmt::format("calibration: {}\n", yaml_scalar(recipe.calibration.string()));
  if (recipe.opset != 0) text += fmt::format("opset: {}\n", recipe.opset);
  if (recipe.weight_storage) {
    const bool integers = *recipe.weight_storage == WeightStorage::integers;
    text += fmt::format("weight_storage: {}\n", integers ? "integers" : "floats");
  }
  if (!recipe.runtime_version.empty()) text += fmt::format("runtime_version: {}\n", recipe.runtime_version);
  if (!recipe.to.empty()) text += fmt::format("to: {}\n", recipe.to);
  if (!recipe.output.empty()) text += fmt::format("output: {}\n", yaml_scalar(recipe.output.string()));
  text += recipe::images_text(recipe);
  const auto common = recipe.inputs.find("");
  text += "preprocess:\n";
  text += recipe::preprocess_text(common == recipe.inputs.end() ? Recipe::Input{} : common->second, "  ", true);
  text += recipe::inputs_text(recipe);
  text += recipe::qconfig_text(recipe.qconfig);
  return text;
}

}  // namespace octavo
