#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/bytes.h"
#include "octavo/core/channels.h"
#include "octavo/core/statistics.h"
#include "octavo/core/uniform_quantization_observer.h"

namespace octavo {

struct PerChannelSummary final : Summary {
  std::vector<std::unique_ptr<Summary>> channels;
};

/// Makes any observer whose parameters follow from ranges one per channel: it looks at each index of a dimension with
/// an observer of its own.
class PerChannelObserver final : public UniformQuantizationObserverBase {
 public:
  using Make = std::function<std::unique_ptr<UniformQuantizationObserverBase>()>;

  PerChannelObserver(Make make, int axis) : make_(std::move(make)), axis_(axis), reader_(make_()) {}

  std::unique_ptr<Summary> summarize(const TensorView& x) const override {
    auto summary = std::make_unique<PerChannelSummary>();
    const ChannelLayout layout = channel_layout(x.shape(), axis_);
    const float* values = x.data<float>().data();
    const Shape shape = {static_cast<std::int64_t>(layout.outer * layout.inner)};
    std::vector<float> gathered(layout.outer == 1 ? 0 : layout.outer * layout.inner);
    for (std::size_t c = 0; c < layout.channels; ++c) {
      const float* channel = values + layout.offset(0, c);
      if (layout.outer != 1) {
        for (std::size_t o = 0; o < layout.outer; ++o) {
          std::copy_n(values + layout.offset(o, c), layout.inner, gathered.data() + o * layout.inner);
        }
        channel = gathered.data();
      }
      summary->channels.push_back(reader_->summarize(TensorView(shape, channel)));
    }
    return summary;
  }
  /// Where pictures differ in their number of channels, the larger number holds.
  void fold(const Summary& summary) override {
    const auto& channels = static_cast<const PerChannelSummary&>(summary).channels;
    grow_to(channels.size());
    for (std::size_t c = 0; c < channels.size(); ++c) channels_[c]->fold(*channels[c]);
  }
  void merge(const ObserverBase& later) override {
    const auto& others = static_cast<const PerChannelObserver&>(later).channels_;
    grow_to(others.size());
    for (std::size_t c = 0; c < others.size(); ++c) channels_[c]->merge(*others[c]);
  }

  ChannelRanges ranges(const QScheme& scheme) const override {
    ChannelRanges all;
    for (const auto& channel : channels_) {
      const ChannelRanges own = channel->ranges(scheme);
      all.push_back(own.empty() ? Range{} : own.front());
    }
    return all;
  }

  bool by_channel() const override { return true; }

  /// Takes an entry for each channel.
  bool restore(std::span<const TensorStatistics> statistics) override {
    if (statistics.empty()) return false;
    std::vector<std::unique_ptr<UniformQuantizationObserverBase>> restored;
    for (std::size_t c = 0; c < statistics.size(); ++c) {
      if (!restored.emplace_back(make_())->restore(statistics.subspan(c, 1))) return false;
    }
    channels_ = std::move(restored);
    return true;
  }

  void save(std::vector<std::byte>& out) const override {
    for (const auto& channel : channels_) {
      std::vector<std::byte> state;
      channel->save(state);
      core::ByteWriter(out).u64(state.size());
      out.insert(out.end(), state.begin(), state.end());
    }
  }
  bool load(std::span<const std::byte> bytes) override {
    std::vector<std::unique_ptr<UniformQuantizationObserverBase>> loaded;
    while (!bytes.empty()) {
      core::ByteReader in(bytes);
      const std::uint64_t size = in.u64();
      if (bytes.size() < 8 || size > in.left()) return false;
      bytes = bytes.subspan(bytes.size() - in.left());
      if (!loaded.emplace_back(make_())->load(bytes.first(static_cast<std::size_t>(size)))) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
    channels_ = std::move(loaded);
    return true;
  }

 private:
  void grow_to(std::size_t channels) {
    while (channels_.size() < channels) channels_.push_back(make_());
  }

  Make make_;
  int axis_;
  std::unique_ptr<UniformQuantizationObserverBase> reader_;  // summarizes only
  std::vector<std::unique_ptr<UniformQuantizationObserverBase>> channels_;
};

}  // namespace octavo
