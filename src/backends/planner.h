#pragma once

#include <string>
#include <vector>

#include "octavo/backends.h"
#include "octavo/graph.h"
#include "octavo/plan.h"

namespace octavo::planning {

/// Walks a graph once and decides, for one backend, which nodes run in integers and which values they need
/// quantized. make_plan and explain_plan read the same walk.
class Planner {
 public:
  Planner(const Graph& graph, const BackendSpec& backend);

  Plan plan() const;
  const std::vector<NodeSupport>& support() const { return support_; }

 private:
  void mark_nodes_before_weights();
  void visit_weighted(NodeId id, const OpRule& rule);
  void visit_follower(NodeId id, const OpRule& rule);
  std::string reason_against_follower(NodeId id, const OpRule& rule) const;
  void fuse_activation(NodeId id);
  ValueId result_of(NodeId id) const;
  void quantize(ValueId id) { quantized_[static_cast<std::size_t>(id)] = true; }
  bool is_quantized(ValueId id) const { return id != kNoValue && quantized_[static_cast<std::size_t>(id)]; }
  void share(ValueId a, ValueId b);
  ValueId group_of(ValueId id) const;

  const Graph& graph_;
  const BackendSpec& backend_;
  std::vector<NodeId> order_;
  std::vector<bool> before_weight_;   // by node: a weighted integer node is reachable from its outputs
  std::vector<bool> integer_;         // by node
  std::vector<NodeId> fused_into_;    // by node: the operator an activation is fused into
  std::vector<bool> quantized_;       // by value
  std::vector<ValueId> shares_with_;  // by value: union-find towards the group's first value
  std::vector<NodeSupport> support_;
};

}  // namespace octavo::planning
