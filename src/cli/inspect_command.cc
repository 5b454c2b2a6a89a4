#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "command.h"
#include "console.h"
#include "octavo/backends.h"
#include "octavo/execute.h"
#include "octavo/formats.h"
#include "octavo/passes.h"
#include "wrap.h"

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

/// Sizes of planned weights as they are and as integers.
std::pair<std::uint64_t, std::uint64_t> weight_bytes(const Graph& graph, const Plan& plan) {
  std::uint64_t floats = 0;
  std::uint64_t integers = 0;
  for (const WeightPlan& weight : plan.weights) {
    const Tensor& tensor = *graph.constant(graph.node(weight.node).input(weight.input));
    floats += tensor.byte_size();
    integers += static_cast<std::uint64_t>(tensor.size()) * size_of(weight.scheme.storage());
  }
  return {floats, integers};
}

/// For a model that is quantized already: what it carries instead of a plan.
bool print_quantized(const Graph& graph) {
  int pairs = 0;
  int constants = 0;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (node.op_type == "QuantizeLinear") ++pairs;
    if (node.op_type == "DequantizeLinear" && graph.constant(node.input(0)) != nullptr) ++constants;
  }
  if (pairs + constants == 0) return false;
  fmt::print("\nQuantized already: {} values pass through integers, {} weights and biases are stored as integers.\n",
             pairs, constants);
  return true;
}

constexpr std::size_t kNamesShown = 4;

void print_reason(const std::string& reason, const std::vector<std::string>& nodes) {
  fmt::print("  {:>5} in float: {}\n", nodes.size(), reason);
  for (std::size_t i = 0; i < nodes.size() && i < kNamesShown; ++i) fmt::print("        {}\n", nodes[i]);
  if (nodes.size() > kNamesShown) fmt::print("        and {} more\n", nodes.size() - kNamesShown);
}

void print_support(const Graph& model, const BackendSpec& backend) {
  Graph graph = model;
  prepare_for(graph, backend);
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
  fmt::print("\nWith {} ({}):\n{} operators after preparing, {} run in integers, {} in float.\n", backend.name,
             backend.description, support.size(), integer, support.size() - static_cast<std::size_t>(integer));
  for (const auto& [reason, nodes] : floats) print_reason(reason, nodes);
  const Plan plan = make_plan(graph, backend);
  const auto [weights, quantized] = weight_bytes(graph, plan);
  fmt::print("{} of float weights will become {} of integers.\n", bytes_text(weights), bytes_text(quantized));
  for (const std::string& note : plan.notes) fmt::print("note: {}\n", note);
}

void run(const Arguments& arguments) {
  const BackendSpec& backend = backend_named(arguments.backend);
  Graph model = load_model(arguments.model);
  fmt::print("model    {}: {}\n", arguments.model, bytes_text(std::filesystem::file_size(arguments.model)));
  fmt::print("made by  {}{}{}\n", model.producer_name.empty() ? "unknown" : model.producer_name,
             model.producer_version.empty() ? "" : " ", model.producer_version);
  for (const auto& [domain, version] : model.opsets)
    fmt::print("opset    {} {}\n", domain.empty() ? "ai.onnx" : domain, version);
  print_values(model, "input", model.inputs());
  print_values(model, "output", model.outputs());
  print_operators(model);
  restore_qdq(model);
  if (!print_quantized(model)) print_support(model, backend);
}

}  // namespace

void add_inspect_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("inspect", "Show a model's inputs, outputs and operators, and what will run in integers");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("model", arguments->model, "model (.onnx)")->required();
  std::string names;
  for (const BackendSpec* backend : backends()) names += fmt::format("{}{}", names.empty() ? "" : ", ", backend->name);
  command
      ->add_option("--backend", arguments->backend,
                   wrapped(fmt::format("runtime the model is meant for: {}", names), kHelpColumns - kFlagColumns))
      ->type_name("NAME")
      ->capture_default_str();
  command->callback([arguments] { run(*arguments); });
}

}  // namespace octavo::cli
