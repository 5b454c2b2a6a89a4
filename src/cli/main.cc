#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "command.h"
#include "octavo/core/names.h"
#include "octavo/error.h"
#include "octavo/execute.h"
#include "wrap.h"

namespace octavo::cli {
namespace {

constexpr int kInterrupted = 130;  // as a shell reports SIGINT

std::atomic<bool> stop_requested = false;

extern "C" void request_stop(int) { stop_requested = true; }

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0 done                           5 unusable image, tensor or label\n"
    "  1 wrong flag, value or recipe    6 a limit was reached\n"
    "  2 file cannot be opened/written  8 internal mistake\n"
    "  3 broken model                   130 interrupted\n"
    "  4 unsupported model\n"
    "`octavo COMMAND --help` explains each command.";

int exit_code(ErrorCode code) { return code == ErrorCode::cancelled ? kInterrupted : static_cast<int>(code); }

/// CLI11 would only say that an argument was not expected.
void require_command(const CLI::App& app, std::string_view name) {
  std::vector<std::string_view> known;
  for (const CLI::App* command : app.get_subcommands({})) known.push_back(command->get_name());
  if (name.starts_with('-') || std::find(known.begin(), known.end(), name) != known.end()) return;
  throw Error(ErrorCode::invalid_argument, fmt::format("command '{}' is not known{}", name, suggestion(name, known)));
}

/// Commands that octavo runs where it is called by their name, through a link: tools of the runtimes, as they are.
constexpr std::array<std::string_view, 2> kLinkNames = {"quantization_cmd", "ncnn2table"};

/// The arguments, behind the command that the program's own name stands for.
std::vector<const char*> arguments_of(int argc, char** argv) {
  std::vector<const char*> arguments(argv, argv + argc);
  if (arguments.empty()) return arguments;
  const std::string name = std::filesystem::path(arguments.front()).stem().string();
  const auto* const it = std::find(kLinkNames.begin(), kLinkNames.end(), name);
  if (it == kLinkNames.end()) return arguments;
  arguments.insert(arguments.begin() + 1, it->data());
  if (arguments.size() == 2) arguments.push_back("--help");
  return arguments;
}

/// Help fits a terminal, whatever a command says of its options.
void wrap_descriptions(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    option->description(wrapped(option->get_description(), kHelpColumns - kFlagColumns));
  }
}

int run(const std::vector<const char*>& arguments) {
  CLI::App app("octavo: from a trained float model to a verified integer one.");
  app.name("octavo");
  app.set_version_flag("--version", fmt::format("octavo {} ({})", OCTAVO_VERSION, compute_library()));
  app.require_subcommand(1);
  app.footer(kExitCodes);
  app.get_formatter()->column_width(kFlagColumns);
  add_quantize_command(app);
  add_calibrate_command(app);
  add_merge_command(app);
  add_verify_command(app);
  add_inspect_command(app);
  add_check_command(app);
  add_export_command(app);
  add_config_command(app);
  add_quantization_cmd_command(app);
  add_ncnn2table_command(app);
  for (CLI::App* command : app.get_subcommands({})) wrap_descriptions(*command);
  if (arguments.size() > 1) require_command(app, arguments[1]);
  try {
    app.parse(static_cast<int>(arguments.size()), arguments.data());
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    const auto given = app.get_subcommands();
    fmt::print(stderr, "octavo: {}\nRun octavo {} --help to see what there is.\n", error.what(),
               given.empty() ? "[COMMAND]" : given.front()->get_name());
    return static_cast<int>(ErrorCode::invalid_argument);
  }
  return 0;
}

}  // namespace

bool interrupted() { return stop_requested; }

}  // namespace octavo::cli

int main(int argc, char** argv) {
  std::signal(SIGINT, octavo::cli::request_stop);
  std::signal(SIGTERM, octavo::cli::request_stop);
  try {
    return octavo::cli::run(octavo::cli::arguments_of(argc, argv));
  } catch (const octavo::Error& error) {
    fmt::print(stderr, "octavo: {}\n", error.what());
    return octavo::cli::exit_code(error.code());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "octavo: out of memory\n");
    return static_cast<int>(octavo::ErrorCode::resource_limit);
  } catch (const std::exception& error) {
    fmt::print(stderr, "octavo: internal mistake: {}\n", error.what());
    return static_cast<int>(octavo::ErrorCode::internal);
  }
}
