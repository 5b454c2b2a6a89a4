#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "command.h"
#include "console.h"
#include "octavo/core/names.h"
#include "octavo/error.h"
#include "octavo/formats.h"
#include "octavo/quantize.h"
#include "wrap.h"
#include "write_file.h"

namespace octavo::cli {
namespace {

struct Arguments {
  std::string model;
  std::string output;
  std::string text;
  std::string share;
  Recipe recipe;
  bool resume = false;
  bool quiet = false;
};

/// "3/8"
Share parse_share(const std::string& text) {
  Share share;
  const char* end = text.data() + text.size();
  const auto [slash, bad_index] = std::from_chars(text.data(), end, share.index);
  const bool sound = bad_index == std::errc{} && slash != end && *slash == '/';
  const auto [rest, bad_count] = std::from_chars(sound ? slash + 1 : end, end, share.count);
  constexpr std::size_t kMostShares = 1 << 20;
  if (sound && bad_count == std::errc{} && rest == end && share.index >= 1 && share.index <= share.count &&
      share.count <= kMostShares) {
    return share;
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("--shard: '{}' found, expected which share of how many, such as 3/8", text));
}

/// What was measured before an interruption is not lost, if one knows where it is.
[[noreturn]] void throw_with_way_on(const Error& error, const CalibrationJob& job) {
  const std::filesystem::path checkpoint = checkpoint_path(job.output);
  std::error_code ignored;
  if (error.code() != ErrorCode::cancelled || !std::filesystem::exists(checkpoint, ignored)) throw error;
  throw Error(error.code(), fmt::format("{}; what is done is in {}: the same command with --resume goes on from there",
                                        error.what(), checkpoint.string()));
}

Calibration calibrated(const Graph& model, const Recipe& recipe, const CalibrationJob& job, const Progress& progress,
                       std::vector<std::string>& notes) {
  try {
    return calibrate_to_file(model, recipe, job, progress, &notes);
  } catch (const Error& error) {
    throw_with_way_on(error, job);
  }
}

void run(const Arguments& arguments) {
  const auto started = std::chrono::steady_clock::now();
  CalibrationJob job;
  job.output = arguments.output;
  if (!arguments.share.empty()) job.share = parse_share(arguments.share);
  job.resume = arguments.resume;
  require_writable(arguments.output, arguments.model);
  ProgressDisplay display(arguments.quiet);
  const Graph model = load_model(arguments.model);
  std::vector<std::string> notes;
  const Calibration calibration = calibrated(model, arguments.recipe, job, display.callback(), notes);
  if (!arguments.text.empty()) write_file(arguments.text, calibration_text(calibration));
  if (arguments.quiet) return;
  for (const std::string& note : notes) fmt::print("note: {}\n", note);
  for (const std::string& file : calibration.bad_files) fmt::print("skipped: {}\n", file);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  fmt::print("Measured {} on {}{}.\nWrote {}: {}\nTime {:.1f} s, peak memory {:.0f} MiB\n",
             count_of(calibration.values.size(), "value"), count_of(calibration.samples, "sample"),
             job.share.count == 1 ? "" : fmt::format(", share {} of {}", job.share.index, job.share.count),
             arguments.output, bytes_text(std::filesystem::file_size(arguments.output)), seconds.count(),
             static_cast<double>(peak_memory()) / (1 << 20));
}

}  // namespace

void add_calibrate_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("calibrate", "Measure a model's activations on samples, for `quantize --calibration`");
  command->footer(
      wrapped("Example:\n"
              "  octavo calibrate squeezenet.onnx --images calib --resize 227x227 --bgr --mean 104,117,123 -o "
              "squeezenet.stats\n"
              "  octavo quantize squeezenet.onnx --calibration squeezenet.stats -o squeezenet.int8.onnx\n"
              "Shares of the samples may be measured apart, on several machines, and joined with `octavo merge`.\n"
              "An interrupted run leaves OUTPUT.partial, from which --resume goes on.",
              kHelpColumns));
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("model", arguments->model, "float model: .onnx, .param or .tnnproto")->required();
  command->add_option("-o,--output", arguments->output, "file to write; whole or not at all")
      ->type_name("FILE")
      ->required();
  add_recipe_flags(*command, arguments->recipe,
                   {"calibration", "mode", "weights-only", "dynamic", "opset", "weight-storage", "runtime-version"});
  command->add_option("--shard", arguments->share, "only share K of N of the samples")->type_name("K/N")->group("Run");
  command->add_flag("--resume", arguments->resume, "go on from the checkpoint of an interrupted run")->group("Run");
  command->add_option("--text", arguments->text, "write a table for people here as well")
      ->type_name("FILE")
      ->group("Run");
  command->add_flag("--quiet", arguments->quiet, "print nothing but errors")->group("Run");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace octavo::cli
