#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "console.h"
#include "octavo/core/names.h"
#include "octavo/execute.h"
#include "octavo/formats.h"
#include "octavo/passes.h"
#include "octavo/quantize.h"
#include "support_report.h"
#include "wrap.h"

namespace octavo::cli {
namespace {

struct Arguments {
  std::string model;
  Recipe recipe;
};

std::string type_text(const Value& value) {
  std::string text(name_of(value.dtype));
  if (!value.dims) return text;
  text += '[';
  for (std::size_t i = 0; i < value.dims->size(); ++i) {
    const Dim& dim = (*value.dims)[i];
    text += fmt::format("{}{}", i == 0 ? "" : ",",
                        dim.known()          ? fmt::format("{}", dim.size)
                        : dim.symbol.empty() ? "?"
                                             : dim.symbol);
  }
  return text + ']';
}

void print_values(const Graph& graph, std::string_view what, const std::vector<ValueId>& ids) {
  for (const ValueId id : ids) fmt::print("{:<8} {}: {}\n", what, graph.value(id).name, type_text(graph.value(id)));
}

std::string type_of(const Node& node) {
  return fmt::format("{}{}{}", node.domain, node.domain.empty() ? "" : "::", node.op_type);
}

std::map<std::string, int> operator_counts(const Graph& graph) {
  std::map<std::string, int> counts;
  for (const NodeId id : graph.nodes()) ++counts[type_of(graph.node(id))];
  return counts;
}

/// A star marks those that cannot be run here, even as the pairs that they are read as: `readable` has these.
void print_operators(const std::map<std::string, int>& stored, const Graph& readable) {
  const auto known = executable_operators();
  const auto left = operator_counts(readable);
  fmt::print("\nOperators as stored (* cannot be run by octavo):\n");
  for (const auto& [type, count] : stored) {
    const bool runs = !left.contains(type) || std::binary_search(known.begin(), known.end(), type);
    fmt::print("  {:>5}  {}{}\n", count, type, runs ? "" : " *");
  }
}

/// For a model that is quantized already: what it carries instead of a plan.
bool print_quantized(const Graph& graph) {
  const QuantizedParts parts = quantized_parts(graph);
  if (parts.activations + parts.constants == 0) return false;
  fmt::print("\nQuantized already: {} through integers, {} stored as integers.\n",
             count_of(parts.activations, "value passes", "values pass"),
             count_of(parts.constants, "weight or bias is", "weights and biases are"));
  return true;
}

constexpr std::size_t kNamesShown = 4;

void print_reason(const std::string& reason, const std::vector<std::string>& nodes) {
  fmt::print("  {:>5} in float: {}\n", nodes.size(), reason);
  for (std::size_t i = 0; i < nodes.size() && i < kNamesShown; ++i) fmt::print("        {}\n", nodes[i]);
  if (nodes.size() > kNamesShown) fmt::print("        and {} more\n", nodes.size() - kNamesShown);
}

void print_support(const Graph& model, const Recipe& recipe) {
  const SupportReport report = support_of(model, recipe);
  std::map<std::string, std::vector<std::string>> floats;
  for (const OperatorSupport& entry : report.operators) {
    if (entry.support != Support::integer) floats[entry.reason].push_back(entry.node);
  }
  fmt::print("\nWith {} ({}):\n{} after preparing, {} run in integers, {} in float", report.backend, report.description,
             count_of(report.operators.size(), "operator"), report.count(Support::integer),
             report.count(Support::floating));
  const std::size_t unsupported = report.count(Support::unsupported);
  fmt::print("{}.\n", unsupported > 0 ? fmt::format(", {} cannot be written as {}", unsupported, report.format) : "");
  for (const auto& [reason, nodes] : floats) print_reason(reason, nodes);
  fmt::print("{} of float weights will become {} of integers.\n", bytes_text(report.float_weight_bytes),
             bytes_text(report.integer_weight_bytes));
  for (const std::string& note : report.notes) fmt::print("note: {}\n", note);
  for (const std::string& conflict : report.conflicts) fmt::print("conflict: {}\n", conflict);
}

void run(const Arguments& arguments) {
  Graph model = load_model(arguments.model);
  fmt::print("model    {}: {}\n", arguments.model, bytes_text(std::filesystem::file_size(arguments.model)));
  fmt::print("made by  {}{}{}\n", model.producer_name.empty() ? "unknown" : model.producer_name,
             model.producer_version.empty() ? "" : " ", model.producer_version);
  for (const auto& [domain, version] : model.opsets)
    fmt::print("opset    {} {}\n", domain.empty() ? "ai.onnx" : domain, version);
  print_values(model, "input", model.inputs());
  print_values(model, "output", model.outputs());
  const auto stored = operator_counts(model);
  restore_qdq(model);
  print_operators(stored, model);
  if (!print_quantized(model)) print_support(model, arguments.recipe);
}

}  // namespace

void add_inspect_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("inspect", "Show a model's inputs, outputs and operators, and what will run in integers");
  command->footer(
      wrapped("Examples:\n"
              "  octavo inspect squeezenet.onnx\n"
              "  octavo inspect squeezenet.onnx --backend ncnn\n"
              "A model that is quantized already is shown as it is.",
              kHelpColumns));
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("model", arguments->model, "model: .onnx, .param or .tnnproto")->required();
  add_recipe_flags(*command, arguments->recipe, {"Data", "Preprocessing", "Run"}, {"to", "input-shape"});
  command->callback([arguments] { run(*arguments); });
}

}  // namespace octavo::cli
