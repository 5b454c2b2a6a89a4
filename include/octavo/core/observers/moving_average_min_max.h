#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/bytes.h"
#include "octavo/core/kernels.h"
#include "octavo/core/observer.h"
#include "octavo/core/observers/min_max.h"

namespace octavo {

/// One step of PyTorch's moving average, in its order of float operations; the first range is taken as it is.
inline Range moved_average(const Range& average, const Range& next, float constant) {
  if (next.empty()) return average;
  if (average.empty()) return next;
  return {average.min + constant * (next.min - average.min), average.max + constant * (next.max - average.max)};
}

/// Moving average of each picture's smallest and largest value, in picture order: PyTorch's
/// MovingAverageMinMaxObserver. The state is the list of ranges, 8 bytes a picture: rounding makes the average
/// depend on its grouping, so only the list can be merged to the same bit.
class MovingAverageMinMaxObserver final : public ObserverBase {
 public:
  explicit MovingAverageMinMaxObserver(double averaging_constant = 0.01, const Kernels& kernels = plain_kernels())
      : constant_(static_cast<float>(averaging_constant)), kernels_(&kernels) {}

  std::unique_ptr<Summary> summarize(const TensorView& x) const override {
    auto summary = std::make_unique<RangeSummary>();
    const auto values = x.data<float>();
    summary->range = kernels_->min_max_f32(values.data(), values.size());
    return summary;
  }
  void fold(const Summary& summary) override { ranges_.push_back(static_cast<const RangeSummary&>(summary).range); }
  void merge(const ObserverBase& later) override {
    const auto& others = static_cast<const MovingAverageMinMaxObserver&>(later).ranges_;
    ranges_.insert(ranges_.end(), others.begin(), others.end());
  }

  QParams compute_qparams(const QScheme& scheme) const override {
    Range average;
    for (const Range& range : ranges_) average = moved_average(average, range, constant_);
    return qparams_from_range(average, scheme);
  }

  void save(std::vector<std::byte>& out) const override {
    core::ByteWriter writer(out);
    core::write_ranges(writer, ranges_);
  }
  bool load(std::span<const std::byte> bytes) override {
    core::ByteReader in(bytes);
    std::vector<Range> ranges;
    if (!core::read_ranges(in, in.left() / 8, ranges) || !in.complete()) return false;
    ranges_ = std::move(ranges);
    return true;
  }

 private:
  float constant_;
  const Kernels* kernels_;
  std::vector<Range> ranges_;
};

}  // namespace octavo
