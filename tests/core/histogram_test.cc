#include "octavo/core/histogram.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "samples.h"

namespace octavo {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();

Histogram counted(const std::vector<float>& values, int bins = 256) {
  Histogram histogram(bins);
  histogram.add(values, plain_kernels());
  return histogram;
}

/// Pictures whose magnitudes differ by powers of ten, an empty one and one of zeros among them.
std::vector<std::vector<float>> pictures() {
  std::vector<std::vector<float>> result = {{}, std::vector<float>(50, 0.0F)};
  std::uint32_t seed = 1;
  for (const float scale : {1.0F, 1e-3F, 30.0F, 1e-30F, 2.0F, 1e20F, 1e-42F}) {
    for (const Samples& kind : sample_kinds()) {
      result.push_back(kind.make(700, seed++));
      for (float& v : result.back()) v *= scale;
    }
  }
  return result;
}

TEST_CASE("Counts are those of a plain count at the final width") {
  for (const Samples& kind : sample_kinds()) {
    const std::vector<float> values = kind.make(5000, 3);
    const Histogram histogram = counted(values);
    std::vector<std::uint64_t> positive(256);
    std::vector<std::uint64_t> negative(256);
    std::uint64_t zeros = 0;
    for (const float v : values) {
      const auto bin = static_cast<std::size_t>(std::fabs(double{v}) / histogram.width());
      REQUIRE(bin < 256);
      ++(v == 0.0F ? zeros : v > 0.0F ? positive[bin] : negative[bin]);
    }
    INFO(kind.name);
    CHECK(histogram.zeros() == zeros);
    CHECK(histogram.count() == values.size());
    for (std::size_t i = 0; i < 256; ++i) {
      CHECK(histogram.positive(i) == positive[i]);
      CHECK(histogram.negative(i) == negative[i]);
    }
  }
}

TEST_CASE("Any order and grouping of pictures gives the state of all values at once") {
  const auto parts = pictures();
  std::vector<float> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  const Histogram expected = counted(all);

  Histogram forward(256);
  Histogram backward(256);
  for (const auto& part : parts) forward.merge(counted(part));
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) backward.merge(counted(*part));
  CHECK(forward == expected);
  CHECK(backward == expected);
  for (std::size_t shards = 2; shards <= 8; ++shards) {
    Histogram joined(256);
    for (std::size_t shard = 0; shard < shards; ++shard) {
      Histogram own(256);
      for (std::size_t i = shard; i < parts.size(); i += shards) own.merge(counted(parts[i]));
      joined.merge(own);
    }
    CHECK(joined == expected);
  }
  Histogram one_by_one(256);
  for (const auto& part : parts) one_by_one.add(part, plain_kernels());
  CHECK(one_by_one == expected);
}

TEST_CASE("A large tensor, counted in several tables, has the counts of its parts") {
  const std::vector<float> values = sample_kinds()[2].make(100003, 9);
  Histogram parts(256);
  for (std::size_t begin = 0; begin < values.size(); begin += 1000) {
    const std::size_t end = std::min(values.size(), begin + 1000);
    parts.merge(counted({values.begin() + static_cast<long>(begin), values.begin() + static_cast<long>(end)}));
  }
  CHECK(counted(values) == parts);
}

TEST_CASE("Extreme values have their places") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(counted({}) == Histogram(256));
  CHECK(counted({nan, nan}) == Histogram(256));
  const Histogram zeros = counted({0.0F, -0.0F});
  CHECK(zeros.zeros() == 2);
  CHECK(zeros.range() == Range{0.0F, 0.0F});
  const Histogram infinities = counted({kInfinity, -kInfinity, nan, 1.0F});
  CHECK(infinities.count() == 3);
  CHECK(infinities.range() == Range{-kLargest, kLargest});
  CHECK(infinities == counted({kLargest, -kLargest, 1.0F}));
  const Histogram denormals = counted({1e-45F, -1e-45F, 1e-40F});
  CHECK(denormals.count() == 3);
  for (const float power : {1.0F, 0.5F, 4096.0F}) {  // the end of a bin belongs to the next
    const Histogram exact = counted({power, std::nextafter(power, 0.0F)});
    CHECK(exact.width() == double{power} * 2 / 256);
    CHECK(exact.positive(128) == 1);
    CHECK(exact.positive(127) == 1);
  }
}

TEST_CASE("A saved histogram loads to the same; broken bytes change nothing") {
  for (const auto& values : pictures()) {
    const Histogram histogram = counted(values);
    std::vector<std::byte> bytes;
    core::ByteWriter writer(bytes);
    histogram.save(writer);
    Histogram loaded(256);
    core::ByteReader reader(bytes);
    REQUIRE(loaded.load(reader));
    CHECK(reader.complete());
    CHECK(loaded == histogram);
    for (const std::size_t length : {std::size_t{0}, std::size_t{3}, bytes.size() / 2, bytes.size() - 1}) {
      core::ByteReader cut({bytes.data(), length});
      CHECK_FALSE((loaded.load(cut) && cut.complete()));
    }
    Histogram other(512);
    core::ByteReader again(bytes);
    CHECK_FALSE(other.load(again));
    CHECK(other == Histogram(512));
  }
}

}  // namespace
}  // namespace octavo
