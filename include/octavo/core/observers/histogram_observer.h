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
#include "octavo/core/kernels.h"
#include "octavo/core/observers/tensor_summary.h"
#include "octavo/core/observers/torch_histogram.h"
#include "octavo/core/require.h"
#include "octavo/core/uniform_quantization_observer.h"

namespace octavo {

/// PyTorch 1.13's HistogramObserver, to the bit with whatever it does oddly (torch_histogram.h): a histogram between
/// the extremes, resampled when they move, and a search that takes bins off the ends while the squared error falls. It
/// depends on the order of the tensors and on their values, so it can neither be merged nor restored from
/// statistics; the searches on `Histogram` can.
class HistogramObserver final : public UniformQuantizationObserverBase {
 public:
  /// At least one bin. Every stored bin is divided into `upsample_rate` parts when it is resampled.
  explicit HistogramObserver(const Kernels& kernels = plain_kernels(), std::size_t bins = 2048,
                             std::size_t upsample_rate = 128)
      : kernels_(&kernels), upsample_rate_(upsample_rate), counts_(bins) {
    OCTAVO_REQUIRE(bins > 0 && bins <= 65536 && upsample_rate > 0 && upsample_rate <= 65536, "1 to 65536 bins, parts");
  }

  std::unique_ptr<Summary> summarize(const TensorView& x) const override { return std::make_unique<TensorSummary>(x); }
  void fold(const Summary& summary) override {
    const auto values = static_cast<const TensorSummary&>(summary).tensor.data<float>();
    const Range seen = kernels_->min_max_f32(values.data(), values.size());
    if (seen.empty()) return;
    if (range_.empty() || range_.min == range_.max) {
      range_ = seen;
      counts_ = pytorch::histc(values, counts_.size(), range_, seen);
      return;
    }
    const pytorch::Resampling resampling =
        pytorch::resampling(range_, range_.joined(seen), counts_.size(), upsample_rate_);
    std::vector<float> joined = pytorch::histc(values, counts_.size(), resampling.range, seen);
    const std::vector<float> former =
        resampling.range == range_ ? std::move(counts_) : pytorch::resampled(counts_, upsample_rate_, resampling);
    for (std::size_t i = 0; i < joined.size(); ++i) joined[i] += former[i];
    counts_ = std::move(joined);
    range_ = resampling.range;
  }
  void merge(const ObserverBase&) override { OCTAVO_REQUIRE(false, "an observer that is mergeable"); }
  bool mergeable() const override { return false; }

  /// What the search keeps.
  ChannelRanges ranges(const QScheme& scheme) const override {
    if (range_.empty()) return {};
    const std::size_t steps = std::size_t{1} << (8 * size_of(scheme.storage()));
    return {pytorch::least_squares_range(counts_, range_, steps)};
  }

  void save(std::vector<std::byte>& out) const override {
    core::ByteWriter writer(out);
    writer.range(range_);
    for (const float count : counts_) writer.f32(count);
  }
  bool load(std::span<const std::byte> bytes) override {
    core::ByteReader in(bytes);
    const Range range = in.range();
    if (!core::plausible(range) || in.left() != 4 * counts_.size()) return false;
    std::vector<float> counts(counts_.size());
    for (float& count : counts) {
      count = in.f32();
      if (!std::isfinite(count)) return false;
    }
    range_ = range;
    counts_ = std::move(counts);
    return true;
  }

 private:
  const Kernels* kernels_;
  std::size_t upsample_rate_;
  Range range_;
  std::vector<float> counts_;
};

}  // namespace octavo
