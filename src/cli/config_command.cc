#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "command.h"
#include "octavo/error.h"
#include "octavo/formats.h"
#include "octavo/quantize.h"
#include "wrap.h"

namespace octavo::cli {
namespace {

struct Arguments {
  std::string recipe;
  std::string model;
};

void run(const Arguments& arguments) {
  if (arguments.recipe.empty()) {
    if (!arguments.model.empty()) {
      throw Error(ErrorCode::invalid_argument, "--model: name the recipe to hold against it with --check");
    }
    fmt::print("{}", default_recipe_text());
    return;
  }
  const Recipe recipe = read_recipe(arguments.recipe);
  if (!arguments.model.empty()) check_recipe(recipe, load_model(arguments.model));
  fmt::print("{}: ok\n", arguments.recipe);
}

}  // namespace

void add_config_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("config", "Print a recipe with every key and its default, or check one");
  command->footer(
      wrapped("Examples:\n"
              "  octavo config > recipe.yaml\n"
              "  octavo config --check recipe.yaml --model squeezenet.onnx\n"
              "  octavo quantize squeezenet.onnx --config recipe.yaml --images calib -o squeezenet.int8.onnx\n"
              "docs/recipe.md explains the keys.",
              kHelpColumns));
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("--check", arguments->recipe, "recipe to check: says ok, or file, line and what is wrong")
      ->type_name("FILE");
  command->add_option("--model", arguments->model, "with --check: model whose inputs and nodes the recipe names")
      ->type_name("FILE");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace octavo::cli
