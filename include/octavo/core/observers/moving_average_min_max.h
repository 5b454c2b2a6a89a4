#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/bytes.h"
#include "octavo/core/kernels.h"
#include "octavo/core/observers/min_max.h"
#include "octavo/core/require.h"
#include "octavo/core/statistics.h"
#include "octavo/core/uniform_quantization_observer.h"

namespace octavo {

/// One step of PyTorch's moving average, in its order of float operations; the first range is taken as it is.
inline Range moved_average(const Range& average, const Range& next, float constant) {
  if (next.empty()) return average;
  if (average.empty()) return next;
  return {average.min + constant * (next.min - average.min), average.max + constant * (next.max - average.max)};
}

/// The average over batches of `batch_size` pictures, the last of which may be smaller: a batch counts with the range
/// of all its pictures, as a tensor of so many pictures would. `range_of(picture)` gives theirs in order.
template <typename RangeOf>
Range averaged(std::size_t pictures, std::size_t batch_size, float constant, const RangeOf& range_of) {
  Range average;
  for (std::size_t first = 0; first < pictures; first += batch_size) {
    Range batch;
    for (std::size_t i = first; i < std::min(pictures, first + batch_size); ++i) batch = batch.joined(range_of(i));
    average = moved_average(average, batch, constant);
  }
  return average;
}

/// Moving average of each batch's smallest and largest value, in picture order: PyTorch's
/// MovingAverageMinMaxObserver. The state is the list of ranges, 8 bytes a picture: rounding makes the average
/// depend on its grouping, so only the list can be merged to the same bit.
class MovingAverageMinMaxObserver final : public UniformQuantizationObserverBase {
 public:
  /// `averaging_constant` is the weight of the newest batch, (0, 1].
  explicit MovingAverageMinMaxObserver(double averaging_constant = 0.01, const Kernels& kernels = plain_kernels(),
                                       std::size_t batch_size = 1)
      : constant_(static_cast<float>(averaging_constant)), batch_size_(batch_size), kernels_(&kernels) {
    OCTAVO_REQUIRE(batch_size > 0, "a batch of at least one picture");
  }

  std::unique_ptr<Summary> summarize(const TensorView& x) const override {
    auto summary = std::make_unique<RangeSummary>();
    const auto values = x.data<float>();
    summary->range = kernels_->min_max_f32(values.data(), values.size());
    return summary;
  }
  void fold(const Summary& summary) override { pictures_.push_back(static_cast<const RangeSummary&>(summary).range); }
  void merge(const ObserverBase& later) override {
    const auto& others = static_cast<const MovingAverageMinMaxObserver&>(later).pictures_;
    pictures_.insert(pictures_.end(), others.begin(), others.end());
  }

  ChannelRanges ranges(const QScheme&) const override {
    return {averaged(pictures_.size(), batch_size_, constant_, [&](std::size_t i) { return pictures_[i]; })};
  }

  bool restore(std::span<const TensorStatistics> statistics) override {
    if (statistics.empty()) return false;
    std::vector<Range> pictures;
    for (const TensorStatistics& part : statistics) {
      pictures.resize(std::max(pictures.size(), part.pictures().size()));
      for (std::size_t i = 0; i < part.pictures().size(); ++i) {
        pictures[i] = pictures[i].joined(part.pictures()[i].range);
      }
    }
    pictures_ = std::move(pictures);
    return true;
  }

  void save(std::vector<std::byte>& out) const override {
    core::ByteWriter writer(out);
    core::write_ranges(writer, pictures_);
  }
  bool load(std::span<const std::byte> bytes) override {
    core::ByteReader in(bytes);
    std::vector<Range> pictures;
    if (!core::read_ranges(in, in.left() / 8, pictures) || !in.complete()) return false;
    pictures_ = std::move(pictures);
    return true;
  }

 private:
  float constant_;
  std::size_t batch_size_;
  const Kernels* kernels_;
  std::vector<Range> pictures_;
};

}  // namespace octavo
