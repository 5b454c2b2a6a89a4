#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "octavo/core/observers/table.h"
#include "octavo/core/statistics.h"
#include "samples.h"

namespace octavo {
namespace {

const Shape kShape = {2, 5, 6, 7};
constexpr std::size_t kPlane = 42;
const QScheme kSigned{QType::qint8, 8, true, true};

/// Names of the observers that are restored from statistics and exist per channel too.
const std::vector<std::string> kNames = {"PercentileObserver", "KLObserver",        "TNNKLObserver",
                                         "NcnnKLObserver",     "MSEObserver",       "CosineObserver",
                                         "EntropyObserver",    "ACIQGaussObserver", "ACIQLaplaceObserver",
                                         "TNNMinMaxObserver",  "AbsMaxObserver",    "MeanMinMaxObserver"};

std::vector<float> picture(std::uint32_t seed) {
  std::vector<float> values = sample_kinds()[seed % sample_kinds().size()].make(2 * 5 * kPlane, seed);
  if (seed == 3) values[7] = std::numeric_limits<float>::quiet_NaN();
  return values;
}

/// Channel c of both pictures in the batch.
std::vector<float> channel_of(const std::vector<float>& values, std::size_t c) {
  std::vector<float> channel;
  for (const std::size_t o : {0U, 1U}) {
    const auto begin = values.begin() + static_cast<long>((o * 5 + c) * kPlane);
    channel.insert(channel.end(), begin, begin + kPlane);
  }
  return channel;
}

ObserverOptions options() {
  ObserverOptions options;
  options.axis = 1;
  options.percentile = 98.0;
  options.batch_size = 2;
  options.bins = 2048;
  options.extra = {{"num_bins", 512.0}};
  return options;
}

void observe(ObserverBase& observer, const Shape& shape, const std::vector<float>& values) {
  observer.fold(*observer.summarize(TensorView(shape, values.data())));
}

TEST_CASE("Per channel, every search is that of the channel alone") {
  for (const std::string& name : kNames) {
    const auto channels = observer_named("PerChannel" + name, options());
    REQUIRE(channels != nullptr);
    for (std::uint32_t seed = 0; seed < 5; ++seed) observe(*channels, kShape, picture(seed));
    QScheme scheme = kSigned;
    scheme.axis = 1;
    const QParams found = channels->compute_qparams(scheme);
    REQUIRE(found.scale.size() == 5);
    for (std::size_t c = 0; c < 5; ++c) {
      const auto alone = observer_named(name, options());
      for (std::uint32_t seed = 0; seed < 5; ++seed) observe(*alone, {2 * kPlane}, channel_of(picture(seed), c));
      INFO(name << " of channel " << c);
      CHECK(found.scale[c] == alone->compute_qparams(kSigned).scale[0]);
    }
  }
}

TEST_CASE("Statistics restore what the pictures themselves would have given") {
  TensorStatistics whole;
  std::vector<TensorStatistics> channels(5);
  for (std::uint32_t seed = 0; seed < 5; ++seed) {
    whole.add(picture(seed), plain_kernels());
    for (std::size_t c = 0; c < 5; ++c) channels[c].add(channel_of(picture(seed), c), plain_kernels());
  }
  for (const std::string& name : kNames) {
    INFO(name);
    for (const bool per_channel : {false, true}) {
      const std::string full = (per_channel ? "PerChannel" : "") + name;
      const auto seen = observer_named(full, options());
      for (std::uint32_t seed = 0; seed < 5; ++seed) observe(*seen, kShape, picture(seed));
      const auto restored = observer_named(full, options());
      REQUIRE(restored->restore(per_channel ? std::span<const TensorStatistics>(channels) : std::span(&whole, 1)));
      std::vector<std::byte> expected;
      std::vector<std::byte> found;
      seen->save(expected);
      restored->save(found);
      CHECK(found == expected);
    }
    const auto none = observer_named(name, options());
    CHECK_FALSE(none->restore({}));
  }
  const TensorStatistics coarse(64);
  CHECK_FALSE(observer_named("KLObserver", options())->restore({&coarse, 1}));
}

float scale_of(const std::string& name, const std::vector<std::vector<float>>& pictures,
               const QScheme& scheme = kSigned, const ObserverOptions& own = options()) {
  const auto observer = observer_named(name, own);
  for (const auto& values : pictures) observe(*observer, {static_cast<std::int64_t>(values.size())}, values);
  return observer->compute_qparams(scheme).scale[0];
}

TEST_CASE("Formulas on numbers worked out by hand") {
  const std::vector<std::vector<float>> pictures = {{-1.0F, 0.5F, 0.0F, 2.0F}, {0.0F, 4.0F, -3.0F, 1.0F}, {1.0F, 1.0F}};
  CHECK(scale_of("AbsMaxObserver", pictures) == 4.0F / 127.0F);
  CHECK(scale_of("TNNMinMaxObserver", pictures) == Approx(4.0 * 2047.5 / 2048.0 / 127.0).epsilon(1e-6));
  // Batches of two: (-3, 4) and (1, 1), of which the means are -1 and 2.5.
  CHECK(scale_of("MeanMinMaxObserver", pictures) == 2.5F / 127.0F);
  const QScheme affine{QType::quint8};
  CHECK(scale_of("MeanMinMaxObserver", pictures, affine) == 3.5F / 255.0F);
  // Two values in the last picture: 4 · 2 · 0.175 · (1 + sqrt(pi · ln 4)) / sqrt(2 · ln 2) · 3.92403714.
  CHECK(scale_of("ACIQGaussObserver", pictures) == Approx(14.40312 / 127.0).epsilon(1e-5));
  // Means of magnitudes 0.875, 2 and 1, to half a bin.
  CHECK(scale_of("ACIQLaplaceObserver", pictures) == Approx(9.89675982 * 3.875 / 3.0 / 127.0).epsilon(1e-3));
  const QScheme four_bits{QType::qint8, 4, true, true};
  CHECK(scale_of("ACIQLaplaceObserver", pictures, four_bits) == Approx(5.02864014 * 3.875 / 3.0 / 7.0).epsilon(1e-3));
}

TEST_CASE("ONNX Runtime's defaults clip nothing; more bins do") {
  const std::vector<std::vector<float>> pictures = {sample_kinds()[2].make(50000, 5)};
  ObserverOptions defaults = options();
  defaults.extra.clear();
  CHECK(scale_of("EntropyObserver", pictures, kSigned, defaults) == scale_of("MinMaxObserver", pictures));
  CHECK(scale_of("EntropyObserver", pictures) < scale_of("MinMaxObserver", pictures));
}

TEST_CASE("Thresholds of the tools lie at their half bins") {
  const std::vector<std::vector<float>> pictures = {sample_kinds()[0].make(100000, 8)};
  float largest = 0.0F;
  for (const float v : pictures[0]) largest = std::max(largest, std::fabs(v));
  for (const char* name : {"TNNKLObserver", "NcnnKLObserver"}) {
    const double bins = double{scale_of(name, pictures)} * 127.0 / double{largest} * 2048.0;
    INFO(name << " keeps " << bins);
    CHECK(std::fabs(bins - 0.5 - std::round(bins - 0.5)) < 1e-2);
    CHECK(bins > 1000.0);
    CHECK(bins < 2048.0);
  }
}

TEST_CASE("A small histogram is written in few bytes") {
  const auto observer = observer_named("PerChannelKLObserver", options());
  observe(*observer, kShape, picture(0));
  std::vector<std::byte> state;
  observer->save(state);
  CHECK(state.size() < 5 * (50 + 84 * 3));
}

}  // namespace
}  // namespace octavo
