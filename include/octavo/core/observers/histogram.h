#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/histogram.h"
#include "octavo/core/statistics.h"
#include "octavo/core/uniform_quantization_observer.h"

namespace octavo {

struct HistogramSummary final : Summary {
  explicit HistogramSummary(int bins) : histogram(bins) {}
  Histogram histogram;
};

/// What all observers have in common that search a histogram of all values of all pictures for a range. States
/// of different searches are alike: one may load what another saved.
class OneHistogramObserver : public UniformQuantizationObserverBase {
 public:
  OneHistogramObserver(int bins, const Kernels& kernels) : kernels_(&kernels), histogram_(bins) {}

  std::unique_ptr<Summary> summarize(const TensorView& x) const final {
    auto summary = std::make_unique<HistogramSummary>(histogram_.bins());
    summary->histogram.add(x.data<float>(), *kernels_);
    return summary;
  }
  void fold(const Summary& summary) final { histogram_.merge(static_cast<const HistogramSummary&>(summary).histogram); }
  void merge(const ObserverBase& later) final {
    histogram_.merge(static_cast<const OneHistogramObserver&>(later).histogram_);
  }

  ChannelRanges ranges(const QScheme& scheme) const final { return {search(histogram_, scheme)}; }

  /// Takes statistics of at least as many bins.
  bool restore(std::span<const TensorStatistics> statistics) final {
    Histogram joined(histogram_.bins());
    for (const TensorStatistics& channel : statistics) {
      if (channel.histogram().bins() < joined.bins()) return false;
      joined.merge(channel.histogram().with_bins(joined.bins()));
    }
    if (statistics.empty()) return false;
    histogram_ = std::move(joined);
    return true;
  }

  void save(std::vector<std::byte>& out) const final {
    core::ByteWriter writer(out);
    histogram_.save(writer);
  }
  bool load(std::span<const std::byte> bytes) final {
    core::ByteReader in(bytes);
    Histogram loaded(histogram_.bins());
    if (!loaded.load(in) || !in.complete()) return false;
    histogram_ = std::move(loaded);
    return true;
  }

 protected:
  /// The range to quantize under `scheme`.
  virtual Range search(const Histogram& histogram, const QScheme& scheme) const = 0;

 private:
  const Kernels* kernels_;
  Histogram histogram_;
};

}  // namespace octavo
