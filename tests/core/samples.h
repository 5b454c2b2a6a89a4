#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace octavo {

/// Values as networks have them, by name and seed: half zeros after a Relu, long tails, one far outlier.
struct Samples {
  const char* name;
  std::vector<float> (*make)(std::size_t count, std::uint32_t seed);
};

inline const std::vector<Samples>& sample_kinds() {
  static const std::vector<Samples> kinds = {
      {"normal",
       [](std::size_t count, std::uint32_t seed) {
         std::mt19937 random(seed);
         std::normal_distribution<float> normal;
         std::vector<float> values(count);
         for (float& v : values) v = normal(random);
         return values;
       }},
      {"after a Relu",
       [](std::size_t count, std::uint32_t seed) {
         std::mt19937 random(seed);
         std::normal_distribution<float> normal;
         std::vector<float> values(count);
         for (float& v : values) v = std::max(0.0F, normal(random));
         return values;
       }},
      {"long tails",
       [](std::size_t count, std::uint32_t seed) {
         std::mt19937 random(seed);
         std::student_t_distribution<float> tails(2.5F);
         std::vector<float> values(count);
         for (float& v : values) v = 0.3F + tails(random);
         return values;
       }},
      {"one outlier",
       [](std::size_t count, std::uint32_t seed) {
         std::mt19937 random(seed);
         std::uniform_real_distribution<float> uniform(-0.01F, 0.02F);
         std::vector<float> values(count);
         for (float& v : values) v = uniform(random);
         if (count > 0) values[count / 2] = -37.5F;
         return values;
       }},
  };
  return kinds;
}

}  // namespace octavo
