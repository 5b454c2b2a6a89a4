#include "support_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "octavo/backends.h"
#include "octavo/error.h"
#include "octavo/formats.h"
#include "octavo/passes.h"

namespace octavo::cli {
namespace {

/// Where only the runtime is named, what its models are written as.
const Exporter& exporter_for_backend(const Recipe& recipe) {
  if (recipe.to.empty() && recipe.output.empty()) {
    for (const Exporter* exporter : exporters()) {
      if (exporter->backend == backend_of(recipe).name) return *exporter;
    }
  }
  return exporter_of(recipe);
}

/// Inputs whose shape is open beyond the batch, where the runtime wants to know it.
void find_open_inputs(const Graph& graph, const BackendSpec& backend, SupportReport& report) {
  if (!backend.static_shapes) return;
  for (const ValueId id : graph.inputs()) {
    const Value& value = graph.value(id);
    const auto open = [](const Dim& dim) { return !dim.known(); };
    const bool known = value.dims && !value.dims->empty();
    if (known && std::none_of(value.dims->begin() + 1, value.dims->end(), open)) continue;
    report.conflicts.push_back(
        fmt::format("input '{}' has a dynamic shape, and {} wants all sizes but the batch: give them with "
                    "--input-shape",
                    value.name, backend.name));
  }
}

void list_operators(const Graph& graph, const BackendSpec& backend, const Exporter& exporter, const Recipe& recipe,
                    SupportReport& report) {
  std::map<NodeId, std::string> unsupported;
  if (exporter.unsupported != nullptr) {
    for (auto& [node, reason] : exporter.unsupported(graph)) unsupported[node] = std::move(reason);
  }
  for (const NodeSupport& entry : explain_plan(graph, backend, recipe.qconfig)) {
    OperatorSupport& next = report.operators.emplace_back();
    next.node = describe(graph, entry.node);
    next.op_type = graph.node(entry.node).op_type;
    next.support = entry.integer ? Support::integer : Support::floating;
    next.reason = entry.reason;
    const auto found = unsupported.find(entry.node);
    if (found == unsupported.end()) continue;
    next.support = Support::unsupported;
    next.reason = found->second;
  }
}

void size_weights(const Graph& graph, const Plan& plan, SupportReport& report) {
  for (const WeightPlan& weight : plan.weights) {
    const Tensor& tensor = *graph.constant(graph.node(weight.node).input(weight.input));
    report.float_weight_bytes += tensor.byte_size();
    report.integer_weight_bytes += static_cast<std::uint64_t>(tensor.size()) * size_of(weight.scheme.storage());
  }
}

/// Runs `step`; an error that says what does not fit is a conflict.
template <typename Step>
bool fits(SupportReport& report, const Step& step) {
  try {
    step();
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unsupported && error.code() != ErrorCode::invalid_argument) throw;
    const std::string problem = error.what();
    auto& known = report.conflicts;
    if (std::find(known.begin(), known.end(), problem) == known.end()) known.push_back(problem);
    return false;
  }
}

}  // namespace

std::string_view name_of(Support support) {
  switch (support) {
    case Support::integer:
      return "integer";
    case Support::floating:
      return "float";
    case Support::unsupported:
      return "unsupported";
  }
  return {};
}

std::size_t SupportReport::count(Support support) const {
  return static_cast<std::size_t>(std::count_if(
      operators.begin(), operators.end(), [&](const OperatorSupport& entry) { return entry.support == support; }));
}

QuantizedParts quantized_parts(const Graph& graph) {
  QuantizedParts parts;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    const bool constant = graph.constant(node.input(0)) != nullptr;
    if (node.op_type == "QuantizeLinear") ++parts.activations;
    if (node.op_type == "DequantizeLinear" && constant) ++parts.constants;
    if (node.op_type == "FakeQuantize") ++(constant ? parts.constants : parts.activations);
  }
  return parts;
}

SupportReport support_of(const Graph& model, const Recipe& recipe) {
  const BackendSpec& backend = backend_of(recipe);
  const Exporter& exporter = exporter_for_backend(recipe);
  SupportReport report;
  report.backend = backend.name;
  report.description = backend.description;
  report.format = exporter.name;
  const QuantizedParts parts = quantized_parts(model);
  if (parts.activations + parts.constants > 0) {
    fits(report, [&] { check_recipe(recipe, model); });  // says so, and what can be done with it
    return report;
  }
  Graph graph = model;
  fix_input_shapes(graph, recipe);
  find_open_inputs(graph, backend, report);
  if (!report.conflicts.empty()) return report;  // what comes of the sizes would only say it again
  const bool planned = fits(report, [&] {
    check_config(recipe.qconfig, backend);
    report.notes = prepare_for(graph, backend);
    list_operators(graph, backend, exporter, recipe, report);
    const Plan plan = make_plan(graph, backend, recipe.qconfig);
    report.notes.insert(report.notes.end(), plan.notes.begin(), plan.notes.end());
    size_weights(graph, plan, report);
  });
  // What is left are modes, inputs and what only integers make impossible; unsupported operators are listed already.
  Recipe whole = recipe;
  whole.to = exporter.name;
  if (planned && report.count(Support::unsupported) == 0) fits(report, [&] { check_recipe(whole, model); });
  return report;
}

}  // namespace octavo::cli
