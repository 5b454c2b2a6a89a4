#pragma once

#include <CLI/App.hpp>
#include <initializer_list>
#include <string_view>

#include "octavo/quantize.h"

/// One function a command, each in the file of its name: declares its flags and sets what it does.
namespace octavo::cli {

/// Set by Ctrl-C; a command that sees it stops and leaves no partial file.
bool interrupted();

void add_quantize_command(CLI::App& app);
void add_calibrate_command(CLI::App& app);
void add_merge_command(CLI::App& app);
void add_verify_command(CLI::App& app);
void add_inspect_command(CLI::App& app);
void add_check_command(CLI::App& app);
void add_export_command(CLI::App& app);
void add_config_command(CLI::App& app);
void add_quantization_cmd_command(CLI::App& app);
void add_ncnn2table_command(CLI::App& app);

/// A flag for every option of a recipe but the keys and groups in `without`, of which the keys in `but` are meant all
/// the same, and those that the command has already.
void add_recipe_flags(CLI::App& command, Recipe& recipe, std::initializer_list<std::string_view> without = {},
                      std::initializer_list<std::string_view> but = {});

}  // namespace octavo::cli
