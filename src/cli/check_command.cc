#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "command.h"
#include "octavo/core/names.h"
#include "octavo/error.h"
#include "octavo/formats.h"
#include "support_report.h"
#include "wrap.h"
#include "write_file.h"

namespace octavo::cli {
namespace {

/// Counts up as the version in docs/report.md does.
constexpr int kVersion = 1;

struct Arguments {
  std::string model;
  std::string json;
  Recipe recipe;
  bool quiet = false;
};

void print(const SupportReport& report) {
  std::size_t width = 0;
  for (const OperatorSupport& entry : report.operators) width = std::max(width, name_of(entry.support).size());
  for (const OperatorSupport& entry : report.operators) {
    fmt::print("{:<{}}  {}{}{}\n", name_of(entry.support), width, entry.node, entry.reason.empty() ? "" : ": ",
               entry.reason);
  }
  for (const std::string& note : report.notes) fmt::print("note: {}\n", note);
  fmt::print("With {}, written as {}: {}, {} in integers, {} in float, {} unsupported.\n", report.backend,
             report.format, count_of(report.operators.size(), "operator"), report.count(Support::integer),
             report.count(Support::floating), report.count(Support::unsupported));
}

std::string to_json(const SupportReport& report, const std::string& model) {
  using Json = nlohmann::ordered_json;
  Json json{
      {"version", kVersion},           {"model", model},        {"backend", report.backend}, {"format", report.format},
      {"conflicts", report.conflicts}, {"notes", report.notes}, {"operators", Json::array()}};
  for (const OperatorSupport& entry : report.operators) {
    json["operators"].push_back({{"node", entry.node},
                                 {"op_type", entry.op_type},
                                 {"support", name_of(entry.support)},
                                 {"reason", entry.reason}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void require_no_conflict(const SupportReport& report) {
  std::string list;
  for (const std::string& conflict : report.conflicts) list += "\n  " + conflict;
  const std::size_t unsupported = report.count(Support::unsupported);
  if (unsupported > 0) {
    list += fmt::format("\n  {} cannot be written as {}:", count_of(unsupported, "operator"), report.format);
    for (const OperatorSupport& entry : report.operators) {
      if (entry.support == Support::unsupported) list += fmt::format("\n    {}: {}", entry.node, entry.reason);
    }
  }
  if (list.empty()) return;
  throw Error(ErrorCode::unsupported, fmt::format("the model cannot be quantized for {} so:{}", report.backend, list));
}

void run(const Arguments& arguments) {
  if (!arguments.json.empty()) require_writable(arguments.json, arguments.model, "--json");
  const Graph model = load_model(arguments.model);
  const SupportReport report = support_of(model, arguments.recipe);
  if (!arguments.json.empty()) write_file(arguments.json, to_json(report, arguments.model));
  if (!arguments.quiet && !report.operators.empty()) print(report);
  require_no_conflict(report);
}

}  // namespace

void add_check_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("check", "Say for each operator whether it will run in integers, in float or not at all");
  command->footer(
      wrapped("Examples:\n"
              "  octavo check squeezenet.onnx --backend ncnn\n"
              "  octavo check squeezenet.onnx --config recipe.yaml --json check.json\n"
              "Nothing is calibrated or written. What would end in an error later is one here: exit code 4.",
              kHelpColumns));
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("model", arguments->model, "float model: .onnx, .param or .tnnproto")->required();
  command->add_option("--json", arguments->json, "write the list here (docs/report.md)")->type_name("FILE");
  add_recipe_flags(*command, arguments->recipe, {"Data", "Preprocessing", "Run"}, {"to", "input-shape"});
  command->add_flag("--quiet", arguments->quiet, "print nothing but errors");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace octavo::cli
