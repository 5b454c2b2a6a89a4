#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>

#include "command.h"
#include "console.h"
#include "octavo/error.h"
#include "octavo/formats.h"
#include "octavo/quantize.h"
#include "octavo/verify.h"

namespace octavo::cli {
namespace {

/// Enough to show what quantization cost, few enough not to be waited for.
constexpr std::size_t kComparedSamples = 32;
constexpr std::size_t kWorstLayers = 5;

struct Arguments {
  std::string model;
  std::string output;
  Recipe recipe;
  bool no_verify = false;
  bool quiet = false;
};

/// Says before the work what would only show after it.
void require_writable(const Arguments& arguments) {
  std::error_code ignored;
  const std::filesystem::path output(arguments.output);
  const std::filesystem::path folder = output.has_parent_path() ? output.parent_path() : ".";
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw Error(ErrorCode::io, fmt::format("--output: folder '{}' does not exist; create it first", folder.string()));
  }
  if (std::filesystem::is_directory(output, ignored)) {
    throw Error(ErrorCode::io, fmt::format("--output: '{}' is a folder; name a file", arguments.output));
  }
  if (std::filesystem::equivalent(output, arguments.model, ignored)) {
    throw Error(ErrorCode::invalid_argument, "--output: would overwrite the float model; name another file");
  }
}

void print_result(const Arguments& arguments, const Quantized& result) {
  for (const std::string& note : result.notes) fmt::print("note: {}\n", note);
  for (const std::string& file : result.calibration.bad_files) fmt::print("skipped: {}\n", file);
  const auto before = std::filesystem::file_size(arguments.model);
  const std::uint64_t after = model_size(result.graph);
  const double smaller = 100.0 * (1.0 - static_cast<double>(after) / static_cast<double>(before));
  fmt::print("Calibrated on {} samples; {} operators and {} weights run in integers.\n", result.calibration.samples,
             result.plan.integer_nodes.size(), result.plan.weights.size());
  fmt::print("Wrote {}\n", arguments.output);
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
  options.progress = progress;
  const Comparison comparison = compare(model, result.graph, *data, options);
  if (arguments.quiet) return;
  fmt::print("{}", summary_text(comparison));
  const auto worst = worst_layers(comparison, kWorstLayers);
  if (!worst.empty()) fmt::print("Worst layers:\n{}", layer_table(worst));
}

void run(const Arguments& arguments) {
  const auto started = std::chrono::steady_clock::now();
  require_writable(arguments);
  ProgressDisplay display(arguments.quiet);
  const Progress progress = display.callback();
  const Graph model = load_model(arguments.model);
  const Quantized result = quantize(model, arguments.recipe, progress);
  save_model(result.graph, std::filesystem::path(arguments.output));
  if (!arguments.quiet) print_result(arguments, result);
  if (!arguments.no_verify) compare_and_print(model, result, arguments, progress);
  if (arguments.quiet) return;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  fmt::print("Time {:.1f} s, peak memory {:.0f} MiB\n", seconds.count(),
             static_cast<double>(peak_memory()) / (1 << 20));
}

}  // namespace

void add_quantize_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("quantize", "Turn a float ONNX model into an int8 one, by a folder of samples");
  command->footer(
      "Example:\n"
      "  octavo quantize squeezenet.onnx --images calib --resize 227x227 --bgr --mean 104,117,123 -o "
      "squeezenet.int8.onnx\n"
      "A model with several inputs takes samples and settings by input name: --images ids=folder1 --images "
      "mask=folder2.\n"
      "What is not given is taken from the model's input shape, and said.");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("model", arguments->model, "float model (.onnx)")->required();
  command->add_option("-o,--output", arguments->output, "file to write; whole or not at all")->required();
  add_recipe_flags(*command, arguments->recipe);
  command->add_flag("--no-verify", arguments->no_verify, "do not run and compare both models afterwards")->group("Run");
  command->add_flag("--quiet", arguments->quiet, "print nothing but errors")->group("Run");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace octavo::cli
