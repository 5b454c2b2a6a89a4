#include <fmt/format.h>

#include "planner.h"

namespace octavo::planning {

/// The operand of a sum that no weighted operator computes for it alone, where one computes the other; kNoValue where
/// there is no such pair of operands. Of two the second counts as the branch.
ValueId Planner::skip_branch(NodeId id) const {
  const Node& node = graph_.node(id);
  for (const std::size_t i : {0, 1}) {
    const ValueId sums = node.input(i);
    const ValueId branch = node.input(1 - i);
    if (sums == kNoValue || branch == kNoValue || graph_.value(sums).dims != graph_.value(branch).dims) continue;
    const NodeId producer = graph_.producer(sums);
    if (producer == kNoNode || rule_of(producer) == nullptr || rule_of(producer)->role != OpRole::weighted) continue;
    if (graph_.use_count(sums) != 1 || graph_.is_output(sums) || graph_.is_captured(sums)) continue;
    // What is against a weighted operator lies in itself and its inputs: it may not have been decided yet.
    if (reason_against_node(producer).empty()) return branch;
  }
  return kNoValue;
}

std::string Planner::reason_against_residual(NodeId id) const {
  const ValueId branch = skip_branch(id);
  if (branch == kNoValue) return "no integer operator before it to fuse into";
  if (!is_kept_float(branch)) return {};
  return fmt::format("'{}' stays in float, as the configuration has it", graph_.value(branch).name);
}

}  // namespace octavo::planning
