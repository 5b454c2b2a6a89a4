#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/bytes.h"
#include "octavo/core/observers/channel_ranges.h"
#include "octavo/core/observers/moving_average_min_max.h"

namespace octavo {

/// Moving average of each picture's range of every index of a dimension: PyTorch's
/// MovingAveragePerChannelMinMaxObserver. Keeps all ranges, 8 bytes a picture and channel, for the reason
/// given at MovingAverageMinMaxObserver.
class MovingAveragePerChannelMinMaxObserver final : public ObserverBase {
 public:
  explicit MovingAveragePerChannelMinMaxObserver(double averaging_constant = 0.01, int axis = 0,
                                                 const Kernels& kernels = plain_kernels())
      : constant_(static_cast<float>(averaging_constant)), axis_(axis), kernels_(&kernels) {}

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

  QParams compute_qparams(const QScheme& scheme) const override {
    ChannelRanges averages;
    for (const ChannelRanges& picture : pictures_) {
      if (averages.size() < picture.size()) averages.resize(picture.size());
      for (std::size_t c = 0; c < picture.size(); ++c) {
        averages[c] = moved_average(averages[c], picture[c], constant_);
      }
    }
    return qparams_from_channels(averages, scheme);
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
  const Kernels* kernels_;
  std::vector<ChannelRanges> pictures_;
};

}  // namespace octavo
