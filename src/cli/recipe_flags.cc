#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "wrap.h"

namespace octavo::cli {
namespace {

std::string flag_of(const RecipeOption& option) {
  const std::string flag = fmt::format("--{}", option.key);
  return option.flag_alias.empty() ? flag : fmt::format("{},{}", option.flag_alias, flag);
}

}  // namespace

void add_recipe_flags(CLI::App& command, Recipe& recipe, std::initializer_list<std::string_view> without,
                      std::initializer_list<std::string_view> but) {
  const auto names = [](std::initializer_list<std::string_view> list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  const auto builder = std::make_shared<RecipeBuilder>();
  for (const RecipeOption& option : recipe_options()) {
    if (!names(but, option.key) && (names(without, option.key) || names(without, option.group))) continue;
    if (command.get_option_no_throw("--" + std::string(option.key)) != nullptr) continue;  // one of the command's own
    CLI::Option* added = nullptr;
    if (option.value.empty()) {
      added = command.add_flag_callback(flag_of(option), [&recipe, builder, key = option.key] {
        builder->set(key, "");
        recipe = builder->recipe();
      });
    } else {
      added = command.add_option_function<std::vector<std::string>>(
          flag_of(option), [&recipe, builder, key = option.key](const std::vector<std::string>& values) {
            for (const std::string& value : values) builder->set(key, value);
            recipe = builder->recipe();
          });
      added->type_name(std::string(option.value))->allow_extra_args(false);
    }
    added->description(wrapped(option.help, kHelpColumns - kFlagColumns))->group(std::string(option.group));
  }
}

}  // namespace octavo::cli
