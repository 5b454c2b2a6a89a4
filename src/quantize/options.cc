#include <fmt/format.h>

#include <algorithm>
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

}  // namespace

void set_option(Recipe& recipe, std::string_view key, std::string_view value) {
  const RecipeOption& option = option_named(key);
  const auto [input, text] = split_input(option, value);
  try {
    option.set(recipe, input, text);
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
  if (option.forget != nullptr) forget_file(option, split_input(option, value).input);
  set_option(recipe_, key, value);
  options_.emplace_back(key, value);
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
