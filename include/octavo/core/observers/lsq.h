#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/bytes.h"
#include "octavo/core/channels.h"
#include "octavo/core/kernels.h"
#include "octavo/core/require.h"
#include "octavo/core/statistics.h"
#include "octavo/core/uniform_quantization_observer.h"

namespace octavo {

/// Where learned step sizes start (Esser et al., Learned Step Size Quantization, 2020), as MMRazor computes it: the
/// scale is 2 · mean|x| / sqrt(quant_max) of the last batch, the zero point that of the range of all. Keeps 20 bytes a
/// picture and channel. Statistics hold mean|x| to a bin only, so it cannot be restored from them.
class LSQObserverBase : public UniformQuantizationObserverBase {
 public:
  /// One scale for the tensor (kPerTensor) or for each index of `axis`; a batch is `batch_size` pictures in a row.
  LSQObserverBase(int axis, const Kernels& kernels, std::size_t batch_size)
      : axis_(axis), kernels_(&kernels), batch_size_(batch_size) {
    OCTAVO_REQUIRE(batch_size > 0, "a batch of at least one picture");
  }

  std::unique_ptr<Summary> summarize(const TensorView& x) const final {
    auto summary = std::make_unique<Channels>();
    const ChannelLayout layout = channel_layout(x.shape(), axis_);
    const auto values = x.data<float>();
    for (std::size_t c = 0; c < layout.channels; ++c) {
      PictureStatistics& channel = summary->statistics.emplace_back();
      double sum = 0.0;
      for (std::size_t o = 0; o < layout.outer; ++o) {
        const auto run = values.subspan(layout.offset(o, c), layout.inner);
        channel.range = channel.range.joined(kernels_->min_max_f32(run.data(), run.size()));
        add_magnitudes(run, sum, channel.count);
      }
      if (channel.count > 0) channel.mean_magnitude = static_cast<float>(sum / static_cast<double>(channel.count));
    }
    return summary;
  }
  void fold(const Summary& summary) final { pictures_.push_back(static_cast<const Channels&>(summary).statistics); }
  void merge(const ObserverBase& later) final {
    const auto& others = static_cast<const LSQObserverBase&>(later).pictures_;
    pictures_.insert(pictures_.end(), others.begin(), others.end());
  }

  bool by_channel() const final { return axis_ != QScheme::kPerTensor; }
  ChannelRanges ranges(const QScheme&) const final {
    ChannelRanges joined;
    for (const auto& picture : pictures_) {
      joined.resize(std::max(joined.size(), picture.size()));
      for (std::size_t c = 0; c < picture.size(); ++c) joined[c] = joined[c].joined(picture[c].range);
    }
    return joined;
  }

  QParams compute_qparams(const QScheme& scheme) const final {
    QParams params = UniformQuantizationObserverBase::compute_qparams(scheme);
    const bool together = params.axis == QScheme::kPerTensor;
    const float divisor = std::sqrt(static_cast<float>(params.quant_max));
    for (std::size_t c = 0; c < params.scale.size(); ++c) {
      const Mean mean = last_batch(c, together);
      if (mean.count == 0) continue;
      const auto value = static_cast<float>(mean.sum / static_cast<double>(mean.count));
      const double in_double = 2.0 * double{value} / double{divisor};
      params.scale[c] = detail::positive_scale(2.0F * value / divisor, in_double, scheme);
    }
    return params;
  }

  void save(std::vector<std::byte>& out) const final {
    core::ByteWriter writer(out);
    for (const auto& picture : pictures_) {
      writer.u64(picture.size());
      for (const PictureStatistics& channel : picture) {
        writer.range(channel.range);
        writer.f32(channel.mean_magnitude);
        writer.u64(channel.count);
      }
    }
  }
  bool load(std::span<const std::byte> bytes) final {
    constexpr std::size_t kChannelBytes = 20;
    core::ByteReader in(bytes);
    std::vector<std::vector<PictureStatistics>> pictures;
    while (in.left() > 0) {
      const std::uint64_t channels = in.u64();
      if (channels > in.left() / kChannelBytes) return false;
      auto& picture = pictures.emplace_back(static_cast<std::size_t>(channels));
      for (PictureStatistics& channel : picture) {
        channel.range = in.range();
        channel.mean_magnitude = in.f32();
        channel.count = in.u64();
        const bool sound = channel.mean_magnitude >= 0.0F && std::isfinite(channel.mean_magnitude);
        if (!sound || !core::plausible(channel.range)) return false;
      }
    }
    if (!in.complete()) return false;
    pictures_ = std::move(pictures);
    return true;
  }

 private:
  struct Channels final : Summary {
    std::vector<PictureStatistics> statistics;
  };
  struct Mean {
    double sum = 0.0;
    std::uint64_t count = 0;
  };

  static void add_magnitudes(std::span<const float> x, double& sum, std::uint64_t& count) {
    constexpr float kLargest = std::numeric_limits<float>::max();
    for (const float v : x) {
      if (std::isnan(v)) continue;
      sum += double{std::min(std::fabs(v), kLargest)};
      ++count;
    }
  }

  /// Of one channel, or of all `together`.
  Mean last_batch(std::size_t channel, bool together) const {
    Mean mean;
    const std::size_t first = pictures_.empty() ? 0 : (pictures_.size() - 1) / batch_size_ * batch_size_;
    for (std::size_t i = first; i < pictures_.size(); ++i) {
      const std::span<const PictureStatistics> all = pictures_[i];
      const auto these = together ? all : channel < all.size() ? all.subspan(channel, 1) : all.first(0);
      for (const PictureStatistics& seen : these) {
        mean.sum += double{seen.mean_magnitude} * static_cast<double>(seen.count);
        mean.count += seen.count;
      }
    }
    return mean;
  }

  int axis_;
  const Kernels* kernels_;
  std::size_t batch_size_;
  std::vector<std::vector<PictureStatistics>> pictures_;  // of each picture, its channels
};

/// MMRazor's LSQObserver.
class LSQObserver final : public LSQObserverBase {
 public:
  explicit LSQObserver(const Kernels& kernels = plain_kernels(), std::size_t batch_size = 1)
      : LSQObserverBase(QScheme::kPerTensor, kernels, batch_size) {}
};

/// MMRazor's LSQPerChannelObserver.
class LSQPerChannelObserver final : public LSQObserverBase {
 public:
  explicit LSQPerChannelObserver(int axis = 0, const Kernels& kernels = plain_kernels(), std::size_t batch_size = 1)
      : LSQObserverBase(axis, kernels, batch_size) {}
};

}  // namespace octavo
