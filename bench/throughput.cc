// The least times of observers and quantizers in milliseconds, one "name elements threads ms" a line, for
// kernels_vs_torch.py. Arguments: threads, then how often each is repeated.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "octavo/core/observers/table.h"
#include "octavo/core/quantize.h"
#include "octavo/core/searches/entropy.h"
#include "octavo/core/searches/kl.h"
#include "octavo/core/searches/smoothed_kl.h"
#include "octavo/kernels.h"
#include "octavo/parallel.h"

namespace octavo {
namespace {

constexpr std::size_t kChannels = 64;

double least_milliseconds(int repeats, const std::function<void()>& run) {
  using Clock = std::chrono::steady_clock;
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < repeats; ++i) {
    const auto start = Clock::now();
    run();
    least = std::min(least, std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  return least;
}

/// Work on one tensor whose channels the threads share out, as a pipeline does with its pictures.
class Job {
 public:
  Job(std::size_t plane, int threads, int repeats)
      : plane_(plane), repeats_(repeats), pool_(threads), x_(kChannels * plane), y_(x_.size()), q_(x_.size()) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < x_.size(); ++i) x_[i] = i < 1000000 ? normal(random) : x_[i - 1000000];
  }

  void run_all() {
    observe("min_max", "MinMaxObserver");
    observe("per_channel_min_max", "PerChannelMinMaxObserver");
    observe("histogram", "MSEObserver");
    const Kernels& kernels = fast_kernels();
    const AffineMap map{0.03F, 0, -128, 127};
    const auto part = pieces(static_cast<std::size_t>(pool_.threads()));
    report("quantize", [&] {
      pool_.for_each(part.size(), [&](std::size_t i, int) {
        kernels.quantize_f32_s8(x_.data() + part[i].first, part[i].second, map, q_.data() + part[i].first);
      });
    });
    report("fake_quantize", [&] {
      pool_.for_each(part.size(), [&](std::size_t i, int) {
        kernels.fake_quantize_f32(x_.data() + part[i].first, part[i].second, map, y_.data() + part[i].first);
      });
    });
    const auto channel = pieces(kChannels);
    const auto each_channel = [&](const auto& work) {
      pool_.for_each(part.size(), [&](std::size_t i, int) {
        for (std::size_t c = i * kChannels / part.size(); c < (i + 1) * kChannels / part.size(); ++c) work(channel[c]);
      });
    };
    report("quantize_per_channel", [&] {
      each_channel(
          [&](const auto& c) { kernels.quantize_f32_s8(x_.data() + c.first, c.second, map, q_.data() + c.first); });
    });
    report("fake_quantize_per_channel", [&] {
      each_channel(
          [&](const auto& c) { kernels.fake_quantize_f32(x_.data() + c.first, c.second, map, y_.data() + c.first); });
    });
  }

 private:
  std::vector<std::pair<std::size_t, std::size_t>> pieces(std::size_t count) const {
    std::vector<std::pair<std::size_t, std::size_t>> all;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t begin = i * kChannels / count * plane_;
      all.emplace_back(begin, (i + 1) * kChannels / count * plane_ - begin);
    }
    return all;
  }

  void report(const char* name, const std::function<void()>& run) {
    std::printf("%s %zu %d %.6f\n", name, x_.size(), pool_.threads(), least_milliseconds(repeats_, run));
  }

  void observe(const char* label, const char* name) {
    ObserverOptions options;
    options.axis = 1;
    options.kernels = &fast_kernels();
    const auto observer = observer_named(name, options);
    const auto part = pieces(static_cast<std::size_t>(pool_.threads()));
    std::vector<std::unique_ptr<Summary>> summaries(part.size());
    report(label, [&] {
      pool_.for_each(part.size(), [&](std::size_t i, int) {
        const Shape shape = {1, static_cast<std::int64_t>(part[i].second / plane_), static_cast<std::int64_t>(plane_)};
        summaries[i] = observer->summarize(TensorView(shape, x_.data() + part[i].first));
      });
      for (const auto& summary : summaries) observer->fold(*summary);
    });
  }

  std::size_t plane_;
  int repeats_;
  ThreadPool pool_;
  std::vector<float> x_;
  std::vector<float> y_;
  std::vector<std::int8_t> q_;
};

/// All thresholds of 2048 bins of a normal distribution.
void run_searches(int repeats) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<std::uint64_t> magnitudes(2048);
  std::vector<std::uint64_t> both(2048);
  for (int i = 0; i < 1 << 20; ++i) {
    const float v = normal(random) / 6.0F;
    ++magnitudes[static_cast<std::size_t>(std::min(std::fabs(v) * 2048.0F, 2047.0F))];
    ++both[static_cast<std::size_t>(std::clamp(v * 1024.0F + 1024.0F, 0.0F, 2047.0F))];
  }
  const std::vector<double> real(magnitudes.begin(), magnitudes.end());
  volatile std::size_t kept = 0;
  const auto report = [&](const char* name, const std::function<std::size_t()>& search) {
    std::printf("%s 2048 1 %.6f\n", name, least_milliseconds(repeats, [&] { kept = search(); }));
  };
  report("kl_tensorrt", [&] { return kl_bins_to_keep(magnitudes, 128); });
  report("kl_tnn", [&] { return tnn_kl_bins(real, 128); });
  report("kl_ncnn", [&] { return ncnn_kl_bins(real, 128); });
  report("entropy_onnxruntime", [&] { return entropy_half_bins(both, 128); });
}

}  // namespace
}  // namespace octavo

int main(int argc, char** argv) {
  const std::vector<const char*> arguments(argv, argv + argc);
  const int threads = argc > 1 ? std::atoi(arguments[1]) : 1;
  const int repeats = argc > 2 ? std::atoi(arguments[2]) : 20;
  for (const std::size_t side : {112U, 512U}) octavo::Job(side * side, threads, repeats).run_all();
  if (threads == 1) octavo::run_searches(repeats);
  return 0;
}
