#include <algorithm>
#include <vector>

#include "octavo/calibrate.h"
#include "octavo/core/observers/channel_ranges.h"
#include "octavo/kernels.h"
#include "watch.h"

namespace octavo {
namespace {

/// Ranges of channels only weigh them against each other: a few samples tell enough.
constexpr std::size_t kMostSamples = 32;
constexpr int kChannelAxis = 1;

std::vector<float> channel_maxima(const TensorView& tensor) {
  std::vector<float> maxima;
  if (tensor.rank() < 2 || tensor.dtype() != DType::f32) return maxima;
  for (const Range& range : channel_ranges(tensor, kChannelAxis, fast_kernels())) {
    maxima.push_back(range.empty() ? 0.0F : std::max(-range.min, range.max));
  }
  return maxima;
}

}  // namespace

ChannelMaxima survey_channels(const Graph& graph, const Plan& plan, const DataSource& data,
                              const CalibrateOptions& options) {
  std::vector<ValueId> values;
  for (const ActivationPlan& activation : plan.activations) values.push_back(activation.value);
  std::vector<std::vector<float>> maxima(values.size());
  calibration::watch<std::vector<float>>(
      graph, values, data, spread_indices(data.size(), kMostSamples),
      {options.threads, options.skip_bad_files, "measure channels", options.progress, {}, false},
      [](std::size_t, const TensorView& tensor, std::size_t) { return channel_maxima(tensor); },
      [&](std::size_t i, const std::vector<float>& sample) {
        maxima[i].resize(std::max(maxima[i].size(), sample.size()));
        for (std::size_t c = 0; c < sample.size(); ++c) maxima[i][c] = std::max(maxima[i][c], sample[c]);
      },
      [](std::size_t) {});
  ChannelMaxima ranges;
  for (std::size_t i = 0; i < values.size(); ++i) ranges[graph.value(values[i]).name] = std::move(maxima[i]);
  return ranges;
}

}  // namespace octavo
