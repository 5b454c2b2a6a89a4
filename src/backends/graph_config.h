#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "octavo/backends.h"
#include "octavo/graph.h"
#include "octavo/qconfig.h"
#include "tensor_choice.h"

namespace octavo::planning {

/// A configuration seen from one graph: what holds for each node and value.
class GraphConfig {
 public:
  /// Throws as make_plan does for the configuration and its names.
  GraphConfig(const Graph& graph, const BackendSpec& backend, const QConfig& config);

  /// Why the user wants the node in float; empty where he does not.
  std::string reason_to_skip(NodeId id) const;

  TensorChoice weight_of(NodeId id) const;
  WeightMethodEntry weight_method_of(NodeId id) const;

  /// How a value is quantized that `writers` compute, an operator and the activation fused into it; none: an input.
  TensorChoice activation_of(ValueId id, std::span<const NodeId> writers) const;
  /// Whether an override speaks of it.
  bool overrides_activation(ValueId id, std::span<const NodeId> writers) const;
  /// Whether its observer has no parameters to give.
  bool keeps_float(ValueId id, std::span<const NodeId> writers) const;

  bool full_range_weights() const { return config_.full_range_weights; }
  const Extensions& extensions() const { return config_.extensions; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  using Indices = std::vector<std::size_t>;  // of overrides, in their order
  void match_override(std::size_t index);
  void match_skip(NodeId id, const QOverride& over);
  void skip(NodeId id, std::string reason) { skipped_.insert_or_assign(id, std::move(reason)); }
  Indices activation_overrides(ValueId id, std::span<const NodeId> writers) const;
  std::string where(const Indices& indices) const;

  const Graph& graph_;
  const BackendSpec& backend_;
  const QConfig& config_;
  std::map<NodeId, Indices> by_node_;
  std::map<ValueId, Indices> by_input_;
  std::map<NodeId, std::string> skipped_;
  std::vector<std::string> notes_;
  TensorChoice activation_;  // where no override speaks
  TensorChoice weight_;
};

}  // namespace octavo::planning
