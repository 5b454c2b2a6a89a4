#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/bytes.h"
#include "octavo/core/observers/channel_ranges.h"
#include "octavo/core/statistics.h"
#include "octavo/core/uniform_quantization_observer.h"

namespace octavo {

/// Smallest and largest value of each index of a dimension over all pictures: PyTorch's
/// PerChannelMinMaxObserver.
class PerChannelMinMaxObserver final : public UniformQuantizationObserverBase {
 public:
  explicit PerChannelMinMaxObserver(int axis = 0, const Kernels& kernels = plain_kernels())
      : axis_(axis), kernels_(&kernels) {}

  std::unique_ptr<Summary> summarize(const TensorView& x) const override {
    auto summary = std::make_unique<ChannelRangesSummary>();
    summary->ranges = channel_ranges(x, axis_, *kernels_);
    return summary;
  }
  void fold(const Summary& summary) override { join(static_cast<const ChannelRangesSummary&>(summary).ranges); }
  void merge(const ObserverBase& later) override { join(static_cast<const PerChannelMinMaxObserver&>(later).ranges_); }

  ChannelRanges ranges(const QScheme&) const override { return ranges_; }

  bool by_channel() const override { return true; }

  bool restore(std::span<const TensorStatistics> statistics) override {
    if (statistics.empty()) return false;
    ranges_.clear();
    for (const TensorStatistics& channel : statistics) ranges_.push_back(channel.histogram().range());
    return true;
  }

  void save(std::vector<std::byte>& out) const override {
    core::ByteWriter writer(out);
    core::write_ranges(writer, ranges_);
  }
  bool load(std::span<const std::byte> bytes) override {
    core::ByteReader in(bytes);
    ChannelRanges ranges;
    if (!core::read_ranges(in, in.left() / 8, ranges) || !in.complete()) return false;
    ranges_ = std::move(ranges);
    return true;
  }

 private:
  /// Where pictures differ in their number of channels, the larger number holds.
  void join(const ChannelRanges& others) {
    if (ranges_.size() < others.size()) ranges_.resize(others.size());
    for (std::size_t c = 0; c < others.size(); ++c) ranges_[c] = ranges_[c].joined(others[c]);
  }

  int axis_;
  const Kernels* kernels_;
  ChannelRanges ranges_;
};

}  // namespace octavo
