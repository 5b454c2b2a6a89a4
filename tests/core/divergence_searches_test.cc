#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "octavo/core/searches/divergence.h"
#include "octavo/core/searches/entropy.h"
#include "octavo/core/searches/kl.h"
#include "octavo/core/searches/smoothed_kl.h"
#include "plain_searches.h"
#include "samples.h"

namespace octavo {
namespace {

TEST_CASE("The vectorizable logarithm is the logarithm") {
  std::mt19937 random(17);
  std::uniform_real_distribution<double> exponent(-60.0, 64.0);
  for (int i = 0; i < 20000; ++i) {
    const double x = i < 100 ? 1.0 + i / 64.0 : std::exp2(exponent(random));
    CHECK(std::fabs(detail::ln_normal(x) - std::log(x)) <= 1e-14 * std::max(1.0, std::fabs(std::log(x))));
    const auto single = static_cast<float>(x);
    CHECK(std::fabs(detail::ln_normal(single) - std::log(single)) <=
          2e-7F * std::max(1.0F, std::fabs(std::log(single))));
  }
}

struct Counts {
  std::string name;
  std::vector<std::uint64_t> counts;
};

/// Histograms as pictures give them, and ones that searches trip over: gaps, spikes, empty ends, equal and single bins.
std::vector<Counts> histograms(std::size_t bins, std::uint32_t seed) {
  std::vector<Counts> all;
  std::mt19937 random(seed);
  for (const Samples& kind : sample_kinds()) {
    for (const std::size_t count : {300U, 20000U}) {
      const std::vector<float> values = kind.make(count, random());
      float largest = 0.0F;
      for (const float v : values) largest = std::max(largest, std::fabs(v));
      Counts& made = all.emplace_back();
      made.name = kind.name + std::string(" of ") + std::to_string(count);
      made.counts.resize(bins);
      for (const float v : values) {
        const auto bin = static_cast<std::size_t>(std::fabs(v) / largest * static_cast<float>(bins));
        if (v != 0.0F) ++made.counts[std::min(bin, bins - 1)];
      }
    }
  }
  const auto add = [&](const char* name, const auto& count_of) {
    Counts& made = all.emplace_back();
    made.name = name;
    for (std::size_t i = 0; i < bins; ++i) made.counts.push_back(count_of(i));
  };
  add("equal", [](std::size_t) { return 7U; });
  add("gaps", [&](std::size_t i) { return i % 5 == 0 ? random() % 1000U : 0U; });
  add("spikes", [&](std::size_t i) { return random() % 50U == 0 ? 100000U : static_cast<std::uint32_t>(i % 3); });
  add("empty end", [&](std::size_t i) { return i < bins / 2 ? random() % 100U : 0U; });
  add("last alone", [&](std::size_t i) { return i + 1 == bins ? 5U : 0U; });
  add("first and last", [&](std::size_t i) { return i == 0 ? 1000000U : i + 1 == bins ? 1U : 0U; });
  add("falling", [&](std::size_t i) { return static_cast<std::uint32_t>(1e6 * std::exp(-0.01 * double(i))); });
  return all;
}

std::vector<double> as_doubles(const std::vector<std::uint64_t>& counts) { return {counts.begin(), counts.end()}; }

TEST_CASE("Every KL by prefix sums keeps as many bins as the plain search") {
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    for (const std::size_t bins : {512U, 700U}) {
      for (const Counts& made : histograms(bins, seed)) {
        for (const std::size_t levels : {8U, 128U}) {
          CAPTURE(made.name, bins, levels, seed);
          const std::vector<double> counts = as_doubles(made.counts);
          CHECK(kl_bins_to_keep(made.counts, levels) == plain_kl_bins(counts, levels));
          CHECK(tnn_kl_bins(counts, levels) == plain_tnn_bins(counts, levels));
          CHECK(ncnn_kl_bins(counts, levels) == plain_ncnn_bins(counts, levels));
        }
      }
    }
  }
}

TEST_CASE("All thresholds of 2048 bins, as the tools have them") {
  for (const Counts& made : histograms(2048, 9)) {
    CAPTURE(made.name);
    const std::vector<double> counts = as_doubles(made.counts);
    CHECK(kl_bins_to_keep(made.counts, 128) == plain_kl_bins(counts, 128));
    CHECK(tnn_kl_bins(counts, 128) == plain_tnn_bins(counts, 128));
    CHECK(ncnn_kl_bins(counts, 128) == plain_ncnn_bins(counts, 128));
  }
}

TEST_CASE("ONNX Runtime's entropy by sums keeps as many bins as the plain search") {
  for (const std::uint32_t seed : {4U, 5U, 6U}) {
    for (const std::size_t bins : {128U, 130U, 512U, 1000U}) {
      for (const Counts& made : histograms(bins, seed)) {
        for (const std::size_t levels : {16U, 128U}) {
          CAPTURE(made.name, bins, levels, seed);
          CHECK(entropy_half_bins(made.counts, levels) == plain_entropy_half_bins(made.counts, levels));
        }
      }
    }
  }
}

TEST_CASE("New bins share out the old ones' counts, and lose none") {
  const std::vector<std::uint64_t> counts = {8, 0, 4, 4};
  CHECK(rebinned(counts, 1.0, 4.0, 2, 1.0) == std::vector<double>{8, 8});
  CHECK(rebinned(counts, 1.0, 4.0, 8, 1.0) == std::vector<double>{4, 4, 0, 0, 2, 2, 2, 2});
  CHECK(rebinned(counts, 1.0, 3.5, 7, 1.0) == std::vector<double>{4, 4, 0, 0, 2, 2, 4});  // none beyond the largest
  CHECK(rebinned(counts, 1.0, 3.0, 3, 1.0) == std::vector<double>{8, 0, 8});              // the last bin's all equal it
  for (const Counts& made : histograms(512, 12)) {
    const auto coarse = rebinned(made.counts, 0.25, 101.7, 2048, 0x1p-8);
    double sum = 0.0;
    for (const double n : coarse) {
      CHECK(n >= 0.0);
      CHECK(n * 256.0 == std::floor(n * 256.0));
      sum += n;
    }
    double expected = 0.0;
    for (const double n : as_doubles(made.counts)) expected += n;
    CHECK(sum == expected);
  }
}

}  // namespace
}  // namespace octavo
