#include <hwy/targets.h>

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "octavo/kernels.h"

namespace octavo {
namespace {

/// Twice the lanes of the widest instruction set, and one.
constexpr std::size_t kLongest = 2 * 2 * 16 + 1;

/// Runs `check` with the kernels of each instruction set that this machine has and the build knows.
template <typename Check>
void on_every_isa(const Check& check) {
  for (auto left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) {
    hwy::SetSupportedTargetsForTest(left & -left);
    const Kernels& kernels = fast_kernels();
    INFO("on " << kernels.isa);
    CHECK(kernels.isa == std::string(hwy::TargetName(left & -left)));
    check(kernels);
    hwy::SetSupportedTargetsForTest(0);
  }
}

std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }

/// Values that kernels get wrong first, then ordinary ones.
std::vector<float> hard_values(const AffineMap& map) {
  using Limits = std::numeric_limits<float>;
  std::vector<float> values = {0.0F,
                               -0.0F,
                               Limits::infinity(),
                               -Limits::infinity(),
                               Limits::quiet_NaN(),
                               -Limits::quiet_NaN(),
                               Limits::max(),
                               Limits::lowest(),
                               Limits::min(),
                               -Limits::min(),
                               Limits::denorm_min(),
                               -Limits::denorm_min(),
                               2147483648.0F,
                               -2147483648.0F,
                               4294967296.0F};
  for (int steps = -300; steps <= 300; ++steps) {  // exact ties and what lies next to them
    const float tie = (static_cast<float>(steps) + 0.5F) * map.scale;
    values.insert(values.end(), {tie, std::nextafter(tie, Limits::infinity()), std::nextafter(tie, Limits::lowest()),
                                 static_cast<float>(steps) * map.scale});
  }
  std::mt19937 random(20240601);
  for (int i = 0; i < 3000; ++i) values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
  std::normal_distribution<float> normal(0.0F, 60.0F * map.scale);
  for (int i = 0; i < 3000; ++i) values.push_back(normal(random));
  return values;
}

std::vector<AffineMap> maps(bool is_signed) {
  std::vector<AffineMap> result;
  for (const float scale : {1.0F, 0.1F, 0.0078125F, 1.1920929e-07F, 3.0e36F, 1.0e-40F}) {
    if (is_signed) {
      for (const int zero_point : {-128, -3, 0, 127}) result.push_back({scale, zero_point, -128, 127});
      result.push_back({scale, 0, -127, 127});
      result.push_back({scale, 0, -8, 7});
    } else {
      for (const int zero_point : {0, 1, 128, 255}) result.push_back({scale, zero_point, 0, 255});
      result.push_back({scale, 0, 0, 1});
    }
  }
  return result;
}

/// Compares a kernel that maps `From` to `To` with the plain one: all lengths, all alignments, all hard values.
template <typename From, typename To>
void compare(const std::vector<From>& values, const AffineMap& map,
             void (*fast)(const From*, std::size_t, const AffineMap&, To*),
             void (*plain)(const From*, std::size_t, const AffineMap&, To*)) {
  std::vector<To> expected(values.size() + 1);
  std::vector<To> found(values.size() + 1);
  const auto same = [&](std::size_t begin, std::size_t n) {
    std::memset(expected.data(), 77, expected.size() * sizeof(To));
    std::memset(found.data(), 77, found.size() * sizeof(To));
    plain(values.data() + begin, n, map, expected.data() + begin);
    fast(values.data() + begin, n, map, found.data() + begin);
    return std::memcmp(expected.data(), found.data(), found.size() * sizeof(To)) == 0;
  };
  CAPTURE(map.scale, map.zero_point, map.quant_min, map.quant_max);
  CHECK(same(0, values.size()));
  if (map.scale != 0.1F) return;  // lengths and alignments have nothing to do with the numbers
  bool all_same = true;
  for (std::size_t n = 0; n <= kLongest; ++n) {
    for (std::size_t begin = 0; begin < 5; ++begin) all_same = all_same && same(begin, n);
  }
  CHECK(all_same);
}

TEST_CASE("The instruction sets that are covered are listed") {
  std::string covered;
  on_every_isa([&](const Kernels& kernels) { covered += std::string(" ") + kernels.isa; });
  WARN("instruction sets covered:" << covered);
  CHECK_FALSE(covered.empty());
}

TEST_CASE("Quantizing is the same to the bit on every instruction set") {
  on_every_isa([](const Kernels& kernels) {
    for (const AffineMap& map : maps(true)) {
      compare(hard_values(map), map, kernels.quantize_f32_s8, plain_kernels().quantize_f32_s8);
    }
    for (const AffineMap& map : maps(false)) {
      compare(hard_values(map), map, kernels.quantize_f32_u8, plain_kernels().quantize_f32_u8);
    }
  });
}

TEST_CASE("Dequantizing is the same to the bit on every instruction set") {
  std::vector<std::int8_t> signed_values;
  std::vector<std::uint8_t> unsigned_values;
  for (int q = 0; q < 256; ++q) {
    signed_values.push_back(static_cast<std::int8_t>(q - 128));
    unsigned_values.push_back(static_cast<std::uint8_t>(q));
  }
  on_every_isa([&](const Kernels& kernels) {
    for (const AffineMap& map : maps(true)) {
      compare(signed_values, map, kernels.dequantize_s8_f32, plain_kernels().dequantize_s8_f32);
    }
    for (const AffineMap& map : maps(false)) {
      compare(unsigned_values, map, kernels.dequantize_u8_f32, plain_kernels().dequantize_u8_f32);
    }
  });
}

TEST_CASE("Fake quantization is the same to the bit on every instruction set, in place too") {
  on_every_isa([](const Kernels& kernels) {
    for (const bool is_signed : {true, false}) {
      for (const AffineMap& map : maps(is_signed)) {
        std::vector<float> values = hard_values(map);
        compare(values, map, kernels.fake_quantize_f32, plain_kernels().fake_quantize_f32);
        std::vector<float> expected(values.size());
        plain_kernels().fake_quantize_f32(values.data(), values.size(), map, expected.data());
        kernels.fake_quantize_f32(values.data(), values.size(), map, values.data());
        CHECK(std::memcmp(values.data(), expected.data(), values.size() * sizeof(float)) == 0);
      }
    }
  });
}

TEST_CASE("Results that are written past the caches are the same, from any address on") {
  const AffineMap map{0.1F, 3, -128, 127};
  const std::vector<float> hard = hard_values(map);
  const auto large = [&](std::size_t count) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = hard[i % hard.size()];
    return values;
  };
  const std::vector<float> quarter_million = large((std::size_t{1} << 18) + 1234);
  const std::vector<float> four_million = large((std::size_t{1} << 22) + 1234);
  std::vector<float> expected(four_million.size());
  plain_kernels().fake_quantize_f32(four_million.data(), four_million.size(), map, expected.data());
  on_every_isa([&](const Kernels& kernels) {
    for (const std::size_t offset : {0U, 1U, 37U}) {
      std::vector<std::int8_t> plain(quarter_million.size(), 77);
      std::vector<std::int8_t> found(quarter_million.size(), 77);
      const std::size_t n = quarter_million.size() - offset - 5;
      plain_kernels().quantize_f32_s8(quarter_million.data() + offset, n, map, plain.data() + offset);
      kernels.quantize_f32_s8(quarter_million.data() + offset, n, map, found.data() + offset);
      CHECK(found == plain);
    }
    std::vector<float> values = four_million;
    kernels.fake_quantize_f32(values.data() + 3, values.size() - 3, map, values.data() + 3);
    CHECK(std::memcmp(values.data() + 3, expected.data() + 3, (values.size() - 3) * sizeof(float)) == 0);
  });
}

