#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/bytes.h"
#include "octavo/core/observers/channel_ranges.h"
#include "octavo/core/observers/moving_average_min_max.h"
#include "octavo/core/statistics.h"
#include "octavo/core/uniform_quantization_observer.h"

namespace octavo {

/// Moving average of each batch's range of every index of a dimension: PyTorch's
/// MovingAveragePerChannelMinMaxObserver. Keeps all ranges, 8 bytes a picture and channel, for the reason
/// given at MovingAverageMinMaxObserver.
class MovingAveragePerChannelMinMaxObserver final : public UniformQuantizationObserverBase {
 public:
  explicit MovingAveragePerChannelMinMaxObserver(double averaging_constant = 0.01, int axis = 0,
                                                 const Kernels& kernels = plain_kernels(), std::size_t batch_size = 1)
      : constant_(static_cast<float>(averaging_constant)), axis_(axis), batch_size_(batch_size), kernels_(&kernels) {
    OCTAVO_REQUIRE(batch_size > 0, "a batch of at least one picture");
  }

  std::unique_ptr<Summary> summarize(const TensorView& x) const override {
    auto summary = std::make_unique<ChannelRangesSummary>();
    summary->ranges = channel_ranges(x, axis_, *kernels_);
    return summary;
  }
  void fold(const Summary& summary) override {
    pictures_.push_back(static_cast<const ChannelRangesSummary&>(summary).ranges);
  }
  void merge(const ObserverBase& later) override {
    const auto& others = static_cast<const MovingAveragePerChannelMinMaxObserver&>(later).pictures_;
    pictures_.insert(pictures_.end(), others.begin(), others.end());
  }

  /// Where pictures differ in their number of channels, the largest number holds.
  ChannelRanges ranges(const QScheme&) const override {
    std::size_t channels = 0;
    for (const ChannelRanges& picture : pictures_) channels = std::max(channels, picture.size());
    ChannelRanges averages;
    for (std::size_t c = 0; c < channels; ++c) {
      averages.push_back(averaged(pictures_.size(), batch_size_, constant_,
                                  [&](std::size_t i) { return c < pictures_[i].size() ? pictures_[i][c] : Range{}; }));
    }
    return averages;
  }

  bool by_channel() const override { return true; }

  bool restore(std::span<const TensorStatistics> statistics) override {
    if (statistics.empty()) return false;
    std::vector<ChannelRanges> pictures;
    for (std::size_t c = 0; c < statistics.size(); ++c) {
      const auto seen = statistics[c].pictures();
      pictures.resize(std::max(pictures.size(), seen.size()));
      for (std::size_t i = 0; i < seen.size(); ++i) {
        pictures[i].resize(statistics.size());
        pictures[i][c] = seen[i].range;
      }
    }
    pictures_ = std::move(pictures);
    return true;
  }

  void save(std::vector<std::byte>& out) const override {
    core::ByteWriter writer(out);
    for (const ChannelRanges& picture : pictures_) {
      writer.u64(picture.size());
      core::write_ranges(writer, picture);
    }
  }
  bool load(std::span<const std::byte> bytes) override {
    core::ByteReader in(bytes);
    std::vector<ChannelRanges> pictures;
    while (in.left() > 0) {
      const std::uint64_t channels = in.u64();
      if (!core::read_ranges(in, channels, pictures.emplace_back())) return false;
    }
    if (!in.complete()) return false;
    pictures_ = std::move(pictures);
    return true;
  }

 private:
  float constant_;
  int axis_;
  std::size_t batch_size_;
  const Kernels* kernels_;
  std::vector<ChannelRanges> pictures_;
};

}  // namespace octavo
