#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "command.h"
#include "console.h"
#include "octavo/backends.h"
#include "octavo/core/names.h"
#include "octavo/error.h"
#include "octavo/formats.h"
#include "octavo/quantize.h"
#include "octavo/verify.h"
#include "wrap.h"
#include "write_file.h"

namespace octavo::cli {
namespace {

/// Enough to show what quantization cost, few enough not to be waited for.
constexpr std::size_t kComparedSamples = 32;
constexpr std::size_t kWorstLayers = 5;

/// First line of the recipe beside an output; a file that begins with it may be written anew.
constexpr std::string_view kRecipeHead =
    "# Written by `octavo quantize`, which repeats the run: octavo quantize MODEL --config THIS_FILE\n";

struct Arguments {
  std::string model;
  Recipe recipe;
  bool no_verify = false;
  bool quiet = false;
};

/// model.int8.onnx: model.int8.recipe.yaml
std::filesystem::path recipe_beside(std::filesystem::path output) { return output.replace_extension(".recipe.yaml"); }

/// A recipe that somebody wrote, with comments, is not to be lost.
void require_own_recipe(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return;
  std::string head(kRecipeHead.size(), ' ');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  if (head == kRecipeHead) return;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("--output: the recipe of this run would replace '{}', which is not one that octavo wrote; "
                          "rename it, or name another output",
                          path.string()));
}

void require_output(const Arguments& arguments) {
  const Recipe& recipe = arguments.recipe;
  if (recipe.output.empty()) {
    throw Error(ErrorCode::invalid_argument, "no file to write: give --output FILE, or `output` in the recipe");
  }
  require_writable(recipe.output.string(), arguments.model);
  require_ending(exporter_of(recipe), recipe.output);
  require_own_recipe(recipe_beside(recipe.output));
  check_config(recipe.qconfig, backend_of(recipe));
}

/// Of the files the runtime loads: those that have the output's name but for the ending.
std::uint64_t size_of_model(const std::vector<std::filesystem::path>& files) {
  const std::string prefix = files.front().stem().string() + '.';
  std::uint64_t size = 0;
  for (const auto& file : files) {
    if (file.filename().string().starts_with(prefix)) size += std::filesystem::file_size(file);
  }
  return size;
}

/// Tables of scales stand beside a model: their size says nothing.
bool is_model(const Exporter& exporter) {
  const auto formats = format_names();
  return std::any_of(formats.begin(), formats.end(),
                     [&](const std::string& format) { return exporter_named(format).ending == exporter.ending; });
}

using Files = std::vector<std::filesystem::path>;

void print_result(const Arguments& arguments, const Quantized& result, const Files& written) {
  for (const std::string& note : result.notes) fmt::print("note: {}\n", note);
  for (const std::string& file : result.calibration.bad_files) fmt::print("skipped: {}\n", file);
  const std::string weights = count_of(result.plan.weights.size(), "weight");
  if (arguments.recipe.mode == QuantizeMode::static_ranges) {
    fmt::print("Calibrated on {}; {} and {} run in integers.\n", count_of(result.calibration.samples, "sample"),
               count_of(result.plan.integer_nodes.size(), "operator"), weights);
  } else {
    const bool integers = exporter_of(arguments.recipe).integers_for_float_operators;
    fmt::print("{} {}.\n", weights, integers ? "written as integers" : "rounded to integers and written as floats");
  }
  for (const auto& file : written) fmt::print("Wrote {}\n", file.string());
  fmt::print("Wrote {}\n", recipe_beside(arguments.recipe.output).string());
  if (!is_model(exporter_of(arguments.recipe))) return;
  const std::uint64_t before = size_of_model(model_files(arguments.model));
  const std::uint64_t after = size_of_model(written);
  const double smaller = 100.0 * (1.0 - static_cast<double>(after) / static_cast<double>(before));
  fmt::print("Size: {} before, {} after ({:.1f} % {})\n", bytes_text(before), bytes_text(after), std::abs(smaller),
             smaller >= 0.0 ? "smaller" : "larger");
}

void compare_and_print(const Graph& model, const Quantized& result, const Arguments& arguments,
                       const Progress& progress) {
  const auto data = open_recipe_data(model, arguments.recipe);
  VerifyOptions options;
  options.threads = arguments.recipe.threads;
  options.max_samples = kComparedSamples;
  options.skip_bad_files = arguments.recipe.skip_bad_files;
  options.arithmetic = backend_of(arguments.recipe).arithmetic;
  options.progress = progress;
  const Comparison comparison = compare(model, result.graph, *data, options);
  if (arguments.quiet) return;
  fmt::print("{}{}", summary_text(comparison), work_text(work_share(result.graph)));
  const auto worst = worst_layers(comparison, kWorstLayers);
  if (!worst.empty()) fmt::print("Worst layers:\n{}", layer_table(worst));
}

void run(const Arguments& arguments) {
  const auto started = std::chrono::steady_clock::now();
  require_output(arguments);
  ProgressDisplay display(arguments.quiet);
  const Progress progress = display.callback();
  const Graph model = load_model(arguments.model);
  const Quantized result = quantize(model, arguments.recipe, progress);
  SaveOptions options;
  options.runtime_version = arguments.recipe.runtime_version;
  const Files written = export_model(result.graph, exporter_of(arguments.recipe), arguments.recipe.output, options);
  write_file(recipe_beside(arguments.recipe.output).string(),
             fmt::format("{}{}", kRecipeHead, recipe_text(result.recipe)));
  if (!arguments.quiet) print_result(arguments, result, written);
  if (!arguments.no_verify && has_samples(arguments.recipe)) {
    try {
      compare_and_print(model, result, arguments, progress);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unsupported) throw;
      throw Error(error.code(), fmt::format("{} is written, but cannot be compared with the float model: {}; "
                                            "--no-verify leaves that out",
                                            arguments.recipe.output.string(), error.what()));
    }
  }
  if (arguments.quiet) return;
  if (!arguments.no_verify && !has_samples(arguments.recipe)) {
    fmt::print(
        "Not compared with the float model: no samples were given; --images compares, and so does `octavo verify`\n");
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  fmt::print("Time {:.1f} s, peak memory {:.0f} MiB\n", seconds.count(),
             static_cast<double>(peak_memory()) / (1 << 20));
}

}  // namespace

void add_quantize_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("quantize", "Turn a float model into an int8 one, by a folder of samples");
  command->footer(wrapped(
      fmt::format("Examples:\n"
                  "  octavo quantize squeezenet.onnx --images calib --resize 227x227 --bgr --mean 104,117,123 -o "
                  "squeezenet.int8.onnx\n"
                  "  octavo quantize squeezenet.onnx --config recipe.yaml --threads 2\n"
                  "A model with several inputs takes samples and settings by input name: --images ids=folder1 --images "
                  "mask=folder2.\n"
                  "What is not given is taken from the model's input shape, and said. The recipe of the run is written "
                  "beside the output: squeezenet.int8.recipe.yaml.\n"
                  "What --to takes:\n{}",
                  exporter_list()),
      kHelpColumns));
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("model", arguments->model, "float model: .onnx, .param or .tnnproto")->required();
  add_recipe_flags(*command, arguments->recipe);
  command->add_flag("--no-verify", arguments->no_verify, "do not run and compare both models afterwards")->group("Run");
  command->add_flag("--quiet", arguments->quiet, "print nothing but errors")->group("Run");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace octavo::cli