TEST_CASE("Bin indices are the same on every instruction set") {
  on_every_isa([](const Kernels& kernels) {
    for (const float inverse_width : {1.0F, 0x1p-116F, 0x1p126F, 64.0F}) {
      for (const std::uint32_t bins : {2U, 2048U, 65536U}) {
        const Binning binning{inverse_width, bins};
        std::vector<float> values = hard_values({1.0F / inverse_width, 0, 0, 255});
        std::vector<std::uint32_t> expected(values.size());
        std::vector<std::uint32_t> found(values.size());
        CAPTURE(inverse_width, bins);
        plain_kernels().bin_index_f32(values.data(), values.size(), binning, expected.data());
        kernels.bin_index_f32(values.data(), values.size(), binning, found.data());
        CHECK(found == expected);
        bool inside = true;
        for (const std::uint32_t slot : found) inside = inside && slot < binning.slots();
        CHECK(inside);
      }
    }
  });
}

TEST_CASE("Extremes are the same to the bit on every instruction set") {
  const std::vector<float> values = hard_values({0.1F, 0, 0, 255});
  on_every_isa([&](const Kernels& kernels) {
    const auto same = [&](const float* x, std::size_t n) {
      const Range expected = plain_kernels().min_max_f32(x, n);
      const Range found = kernels.min_max_f32(x, n);
      return bits(found.min) == bits(expected.min) && bits(found.max) == bits(expected.max);
    };
    bool all_same = same(values.data(), values.size());
    for (std::size_t n = 0; n <= kLongest; ++n) {
      for (std::size_t begin = 0; begin + n <= values.size(); begin += 7) {
        all_same = all_same && same(values.data() + begin, n);
      }
    }
    CHECK(all_same);
    for (const float value : {0.0F, -0.0F, std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
      const std::vector<float> all(40, value);
      CAPTURE(value);
      CHECK(same(all.data(), all.size()));
    }
  });
}

}  // namespace
}  // namespace octavo
