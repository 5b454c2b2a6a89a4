#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <string_view>

#include "octavo/core/observers/absmax.h"
#include "octavo/core/observers/aciq_gauss.h"
#include "octavo/core/observers/aciq_laplace.h"
#include "octavo/core/observers/cosine.h"
#include "octavo/core/observers/entropy.h"
#include "octavo/core/observers/entry.h"
#include "octavo/core/observers/fixed_qparams.h"
#include "octavo/core/observers/histogram_observer.h"
#include "octavo/core/observers/kl.h"
#include "octavo/core/observers/lsq.h"
#include "octavo/core/observers/mean_min_max.h"
#include "octavo/core/observers/moving_average_min_max.h"
#include "octavo/core/observers/moving_average_per_channel_min_max.h"
#include "octavo/core/observers/mse.h"
#include "octavo/core/observers/ncnn_kl.h"
#include "octavo/core/observers/per_channel.h"
#include "octavo/core/observers/per_channel_min_max.h"
#include "octavo/core/observers/percentile.h"
#include "octavo/core/observers/recording.h"
#include "octavo/core/observers/tnn_kl.h"
#include "octavo/core/observers/tnn_min_max.h"
#include "octavo/core/observers/without_qparams.h"

namespace octavo {

namespace detail {

inline constexpr std::array<std::string_view, 1> kReadsAveraging{"averaging_constant"};
inline constexpr std::array<std::string_view, 1> kReadsBins{"bins"};
inline constexpr std::array<std::string_view, 2> kReadsPercentile{"percentile", "bins"};
inline constexpr std::array<std::string_view, 3> kReadsEntropy{"num_bins", "num_quantized_bins", "bins"};
inline constexpr std::array<std::string_view, 2> kReadsFixed{"scale", "zero_point"};

using Made = std::unique_ptr<ObserverBase>;

using MadeUniform = std::unique_ptr<UniformQuantizationObserverBase>;

template <typename Observer>
MadeUniform made(const ObserverOptions& o) {
  return std::make_unique<Observer>(*o.kernels);
}
template <typename Observer>
MadeUniform made_with_bins(const ObserverOptions& o) {
  return std::make_unique<Observer>(o.bins, *o.kernels);
}
inline MadeUniform made_percentile(const ObserverOptions& o) {
  return std::make_unique<PercentileObserver>(o.percentile, o.bins, *o.kernels);
}
inline MadeUniform made_mean_min_max(const ObserverOptions& o) {
  return std::make_unique<MeanMinMaxObserver>(o.batch_size, *o.kernels);
}
inline MadeUniform made_entropy(const ObserverOptions& o) {
  const auto extra = [&](std::string_view key) {  // ONNX Runtime's names and defaults
    const auto found = o.extra.find(key);
    return found == o.extra.end() ? 128.0 : found->second;
  };
  return std::make_unique<EntropyObserver>(extra("num_bins"), extra("num_quantized_bins"), o.bins, *o.kernels);
}

template <MadeUniform (*make)(const ObserverOptions&)>
Made whole_tensor(const ObserverOptions& o) {
  return make(o);
}
/// An observer for each channel, of at most 2048 bins: thousands of channels have a histogram each.
template <MadeUniform (*make)(const ObserverOptions&)>
Made each_channel(const ObserverOptions& o) {
  ObserverOptions own = o;
  own.bins = std::min(o.bins, 2048);
  return std::make_unique<PerChannelObserver>([own] { return make(own); }, o.axis);
}

/// `extra` holds PyTorch's arguments, "scale" above 0 and "zero_point".
inline Made made_fixed_qparams(const ObserverOptions& o) {
  const auto extra = [&](std::string_view key, double otherwise) {
    const auto found = o.extra.find(key);
    return found == o.extra.end() ? otherwise : found->second;
  };
  const double scale = extra("scale", FixedQParamsObserver::kScaleFrom0To1);
  const double zero_point = extra("zero_point", 0.0);
  if (!FixedQParamsObserver::takes(scale, zero_point)) return nullptr;
  return std::make_unique<FixedQParamsObserver>(scale, zero_point);
}

inline constexpr std::array kObservers = {
    kMinMaxEntry,
    ObserverEntry{"MovingAverageMinMaxObserver",
                  [](const ObserverOptions& o) -> Made {
                    return std::make_unique<MovingAverageMinMaxObserver>(o.averaging_constant, *o.kernels,
                                                                         o.batch_size);
                  },
                  kReadsAveraging},
    ObserverEntry{"PerChannelMinMaxObserver",
                  [](const ObserverOptions& o) -> Made {
                    return std::make_unique<PerChannelMinMaxObserver>(o.axis, *o.kernels);
                  }},
    ObserverEntry{"MovingAveragePerChannelMinMaxObserver",
                  [](const ObserverOptions& o) -> Made {
                    return std::make_unique<MovingAveragePerChannelMinMaxObserver>(o.averaging_constant, o.axis,
                                                                                   *o.kernels, o.batch_size);
                  },
                  kReadsAveraging},
    ObserverEntry{"HistogramObserver",
                  [](const ObserverOptions& o) -> Made { return std::make_unique<HistogramObserver>(*o.kernels); }},
    ObserverEntry{"FixedQParamsObserver", &made_fixed_qparams, kReadsFixed},
    ObserverEntry{"PlaceholderObserver",
                  [](const ObserverOptions&) -> Made { return std::make_unique<PlaceholderObserver>(); }},
    ObserverEntry{"NoopObserver", [](const ObserverOptions&) -> Made { return std::make_unique<NoopObserver>(); }},
    ObserverEntry{"RecordingObserver",
                  [](const ObserverOptions&) -> Made { return std::make_unique<RecordingObserver>(); }},
    ObserverEntry{"ReuseInputObserver",
                  [](const ObserverOptions&) -> Made { return std::make_unique<ReuseInputObserver>(); }},
    ObserverEntry{
        "LSQObserver",
        [](const ObserverOptions& o) -> Made { return std::make_unique<LSQObserver>(*o.kernels, o.batch_size); }},
    ObserverEntry{"LSQPerChannelObserver",
                  [](const ObserverOptions& o) -> Made {
                    return std::make_unique<LSQPerChannelObserver>(o.axis, *o.kernels, o.batch_size);
                  }},
    ObserverEntry{"PercentileObserver", &whole_tensor<&made_percentile>, kReadsPercentile},
    ObserverEntry{"PerChannelPercentileObserver", &each_channel<&made_percentile>, kReadsPercentile},
    ObserverEntry{"KLObserver", &whole_tensor<&made_with_bins<KLObserver>>, kReadsBins},
    ObserverEntry{"PerChannelKLObserver", &each_channel<&made_with_bins<KLObserver>>, kReadsBins},
    ObserverEntry{"TNNKLObserver", &whole_tensor<&made_with_bins<TNNKLObserver>>, kReadsBins},
    ObserverEntry{"PerChannelTNNKLObserver", &each_channel<&made_with_bins<TNNKLObserver>>, kReadsBins},
    ObserverEntry{"NcnnKLObserver", &whole_tensor<&made_with_bins<NcnnKLObserver>>, kReadsBins},
    ObserverEntry{"PerChannelNcnnKLObserver", &each_channel<&made_with_bins<NcnnKLObserver>>, kReadsBins},
    ObserverEntry{"MSEObserver", &whole_tensor<&made_with_bins<MSEObserver>>, kReadsBins},
    ObserverEntry{"PerChannelMSEObserver", &each_channel<&made_with_bins<MSEObserver>>, kReadsBins},
    ObserverEntry{"CosineObserver", &whole_tensor<&made_with_bins<CosineObserver>>, kReadsBins},
    ObserverEntry{"PerChannelCosineObserver", &each_channel<&made_with_bins<CosineObserver>>, kReadsBins},
    ObserverEntry{"EntropyObserver", &whole_tensor<&made_entropy>, kReadsEntropy},
    ObserverEntry{"PerChannelEntropyObserver", &each_channel<&made_entropy>, kReadsEntropy},
    ObserverEntry{"ACIQGaussObserver", &whole_tensor<&made<ACIQGaussObserver>>},
    ObserverEntry{"PerChannelACIQGaussObserver", &each_channel<&made<ACIQGaussObserver>>},
    ObserverEntry{"ACIQLaplaceObserver", &whole_tensor<&made<ACIQLaplaceObserver>>},
    ObserverEntry{"PerChannelACIQLaplaceObserver", &each_channel<&made<ACIQLaplaceObserver>>},
    ObserverEntry{"TNNMinMaxObserver", &whole_tensor<&made<TNNMinMaxObserver>>},
    ObserverEntry{"PerChannelTNNMinMaxObserver", &each_channel<&made<TNNMinMaxObserver>>},
    ObserverEntry{"AbsMaxObserver", &whole_tensor<&made<AbsMaxObserver>>},
    ObserverEntry{"PerChannelAbsMaxObserver", &each_channel<&made<AbsMaxObserver>>},
    ObserverEntry{"MeanMinMaxObserver", &whole_tensor<&made_mean_min_max>},
    ObserverEntry{"PerChannelMeanMinMaxObserver", &each_channel<&made_mean_min_max>},
};

}  // namespace detail

/// Every observer there is.
inline std::span<const ObserverEntry> observers() { return detail::kObservers; }

inline const ObserverEntry* find_observer(std::string_view name) { return entry_named(observers(), name); }

/// A new observer of that name, or null for a name nobody has and for options that it cannot take.
inline std::unique_ptr<ObserverBase> observer_named(std::string_view name, const ObserverOptions& options = {}) {
  const ObserverEntry* entry = find_observer(name);
  return entry == nullptr ? nullptr : entry->make(options);
}

}  // namespace octavo
