#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/bytes.h"
#include "octavo/core/histogram.h"
#include "octavo/core/kernels.h"

namespace octavo {

/// What is kept of a tensor in one picture.
struct PictureStatistics {
  Range range;
  /// Mean of |x|, from the middles of the histogram's bins.
  float mean_magnitude = 0.0F;
  /// Elements but NaN.
  std::uint64_t count = 0;
  friend bool operator==(const PictureStatistics&, const PictureStatistics&) = default;
};

/// What a calibration file keeps of a tensor (or of one channel of it) over all pictures: enough for every observer
/// that does not need the values themselves. 20 bytes a picture and one histogram.
class TensorStatistics {
 public:
  explicit TensorStatistics(int bins = 4096) : histogram_(bins) {}

  /// Adds one picture's tensor.
  void add(std::span<const float> x, const Kernels& kernels) {
    Histogram picture(histogram_.bins());
    picture.add(x, kernels);
    pictures_.push_back({picture.range(), mean_magnitude(picture), picture.count()});
    histogram_.merge(picture);
  }
  /// Adds the pictures of a later shard.
  void merge(const TensorStatistics& later) {
    histogram_.merge(later.histogram_);
    pictures_.insert(pictures_.end(), later.pictures_.begin(), later.pictures_.end());
  }

  const Histogram& histogram() const { return histogram_; }
  /// In picture order.
  std::span<const PictureStatistics> pictures() const { return pictures_; }

  void save(core::ByteWriter& out) const {
    histogram_.save(out);
    out.u64(pictures_.size());
    for (const PictureStatistics& picture : pictures_) {
      out.range(picture.range);
      out.f32(picture.mean_magnitude);
      out.u64(picture.count);
    }
  }
  /// Takes what `save` wrote for as many bins; false, and unchanged, for anything else.
  bool load(core::ByteReader& in) {
    TensorStatistics loaded(histogram_.bins());
    if (!loaded.histogram_.load(in)) return false;
    const std::uint64_t pictures = in.u64();
    if (pictures > in.left() / 20) return false;
    for (std::uint64_t i = 0; i < pictures; ++i) {
      PictureStatistics picture;
      picture.range = in.range();
      picture.mean_magnitude = in.f32();
      picture.count = in.u64();
      if (!core::plausible(picture.range) || !(picture.mean_magnitude >= 0.0F)) return false;
      loaded.pictures_.push_back(picture);
    }
    *this = std::move(loaded);
    return true;
  }

  friend bool operator==(const TensorStatistics&, const TensorStatistics&) = default;

 private:
  static float mean_magnitude(const Histogram& histogram) {
    const std::uint64_t count = histogram.count();
    if (count == 0) return 0.0F;
    double sum = 0.0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(histogram.bins()); ++i) {
      sum += static_cast<double>(histogram.positive(i) + histogram.negative(i)) * (static_cast<double>(i) + 0.5);
    }
    return static_cast<float>(sum * histogram.width() / static_cast<double>(count));
  }

  Histogram histogram_;
  std::vector<PictureStatistics> pictures_;
};

}  // namespace octavo
