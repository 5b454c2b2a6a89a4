#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "command.h"

namespace octavo::cli {

void add_recipe_flags(CLI::App& command, Recipe& recipe, std::initializer_list<std::string_view> without) {
  for (const RecipeOption& option : recipe_options()) {
    if (std::find(without.begin(), without.end(), option.key) != without.end()) continue;
    const std::string flag = "--" + std::string(option.key);
    CLI::Option* added = nullptr;
    if (option.value.empty()) {
      added = command.add_flag_callback(flag, [&recipe, key = option.key] { set_option(recipe, key, ""); });
    } else {
      added = command.add_option_function<std::vector<std::string>>(
          flag, [&recipe, key = option.key](const std::vector<std::string>& values) {
            for (const std::string& value : values) set_option(recipe, key, value);
          });
      added->type_name(std::string(option.value))->allow_extra_args(false);
    }
    added->description(std::string(option.help))->group(std::string(option.group));
  }
}

}  // namespace octavo::cli
