// Observers, searches and quantizers on one activation tensor. Run: ninja kernels_bench && bench/kernels_bench
#include <benchmark/benchmark.h>

#include <cstdint>
#include <random>
#include <vector>

#include "octavo/core/histogram_search.h"
#include "octavo/core/observers/table.h"
#include "octavo/core/quantize.h"
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

void kl_2048_bins(benchmark::State& state) {
  std::vector<std::uint64_t> counts(2048);
  for (const float v : activations().data<float>()) {
    ++counts[static_cast<std::size_t>(std::min(2047.0F, std::fabs(v) / 6.0F * 2048.0F))];
  }
  for (auto _ : state) benchmark::DoNotOptimize(kl_bins_to_keep(counts, 128));
}
BENCHMARK(kl_2048_bins)->Unit(benchmark::kMicrosecond);

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
