#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>

#include "command.h"
#include "console.h"
#include "octavo/backends.h"
#include "octavo/execute.h"
#include "octavo/formats.h"
#include "octavo/passes.h"

namespace octavo::cli {
namespace {

struct Arguments {
  std::string model;
  std::string backend = "onnxruntime";
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

/// Operators by type with their count; a star marks those that cannot be run here.
void print_operators(const Graph& graph) {
  const auto known = executable_operators();
  std::map<std::string, int> counts;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    const bool runs = node.domain.empty() && std::binary_search(known.begin(), known.end(), node.op_type);
    ++counts[fmt::format("{}{}{}{}", node.domain, node.domain.empty() ? "" : "::", node.op_type, runs ? "" : " *")];
  }
  fmt::print("\nOperators as stored (* cannot be run by octavo):\n");
  for (const auto& [type, count] : counts) fmt::print("  {:>5}  {}\n", count, type);
}

std::uint64_t weight_bytes(const Graph& graph, const Plan& plan) {
  std::uint64_t bytes = 0;
  for (const WeightPlan& weight : plan.weights) {
    bytes += graph.constant(graph.node(weight.node).input(weight.input))->byte_size();
  }
  return bytes;
}

void print_support(const Graph& model, const BackendSpec& backend) {
  Graph graph = model;
  if (graph.opset() < backend.min_opset) upgrade_opset(graph, backend.min_opset);
  prepare(graph);
  const auto support = explain_plan(graph, backend);
  int integer = 0;
  std::map<std::string, std::vector<std::string>> floats;
  for (const NodeSupport& entry : support) {
    if (entry.integer) {
      ++integer;
    } else {
      floats[entry.reason].push_back(describe(graph, entry.node));
    }
  }
  fmt::print("\nWith {} ({}), after preparing ({} operators): {} run in integers, {} in float.\n", backend.name,
             backend.description, support.size(), integer, support.size() - static_cast<std::size_t>(integer));
  for (const auto& [reason, nodes] : floats) {
    fmt::print("  float: {}\n", reason);
    for (const std::string& node : nodes) fmt::print("    {}\n", node);
  }
  fmt::print("Weights stored as integers: {} of {} in the file.\n",
             bytes_text(weight_bytes(graph, make_plan(graph, backend))), bytes_text(model_size(model)));
}

void run(const Arguments& arguments) {
  const BackendSpec& backend = backend_named(arguments.backend);
  Graph model = load_model(arguments.model);
  fmt::print("model    {}: {}\n", arguments.model, bytes_text(model_size(model)));
  fmt::print("made by  {} {}\n", model.producer_name.empty() ? "unknown" : model.producer_name, model.producer_version);
  for (const auto& [domain, version] : model.opsets)
    fmt::print("opset    {} {}\n", domain.empty() ? "ai.onnx" : domain, version);
  print_values(model, "input", model.inputs());
  print_values(model, "output", model.outputs());
  print_operators(model);
  print_support(model, backend);
}

}  // namespace

void add_inspect_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("inspect", "Show a model's inputs, outputs and operators, and what will run in integers");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("model", arguments->model, "model (.onnx)")->required();
  command->add_option("--backend", arguments->backend, "runtime the model is meant for")
      ->type_name("NAME")
      ->capture_default_str();
  command->callback([arguments] { run(*arguments); });
}

}  // namespace octavo::cli
