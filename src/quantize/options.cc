#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "choices.h"
#include "octavo/core/names.h"
#include "octavo/error.h"
#include "octavo/quantize.h"
#include "yaml_tree.h"

namespace octavo {
namespace {

const RecipeOption& option_named(std::string_view key) {
  std::vector<std::string_view> known;
  for (const RecipeOption& option : recipe_options()) {
    if (option.key == key) return option;
    known.push_back(option.key);
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("option '{}' is not known{}", recipe::shown(key), suggestion(key, known)));
}

struct InputValue {
  std::string_view input;
  std::string_view value;
};

/// "name=value" for one input only; a path that exists is a path, whatever it is called.
InputValue split_input(const RecipeOption& option, std::string_view value) {
  const std::size_t equals = value.find('=');
  std::error_code ignored;
  const bool is_path = option.key == "images" && std::filesystem::exists(value, ignored);
  if (option.forget == nullptr || equals == std::string_view::npos || is_path) return {{}, value};
  return {value.substr(0, equals), value.substr(equals + 1)};
}

/// The mode that an option sets; nothing for any other option.
std::optional<QuantizeMode> mode_set_by(std::string_view key, std::string_view value) {
  if (key != "mode" && key != "weights-only" && key != "dynamic") return std::nullopt;
  Recipe trial;
  set_option(trial, key, value);
  if (key != "mode" && trial.mode == QuantizeMode::static_ranges) return std::nullopt;  // switched off
  return trial.mode;
}

}  // namespace

void set_option(Recipe& recipe, std::string_view key, std::string_view value) {
  const RecipeOption& option = option_named(key);
  const auto [input, text] = split_input(option, value);
  try {
    option.set(recipe, input, text);
    if (input.empty()) return;
    std::string& where = recipe.inputs[std::string(input)].where;
    if (where.empty()) where = fmt::format("--{}", key);
  } catch (const Error& error) {
    if (option.key == "config") throw;  // which names its file and line
    throw Error(error.code(), fmt::format("--{}: {}", key, error.what()));
  }
}

RecipeBuilder::RecipeBuilder(Extensions extensions) { recipe_.qconfig.extensions = std::move(extensions); }

void RecipeBuilder::set(std::string_view key, std::string_view value) {
  const RecipeOption& option = option_named(key);
  if (option.key == "config") {
    RecipeBuilder rebuilt(recipe_.qconfig.extensions);
    set_option(rebuilt.recipe_, key, value);
    for (const auto& [given, text] : options_) rebuilt.set(given, text);
    *this = std::move(rebuilt);
    return;
  }
  Recipe trial;
  trial.qconfig.extensions = recipe_.qconfig.extensions;
  set_option(trial, key, value);
  require_one_mode(key, value);
  require_one_word(option, value);
  if (option.forget != nullptr) forget_file(option, split_input(option, value).input);
  set_option(recipe_, key, value);
  options_.emplace_back(key, value);
}

/// A second mode among the options is no change of mind, as it is after a file, but a contradiction.
void RecipeBuilder::require_one_mode(std::string_view key, std::string_view value) const {
  const auto mode = mode_set_by(key, value);
  if (!mode) return;
  for (const auto& [given, text] : options_) {
    const auto other = mode_set_by(given, text);
    if (!other || *other == *mode) continue;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("--{} and --{} ask for two modes; leave out one of them", given, key));
  }
}

/// Nor are two options that set the same step of preprocessing, --bgr and --rgb.
void RecipeBuilder::require_one_word(const RecipeOption& option, std::string_view value) const {
  if (option.forget == nullptr) return;
  for (const auto& [given, text] : options_) {
    const RecipeOption& other = option_named(given);
    if (other.forget != option.forget || other.key == option.key) continue;
    Recipe first;
    Recipe second;
    other.set(first, {}, split_input(other, text).value);
    option.set(second, {}, split_input(option, value).value);
    if (split_input(other, text).input != split_input(option, value).input ||
        first.inputs[""].preprocess == second.inputs[""].preprocess) {
      continue;
    }
    throw Error(ErrorCode::invalid_argument,
                fmt::format("--{} and --{} contradict each other; leave out one of them", given, option.key));
  }
}

/// Takes out what the file says of one input, or of all, before the first option that says otherwise.
void RecipeBuilder::forget_file(const RecipeOption& option, std::string_view input) {
  recipe_.inputs.try_emplace(std::string(input));
  for (auto& [name, settings] : recipe_.inputs) {
    if (!input.empty() && input != name) continue;
    const Override override_of_name{option.forget, name};
    if (std::find(overrides_.begin(), overrides_.end(), override_of_name) != overrides_.end()) continue;
    option.forget(settings);
    overrides_.push_back(override_of_name);
  }
}

}  // namespace octavo
