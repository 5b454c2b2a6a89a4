#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "fold.h"
#include "fuse.h"
#include "lower.h"
#include "op_table.h"
#include "program.h"

namespace octavo::execute {
namespace {

std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }

std::size_t value_count(const Graph& graph) {
  ValueId last = -1;
  for (const ValueId id : graph.values()) last = std::max(last, id);
  return index(last + 1);
}

/// Removes the nodes that neither an output nor a watched value needs. `graph` is sorted.
void remove_unneeded(Graph& graph, const std::vector<bool>& watched) {
  std::vector<bool> needed = watched;
  for (const ValueId id : graph.outputs()) needed[index(id)] = true;
  const std::vector<NodeId> order = graph.nodes();
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    const Node& node = graph.node(*it);
    const bool live = std::any_of(node.outputs.begin(), node.outputs.end(),
                                  [&](ValueId id) { return id != kNoValue && needed[index(id)]; });
    if (!live) {
      graph.remove_node(*it);
      continue;
    }
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) needed[index(id)] = true;
    }
  }
}

void check_operators(const Graph& graph) {
  struct Missing {
    std::size_t count = 0;
    std::string first;
  };
  std::map<std::string, Missing> missing;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (node.domain != kInternalDomain && find_op(node.domain, node.op_type) != nullptr) continue;
    Missing& entry = missing[node.domain.empty() ? node.op_type : node.domain + "." + node.op_type];
    if (entry.count++ == 0) entry.first = describe(graph, id);
  }
  if (missing.empty()) return;
  std::string list;
  for (const auto& [op_type, entry] : missing) {
    list += fmt::format("{}{} ({} of them, first {})", list.empty() ? "" : ", ", op_type, entry.count, entry.first);
  }
  throw Error(ErrorCode::unsupported, "the executor does not implement these operators: " + list);
}

void check_inputs_exist(const Graph& graph, NodeId id) {
  for (const ValueId input : graph.node(id).inputs) {
    if (input == kNoValue || graph.is_input(input) || graph.producer(input) != kNoNode) continue;
    const Value& value = graph.value(input);
    if (value.constant) continue;
    const std::string problem =
        value.opaque_constant ? "is a constant of a type the executor does not compute with" : "is computed by no node";
    throw Error(value.opaque_constant ? ErrorCode::unsupported : ErrorCode::bad_model,
                fmt::format("{}: its input '{}' {}", describe(graph, id), value.name, problem));
  }
}

void add_values(const Graph& graph, const std::vector<bool>& watched, Program& program) {
  for (const ValueId id : graph.inputs()) {
    const Value& value = graph.value(id);
    program.inputs.push_back({id, value.name, value.dtype, value.dims});
    program.held[index(id)] = true;
  }
  program.outputs = graph.outputs();
  for (const ValueId id : program.outputs) program.held[index(id)] = true;
  for (const ValueId id : graph.values()) {
    const bool used = program.readers[index(id)] > 0 || watched[index(id)] || graph.is_output(id);
    const Tensor* constant = graph.constant(id);
    if (constant == nullptr || !used) continue;
    program.constants.push_back({id, *constant});
    program.held[index(id)] = true;
  }
  for (const ValueId id : program.outputs) {
    if (graph.constant(id) == nullptr && !graph.is_input(id) && graph.producer(id) == kNoNode) {
      throw Error(ErrorCode::bad_model, fmt::format("output '{}' is computed by no node", graph.value(id).name));
    }
  }
}

}  // namespace

NodeContext node_context(const Graph& graph, NodeId id, const Arithmetic& arithmetic) {
  const Node& node = graph.node(id);
  const bool standard = node.domain.empty() || node.domain == "ai.onnx" || node.domain == kInternalDomain;
  const auto it = graph.opsets.find(node.domain);
  return {graph, id, node, standard ? graph.opset() : it == graph.opsets.end() ? 1 : it->second, arithmetic};
}

Step compile_step(const Graph& graph, NodeId id, const Arithmetic& arithmetic) {
  check_inputs_exist(graph, id);
  const Node& node = graph.node(id);
  return {find_op(node.domain, node.op_type)->make(node_context(graph, id, arithmetic)), node.inputs, node.outputs,
          describe(graph, id)};
}

Program compile(const Graph& original, const ExecutorOptions& options) {
  Graph graph = original;
  graph.sort();
  Program program;
  program.memory_limit = options.memory_limit;
  program.watched.resize(value_count(graph));
  for (const ValueId id : options.watched) {
    static_cast<void>(graph.value(id));  // throws for an id that is none
    program.watched[index(id)] = true;
  }
  remove_unneeded(graph, program.watched);
  check_operators(graph);
  fold_constants(graph, options, /*dequantize=*/false);
  lower_to_integers(graph, program.watched, options.arithmetic);
  program.watched.resize(value_count(graph));  // lowering adds constants
  program.watched.resize(value_count(graph));  // lowering adds values
  remove_unneeded(graph, program.watched);
  fold_constants(graph, options, /*dequantize=*/true);
  fuse_nodes(graph, program.watched);

  program.value_count = value_count(graph);
  program.watched.resize(program.value_count);
  program.held.resize(program.value_count);
  program.readers.resize(program.value_count);
  for (const NodeId id : graph.nodes()) {
    program.steps.push_back(compile_step(graph, id, options.arithmetic));
    for (const ValueId input : program.steps.back().inputs) {
      if (input != kNoValue) ++program.readers[index(input)];
    }
  }
  add_values(graph, program.watched, program);
  return program;
}

}  // namespace octavo::execute
