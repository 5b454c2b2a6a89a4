#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/bytes.h"
#include "octavo/core/statistics.h"
#include "octavo/core/uniform_quantization_observer.h"

namespace octavo {

struct PictureSummary final : Summary {
  PictureStatistics picture;
};

/// What observers have in common whose range follows from a few numbers of each picture, kept in picture order: sums of
/// floats depend on their grouping, so only the list can be merged to the same bit.
class PicturesObserver : public UniformQuantizationObserverBase {
 public:
  explicit PicturesObserver(const Kernels& kernels) : kernels_(&kernels) {}

  std::unique_ptr<Summary> summarize(const TensorView& x) const final {
    auto summary = std::make_unique<PictureSummary>();
    const auto values = x.data<float>();
    if (needs_magnitudes()) {
      Histogram histogram(TensorStatistics::kBins);
      histogram.add(values, *kernels_);
      summary->picture = picture_statistics(histogram);
    } else {
      summary->picture.range = kernels_->min_max_f32(values.data(), values.size());
      summary->picture.count =
          static_cast<std::uint64_t>(std::count_if(values.begin(), values.end(), [](float v) { return v == v; }));
    }
    return summary;
  }
  void fold(const Summary& summary) final { pictures_.push_back(static_cast<const PictureSummary&>(summary).picture); }
  void merge(const ObserverBase& later) final {
    const auto& others = static_cast<const PicturesObserver&>(later).pictures_;
    pictures_.insert(pictures_.end(), others.begin(), others.end());
  }

  ChannelRanges ranges(const QScheme& scheme) const final { return {range_of(pictures_, scheme)}; }

  /// Channels join, except where means are asked for: those of channels do not give the tensor's to the bit.
  bool restore(std::span<const TensorStatistics> statistics) final {
    if (statistics.empty() || (needs_magnitudes() && statistics.size() != 1)) return false;
    TensorStatistics joined = statistics.front();
    for (const TensorStatistics& channel : statistics.subspan(1)) joined.join(channel);
    pictures_.assign(joined.pictures().begin(), joined.pictures().end());
    if (!needs_magnitudes()) {  // as `summarize` leaves them
      for (PictureStatistics& picture : pictures_) picture.mean_magnitude = 0.0F;
    }
    return true;
  }

  void save(std::vector<std::byte>& out) const final {
    core::ByteWriter writer(out);
    for (const PictureStatistics& picture : pictures_) save_picture(writer, picture);
  }
  bool load(std::span<const std::byte> bytes) final {
    core::ByteReader in(bytes);
    std::vector<PictureStatistics> loaded;
    while (in.left() > 0) {
      const auto picture = load_picture(in);
      if (!picture) return false;
      loaded.push_back(*picture);
    }
    if (!in.complete()) return false;
    pictures_ = std::move(loaded);
    return true;
  }

 protected:
  using Pictures = std::span<const PictureStatistics>;
  /// Whether pictures must be counted for their mean magnitude; otherwise it is not known.
  virtual bool needs_magnitudes() const { return false; }
  virtual Range range_of(Pictures pictures, const QScheme& scheme) const = 0;

 private:
  const Kernels* kernels_;
  std::vector<PictureStatistics> pictures_;
};

/// The extremes of all pictures.
inline Range joined_range(std::span<const PictureStatistics> pictures) {
  Range all;
  for (const PictureStatistics& picture : pictures) all = all.joined(picture.range);
  return all;
}

}  // namespace octavo
