#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/histogram.h"
#include "octavo/core/observer.h"

namespace octavo {

struct HistogramSummary final : Summary {
  explicit HistogramSummary(int bins) : histogram(bins) {}
  Histogram histogram;
};

/// What all observers have in common that search a histogram of all values of all pictures for a range. States
/// of different searches are alike: one may load what another saved.
class OneHistogramObserver : public ObserverBase {
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

  QParams compute_qparams(const QScheme& scheme) const final {
    return qparams_from_range(search(histogram_, scheme), scheme);
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
