#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "octavo/error.h"
#include "octavo/passes.h"
#include "opset_upgrades.h"

namespace octavo {
namespace passes {

ValueId add_integers(Graph& graph, const std::string& base, const std::vector<std::int64_t>& values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return graph.add_constant(graph.unique_value_name(base),
                            Tensor::from<std::int64_t>({count}, std::span<const std::int64_t>(values)));
}

std::string base_name(const Graph& graph, NodeId id, std::string_view input) {
  const ValueId output = graph.node(id).output(0);
  return fmt::format("{}_{}", output == kNoValue ? graph.node(id).op_type : graph.value(output).name, input);
}

void erase_attribute(Graph& graph, NodeId id, std::string_view attribute) {
  auto& attributes = graph.mutable_node(id).attributes;
  if (const auto found = attributes.find(attribute); found != attributes.end()) attributes.erase(found);
}

void list_to_input(Graph& graph, NodeId id, std::string_view attribute, std::size_t index) {
  const Node& node = graph.node(id);
  if (!node.has(attribute)) return;
  const auto values = node.ints_or(attribute, {});
  std::vector<ValueId> inputs = node.inputs;
  inputs.resize(std::max(inputs.size(), index + 1), kNoValue);
  inputs[index] = add_integers(graph, base_name(graph, id, attribute), values);
  graph.set_inputs_of(id, std::move(inputs));
  erase_attribute(graph, id, attribute);
}

}  // namespace passes

namespace {

/// The newest version whose changes are known.
constexpr std::int64_t kNewest = 21;

/// Operators with graphs inside, whose operators this pass does not see.
constexpr std::array<std::string_view, 4> kNotFollowed{"Scan", "Loop", "If", "SequenceMap"};

void upgrade_node(Graph& graph, NodeId id, std::int64_t opset) {
  const std::int64_t from = graph.opset();
  const auto& not_followed = kNotFollowed;
  if (std::find(not_followed.begin(), not_followed.end(), graph.node(id).op_type) != not_followed.end()) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: cannot be taken from opset {} to {}; export the model anew with opset {} or later",
                            describe(graph, id), from, opset, opset));
  }
  for (const auto table : {passes::upgrades_to_13(), passes::upgrades_to_21()}) {
    for (const passes::OpsetUpgrade& upgrade : table) {
      const bool applies = upgrade.op_type == graph.node(id).op_type && from < upgrade.version;
      if (applies && upgrade.version <= opset) upgrade.apply(graph, id);
    }
  }
}

}  // namespace

void upgrade_opset(Graph& graph, std::int64_t opset) {
  if (graph.opset() >= opset) return;
  if (opset > kNewest) {
    throw Error(ErrorCode::internal, fmt::format("opset {} was asked for; changes are known up to {}", opset, kNewest));
  }
  Graph upgraded = graph;
  infer_shapes(upgraded);
  for (const NodeId id : upgraded.nodes()) {
    if (upgraded.node(id).domain.empty()) upgrade_node(upgraded, id, opset);
  }
  upgraded.opsets[""] = opset;
  upgraded.sort();
  infer_shapes(upgraded);
  graph = std::move(upgraded);
}

}  // namespace octavo
