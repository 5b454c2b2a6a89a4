#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "command.h"
#include "console.h"
#include "octavo/calibrate.h"
#include "octavo/core/names.h"
#include "wrap.h"
#include "write_file.h"

namespace octavo::cli {
namespace {

struct Arguments {
  std::vector<std::string> shares;
  std::string output;
  std::string text;
  bool quiet = false;
};

void run(const Arguments& arguments) {
  for (const std::string& share : arguments.shares) require_writable(arguments.output, share);
  std::vector<Calibration> shares;
  for (const std::string& share : arguments.shares) shares.push_back(load_calibration(share));
  const Calibration joined = merge_calibrations(std::move(shares), arguments.shares);
  save_calibration(joined, arguments.output);
  if (!arguments.text.empty()) write_file(arguments.text, calibration_text(joined));
  if (arguments.quiet) return;
  fmt::print("Joined {}: {} measured on {}.\nWrote {}: {}\n", count_of(arguments.shares.size(), "share"),
             count_of(joined.values.size(), "value"), count_of(joined.samples, "sample"), arguments.output,
             bytes_text(std::filesystem::file_size(arguments.output)));
}

}  // namespace

void add_merge_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("merge", "Join the shares of a calibration, in any order, into one file");
  command->footer(wrapped(
      "Example:\n"
      "  octavo merge stats1 stats2 stats3 -o stats\n"
      "The file is the one that a single run over all samples writes, byte for byte. One share alone is copied: with "
      "--text "
      "this shows any calibration.",
      kHelpColumns));
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("shares", arguments->shares, "files of `octavo calibrate --shard`, all of one run")->required();
  command->add_option("-o,--output", arguments->output, "file to write; whole or not at all")
      ->type_name("FILE")
      ->required();
  command->add_option("--text", arguments->text, "write a table for people here as well")->type_name("FILE");
  command->add_flag("--quiet", arguments->quiet, "print nothing but errors");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace octavo::cli
