#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "octavo/graph.h"

namespace octavo::passes {

/// Which channels (indices of dimension 1) of which values must be scaled by the same factor, if by any, for a
/// graph to compute the same: channel c before and behind a Relu, channel c of all operands of an Add …
/// Operators with weights separate classes, because their weights can undo any factor.
class ChannelClasses {
 public:
  explicit ChannelClasses(const Graph& graph);

  /// Channels of a value; 0 where it has none that are known, and for values added since.
  std::size_t channels(ValueId id) const {
    return static_cast<std::size_t>(id) < counts_.size() ? counts_[static_cast<std::size_t>(id)] : 0;
  }
  /// The class of a channel, as the index of one of its members.
  std::size_t class_of(ValueId id, std::size_t channel) const;
  /// Whether the factor must stay 1: someone outside, or an operator that is not homogeneous, sees the values.
  bool fixed(std::size_t klass) const { return fixed_[klass]; }
  std::size_t size() const { return parent_.size(); }

 private:
  void visit(const Node& node);
  bool tie_elementwise(const Node& node);
  bool tie_concat(const Node& node);
  bool tie_flatten(const Node& node);
  bool tie_slice(const Node& node);
  bool tie_pad(const Node& node);
  void tie(ValueId a, std::size_t channel_a, ValueId b, std::size_t channel_b);
  bool tie_all(ValueId a, ValueId b);
  void fix(ValueId id);

  const Graph& graph_;
  std::vector<std::size_t> counts_;  // by value
  std::vector<std::size_t> first_;   // by value: index of its channel 0
  std::vector<std::size_t> parent_;  // union-find
  std::vector<bool> fixed_;          // by class
};

/// Whether an operator's weights can take factors of its input's and output's channels in: a constant f32
/// weight, and a bias that is constant or left out.
bool absorbs_factors(const Graph& graph, const Node& node);

}  // namespace octavo::passes
