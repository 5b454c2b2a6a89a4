#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "octavo/calibrate.h"

namespace octavo::calibration {

/// Bins of every histogram that is kept, for each sign: fewer for channels, of which there are thousands.
constexpr int kBins = 4096;
constexpr int kChannelBins = 2048;

inline int bins_for(int axis) { return axis == QScheme::kPerTensor ? kBins : kChannelBins; }

/// The plan's observer for an activation, as it looks at activations.
std::unique_ptr<ObserverBase> make_observer(const ActivationPlan& activation);
/// Whether that observer's state follows from TensorStatistics, so that nothing else need be kept for it.
bool follows_from_statistics(const ActivationPlan& activation);

/// What one sample's tensor adds to a planned activation.
struct ValueLook {
  std::vector<TensorStatistics> tensors;
  std::unique_ptr<Summary> summary;
};

/// Gathers ValueStatistics of one planned activation: `look` on any thread, the others on one, in order of samples.
class ValueCollector {
 public:
  ValueCollector(const ActivationPlan& activation, bool for_any_observer);
  ValueLook look(const TensorView& x) const;
  void fold(ValueLook look);
  /// Goes on from what was saved; false where that is of another kind.
  bool resume(ValueStatistics begun);
  ValueStatistics statistics() const;
  bool has_own_state() const { return observer_ != nullptr; }

 private:
  std::string_view observer_name_;
  std::unique_ptr<ObserverBase> observer_;  ///< where its state does not follow from statistics
  bool keeps_statistics_;
  ValueStatistics gathered_;
};

}  // namespace octavo::calibration
