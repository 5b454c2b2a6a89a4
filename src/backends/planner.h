#pragma once

#include <set>
#include <string>
#include <vector>

#include "graph_config.h"
#include "notes.h"
#include "octavo/backends.h"
#include "octavo/graph.h"
#include "octavo/plan.h"

namespace octavo::planning {

/// Decides, for one backend, which nodes run in integers and which values they need quantized; make_plan and
/// explain_plan read the same decisions.
///
/// Weighted operators run in integers wherever they can: that is where time and size go. Everything between
/// them does so only where integers come out of it into integer operators alone. An Add that feeds a float
/// operator would cost accuracy twice, rounding its inputs and its output, and save nothing.
///
/// planner.cc decides where integers run, plan_activations.cc and plan_weights.cc by which schemes.
class Planner {
 public:
  Planner(const Graph& graph, const BackendSpec& backend, const QConfig& config);

  Plan plan() const;
  std::vector<NodeSupport> support() const;

 private:
  struct Group;
  struct ActivationNotes;

  bool is_integer(NodeId id) const { return integer_[static_cast<std::size_t>(id)]; }
  void mark_integer(NodeId id) { integer_[static_cast<std::size_t>(id)] = true; }
  const OpRule* rule_of(NodeId id) const { return rules_[static_cast<std::size_t>(id)]; }
  std::vector<NodeId> writers_of(ValueId id) const;
  void find_kept_floats();
  bool is_kept_float(ValueId id) const { return id != kNoValue && kept_float_[static_cast<std::size_t>(id)]; }
  std::string reason_against_node(NodeId id) const;
  std::string reason_against_operator(NodeId id) const;
  std::string reason_against_kept_floats(NodeId id) const;
  std::string reason_against_readers(ValueId result) const;
  ValueId skip_branch(NodeId id) const;
  std::string reason_against_residual(NodeId id) const;
  bool reads_integers(NodeId reader, ValueId value) const;
  ValueId result_of(NodeId id) const;
  void drop_unfed_movers();
  void mark_reaching();
  void quantize_around(NodeId id);
  void quantize(ValueId id);
  void join(const Node& node);
  void find_rectified();
  bool is_rectified(ValueId id) const { return id != kNoValue && rectified_[static_cast<std::size_t>(id)]; }
  void share(ValueId a, ValueId b);
  ValueId group_of(ValueId id) const;
  void flatten_groups();
  bool integer_producer(ValueId id) const;
  bool adds_values(ValueId id) const;

  bool wants_exact_range(ValueId id) const;
  bool meets_observer_rule(ValueId id) const;
  bool may_be_per_channel(ValueId id) const;
  void add_to_group(ValueId id, Group& group) const;
  ActivationPlan activation_plan(const Group& group, ActivationNotes& told) const;
  void plan_activations(Plan& plan, Notes& notes) const;

  bool has_integer_weight(NodeId id) const;
  QScheme weight_scheme(NodeId id, const TensorChoice& choice, Notes& notes) const;
  void plan_weight(NodeId id, const std::set<ValueId>& with_one_scale, Plan& plan, Notes& notes) const;

  const Graph& graph_;
  const BackendSpec& backend_;
  GraphConfig config_;
  std::vector<NodeId> order_;
  std::vector<const OpRule*> rules_;   // by node; null where it has none
  std::vector<bool> integer_;          // by node
  std::vector<NodeId> fused_into_;     // by node: the operator an activation is fused into
  std::vector<std::string> reasons_;   // by node: why it is not integer
  std::vector<bool> reaches_integer_;  // by value: some integer node depends on it
  std::vector<bool> kept_float_;       // by value: the user wants no parameters for it
  std::vector<bool> quantized_;        // by value
  std::vector<bool> rectified_;        // by value: no element is negative
  std::vector<ValueId> shares_with_;   // by value: towards the group's first value, which it is in the end
};

}  // namespace octavo::planning
