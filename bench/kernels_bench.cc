// Observers, searches and quantizers on one activation tensor. Run: ninja kernels_bench && bench/kernels_bench
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "octavo/core/observers/table.h"
#include "octavo/core/quantize.h"
#include "octavo/core/searches/entropy.h"
#include "octavo/core/searches/kl.h"
#include "octavo/core/searches/smoothed_kl.h"
#include "octavo/kernels.h"

namespace octavo {
namespace {

const Shape kShape = {1, 64, 112, 112};

const Tensor& activations() {
  static const Tensor tensor = [] {
    Tensor made(DType::f32, kShape);
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (float& v : made.mutable_data<float>()) v = normal(random);
    return made;
  }();
  return tensor;
}

const Tensor& rectified() {
  static const Tensor tensor = [] {
    Tensor made = activations();
    for (float& v : made.mutable_data<float>()) v = v < 0.0F ? 0.0F : v;
    return made;
  }();
  return tensor;
}

void count_bytes(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * activations().size() * 4);
  state.SetLabel(fast_kernels().isa);
}

void observe(benchmark::State& state, const char* name, const Tensor& x) {
  ObserverOptions options;
  options.axis = 1;
  options.kernels = &fast_kernels();
  const auto observer = observer_named(name, options);
  for (auto _ : state) benchmark::DoNotOptimize(observer->summarize(x));
  count_bytes(state);
}
BENCHMARK_CAPTURE(observe, min_max, "MinMaxObserver", activations())->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(observe, per_channel_min_max, "PerChannelMinMaxObserver", activations())
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(observe, histogram, "MSEObserver", activations())->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(observe, histogram_after_relu, "MSEObserver", rectified())->Unit(benchmark::kMicrosecond);

void search(benchmark::State& state, const char* name) {
  ObserverOptions options;
  options.kernels = &fast_kernels();
  const auto observer = observer_named(name, options);
  observer->fold(*observer->summarize(activations()));
  for (auto _ : state) benchmark::DoNotOptimize(observer->compute_qparams({QType::quint8}));
}
BENCHMARK_CAPTURE(search, percentile, "PercentileObserver")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(search, kl, "KLObserver")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(search, mse, "MSEObserver")->Unit(benchmark::kMicrosecond);

/// Counts of 2048 bins: of magnitudes up to 6, or of both signs.
std::vector<std::uint64_t> counts_2048(bool both_signs) {
  std::vector<std::uint64_t> counts(2048);
  for (const float v : activations().data<float>()) {
    const float place = both_signs ? v / 6.0F * 1024.0F + 1024.0F : std::fabs(v) / 6.0F * 2048.0F;
    ++counts[static_cast<std::size_t>(std::clamp(place, 0.0F, 2047.0F))];
  }
  return counts;
}

/// Every threshold of 2048 bins, as each tool has it.
template <typename Count>
void thresholds(benchmark::State& state, std::size_t (*search)(std::span<const Count>, std::size_t), bool both_signs) {
  const auto counted = counts_2048(both_signs);
  const std::vector<Count> counts(counted.begin(), counted.end());
  for (auto _ : state) benchmark::DoNotOptimize(search(counts, 128));
}
void kl_2048_bins(benchmark::State& state) { thresholds(state, &kl_bins_to_keep, false); }
void tnn_kl_2048_bins(benchmark::State& state) { thresholds(state, &tnn_kl_bins, false); }
void ncnn_kl_2048_bins(benchmark::State& state) { thresholds(state, &ncnn_kl_bins, false); }
void entropy_2048_bins(benchmark::State& state) { thresholds(state, &entropy_half_bins, true); }
BENCHMARK(kl_2048_bins)->Unit(benchmark::kMicrosecond);
BENCHMARK(tnn_kl_2048_bins)->Unit(benchmark::kMicrosecond);
BENCHMARK(ncnn_kl_2048_bins)->Unit(benchmark::kMicrosecond);
BENCHMARK(entropy_2048_bins)->Unit(benchmark::kMicrosecond);

QParams params(bool per_channel, DType storage) {
  QParams made{{0.03F}, {0}, QScheme::kPerTensor, storage == DType::i8 ? -128 : 0, storage == DType::i8 ? 127 : 255,
               storage};
  if (per_channel) {
    made.axis = 1;
    made.scale.assign(64, 0.03F);
    made.zero_point.assign(64, 0);
  }
  return made;
}

void quantize_to(benchmark::State& state, DType storage, bool per_channel) {
  const QParams made = params(per_channel, storage);
  std::vector<std::uint8_t> q(static_cast<std::size_t>(activations().size()));
  const Kernels& kernels = fast_kernels();
  const float* x = activations().data<float>().data();
  for (auto _ : state) {
    detail::for_each_stretch(kShape, made, [&](std::size_t offset, std::size_t n, const AffineMap& map) {
      if (storage == DType::u8) {
        kernels.quantize_f32_u8(x + offset, n, map, q.data() + offset);
      } else {
        kernels.quantize_f32_s8(x + offset, n, map, reinterpret_cast<std::int8_t*>(q.data()) + offset);
      }
    });
    benchmark::ClobberMemory();
  }
  count_bytes(state);
}
BENCHMARK_CAPTURE(quantize_to, u8_per_tensor, DType::u8, false)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(quantize_to, s8_per_channel, DType::i8, true)->Unit(benchmark::kMicrosecond);

void fake_quantize_to(benchmark::State& state, bool per_channel) {
  const QParams made = params(per_channel, DType::i8);
  std::vector<float> y(static_cast<std::size_t>(activations().size()));
  const float* x = activations().data<float>().data();
  for (auto _ : state) {
    detail::for_each_stretch(kShape, made, [&](std::size_t offset, std::size_t n, const AffineMap& map) {
      fast_kernels().fake_quantize_f32(x + offset, n, map, y.data() + offset);
    });
    benchmark::ClobberMemory();
  }
  count_bytes(state);
}
BENCHMARK_CAPTURE(fake_quantize_to, per_tensor, false)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(fake_quantize_to, per_channel, true)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace octavo

BENCHMARK_MAIN();
