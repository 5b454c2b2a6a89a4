#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/bytes.h"
#include "octavo/core/histogram.h"
#include "octavo/core/kernels.h"

namespace octavo {

/// Mean of |x|, each value taken at the middle of its bin; 0 for an empty histogram.
inline float mean_magnitude(const Histogram& histogram) {
  const std::uint64_t count = histogram.count();
  if (count == 0) return 0.0F;
  double sum = 0.0;  // of halves below 2^52: exact in any order
  for (const BinCounts* side : {&histogram.positive(), &histogram.negative()}) {
    side->for_each(
        [&](std::size_t i, std::uint64_t n) { sum += static_cast<double>(n) * (static_cast<double>(i) + 0.5); });
  }
  return static_cast<float>(sum * histogram.width() / static_cast<double>(count));
}

/// What is kept of a tensor in one picture.
struct PictureStatistics {
  Range range;
  /// Mean of |x|, from the middles of the histogram's bins.
  float mean_magnitude = 0.0F;
  /// Elements but NaN.
  std::uint64_t count = 0;
  friend bool operator==(const PictureStatistics&, const PictureStatistics&) = default;
};

/// The statistics of a picture that was counted alone.
inline PictureStatistics picture_statistics(const Histogram& picture) {
  return {picture.range(), mean_magnitude(picture), picture.count()};
}

/// 20 bytes.
inline void save_picture(core::ByteWriter& out, const PictureStatistics& picture) {
  out.range(picture.range);
  out.f32(picture.mean_magnitude);
  out.u64(picture.count);
}
/// Nothing where the bytes are none that `save_picture` wrote.
inline std::optional<PictureStatistics> load_picture(core::ByteReader& in) {
  PictureStatistics picture;
  picture.range = in.range();
  picture.mean_magnitude = in.f32();
  picture.count = in.u64();
  if (!core::plausible(picture.range) || !(picture.mean_magnitude >= 0.0F)) return std::nullopt;
  return picture;
}

/// What a calibration file keeps of a tensor (or of one channel of it) over all pictures: enough for every observer
/// that does not need the values themselves. 20 bytes a picture and one histogram.
class TensorStatistics {
 public:
  static constexpr int kBins = 4096;

  explicit TensorStatistics(int bins = kBins) : histogram_(bins) {}

  /// Adds one picture's tensor.
  void add(std::span<const float> x, const Kernels& kernels) {
    TensorStatistics picture(histogram_.bins());
    picture.histogram_.add(x, kernels);
    const Histogram& seen = picture.histogram_;
    picture.pictures_.push_back({seen.range(), mean_magnitude(seen), seen.count()});
    if (pictures_.empty()) {
      *this = std::move(picture);
    } else {
      merge(picture);
    }
  }
  /// Adds the pictures of a later shard.
  void merge(const TensorStatistics& later) {
    histogram_.merge(later.histogram_);
    pictures_.insert(pictures_.end(), later.pictures_.begin(), later.pictures_.end());
  }

  /// Adds another tensor, or another channel, of the same pictures, as if both were one: ranges join picture by
  /// picture.
  void join(const TensorStatistics& other) {
    histogram_.merge(other.histogram_);
    pictures_.resize(std::max(pictures_.size(), other.pictures_.size()));
    for (std::size_t i = 0; i < other.pictures_.size(); ++i) {
      PictureStatistics& ours = pictures_[i];
      const PictureStatistics& theirs = other.pictures_[i];
      const double sum = double{ours.mean_magnitude} * static_cast<double>(ours.count) +
                         double{theirs.mean_magnitude} * static_cast<double>(theirs.count);
      ours.range = ours.range.joined(theirs.range);
      ours.count += theirs.count;
      ours.mean_magnitude = ours.count == 0 ? 0.0F : static_cast<float>(sum / static_cast<double>(ours.count));
    }
  }

  const Histogram& histogram() const { return histogram_; }
  /// In picture order.
  std::span<const PictureStatistics> pictures() const { return pictures_; }

  void save(core::ByteWriter& out) const {
    histogram_.save(out);
    out.u64(pictures_.size());
    for (const PictureStatistics& picture : pictures_) save_picture(out, picture);
  }
  /// Takes what `save` wrote for as many bins; false, and unchanged, for anything else.
  bool load(core::ByteReader& in) {
    TensorStatistics loaded(histogram_.bins());
    if (!loaded.histogram_.load(in)) return false;
    const std::uint64_t pictures = in.u64();
    if (pictures > in.left() / 20) return false;
    for (std::uint64_t i = 0; i < pictures; ++i) {
      const auto picture = load_picture(in);
      if (!picture) return false;
      loaded.pictures_.push_back(*picture);
    }
    *this = std::move(loaded);
    return true;
  }

  friend bool operator==(const TensorStatistics&, const TensorStatistics&) = default;

 private:
  Histogram histogram_;
  std::vector<PictureStatistics> pictures_;
};

}  // namespace octavo
