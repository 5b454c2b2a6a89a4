#pragma once

#include <memory>
#include <span>
#include <vector>

#include "octavo/core/bytes.h"
#include "octavo/core/kernels.h"
#include "octavo/core/statistics.h"
#include "octavo/core/uniform_quantization_observer.h"

namespace octavo {

/// The range of one tensor.
struct RangeSummary final : Summary {
  Range range;
};

/// Smallest and largest value over all pictures: PyTorch's MinMaxObserver.
class MinMaxObserver final : public UniformQuantizationObserverBase {
 public:
  explicit MinMaxObserver(const Kernels& kernels = plain_kernels()) : kernels_(&kernels) {}

  std::unique_ptr<Summary> summarize(const TensorView& x) const override {
    auto summary = std::make_unique<RangeSummary>();
    const auto values = x.data<float>();
    summary->range = kernels_->min_max_f32(values.data(), values.size());
    return summary;
  }
  void fold(const Summary& summary) override {
    range_ = range_.joined(static_cast<const RangeSummary&>(summary).range);
  }
  void merge(const ObserverBase& later) override {
    range_ = range_.joined(static_cast<const MinMaxObserver&>(later).range_);
  }

  ChannelRanges ranges(const QScheme&) const override { return {range_}; }

  bool restore(std::span<const TensorStatistics> statistics) override {
    if (statistics.empty()) return false;
    range_ = {};
    for (const TensorStatistics& part : statistics) range_ = range_.joined(part.histogram().range());
    return true;
  }

  void save(std::vector<std::byte>& out) const override { core::ByteWriter(out).range(range_); }
  bool load(std::span<const std::byte> bytes) override {
    core::ByteReader in(bytes);
    const Range range = in.range();
    if (!in.complete() || !core::plausible(range)) return false;
    range_ = range;
    return true;
  }

 private:
  const Kernels* kernels_;
  Range range_;
};

}  // namespace octavo
