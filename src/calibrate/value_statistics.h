#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/calibrate.h"

namespace octavo::calibration {

/// Bins of every histogram that is kept, for each sign: fewer for channels, of which there are thousands.
constexpr int kBins = 4096;
constexpr int kChannelBins = 2048;

inline int bins_for(int axis) { return axis == QScheme::kPerTensor ? kBins : kChannelBins; }

/// The plan's observer for an activation, as it looks at activations; one that is shown so many in each sample takes
/// as many for one of its batches.
std::unique_ptr<ObserverBase> make_observer(const ActivationPlan& activation, std::size_t shown = 1);
/// Whether that observer's state follows from TensorStatistics, so that nothing else need be kept for it.
bool follows_from_statistics(const ActivationPlan& activation);

/// Values of the plan's groups, by group: what an observer of the whole group is shown, in the order in which the graph
/// computes them. A value that an operator has put together from others adds nothing to these.
std::map<int, std::vector<ValueId>> shown_values(const Graph& graph, const Plan& plan);

/// An observer whose state does not follow from statistics: one for all values of a group.
struct GroupObserver {
  std::shared_ptr<ObserverBase> observer;
  std::vector<std::string> shown;
};

/// What one sample's tensor adds to a planned activation.
struct ValueLook {
  std::vector<TensorStatistics> tensors;
  std::unique_ptr<Summary> summary;
};

/// Gathers ValueStatistics of one planned activation: `look` on any thread, the others on one, in order of samples.
class ValueCollector {
 public:
  /// `group` has no observer where statistics are enough. One value of a group `keeps_state`.
  ValueCollector(const ActivationPlan& activation, bool for_any_observer, GroupObserver group, bool keeps_state);
  ValueLook look(const TensorView& x) const;
  void fold(ValueLook look);
  /// Goes on from what was saved; false where that is of another kind.
  bool resume(ValueStatistics begun);
  ValueStatistics statistics() const;
  bool has_own_state() const { return group_.observer != nullptr; }

 private:
  /// What is written beside the statistics.
  std::string_view state_of() const { return keeps_state_ ? observer_name_ : std::string_view(); }

  std::string_view observer_name_;
  GroupObserver group_;
  bool keeps_state_;
  bool is_shown_;
  bool keeps_statistics_;
  ValueStatistics gathered_;
};

}  // namespace octavo::calibration
