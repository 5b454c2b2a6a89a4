#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "octavo/error.h"

namespace octavo::cli {
namespace {

std::string flag_of(const RecipeOption& option) {
  const std::string flag = fmt::format("--{}", option.key);
  return option.flag_alias.empty() ? flag : fmt::format("{},{}", option.flag_alias, flag);
}

/// What an option is given for: an input's name, or "" for all.
std::string_view input_of(const RecipeOption& option, std::string_view value) {
  const std::size_t equals = value.find('=');
  return option.forget == nullptr || equals == std::string_view::npos ? std::string_view{} : value.substr(0, equals);
}

/// Of two values one would silently be lost.
void require_once(const RecipeOption& option, const std::vector<std::string>& values) {
  if (option.adds) return;
  for (std::size_t i = 1; i < values.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (input_of(option, values[i]) != input_of(option, values[j])) continue;
      throw Error(ErrorCode::invalid_argument, fmt::format("--{}: given twice, as '{}' and as '{}'; leave out one",
                                                           option.key, values[j], values[i]));
    }
  }
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
          flag_of(option), [&recipe, &option, builder](const std::vector<std::string>& values) {
            require_once(option, values);
            for (const std::string& value : values) builder->set(option.key, value);
            recipe = builder->recipe();
          });
      added->type_name(std::string(option.value))->allow_extra_args(false);
      if (!option.adds && option.forget == nullptr) {
        added->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);  // so that two are told apart
      }
    }
    added->description(std::string(option.help))->group(std::string(option.group));
  }
}

}  // namespace octavo::cli
