#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace octavo {

// Analytical clipping for integer quantization (Banner et al. 2018, arXiv 1810.05723) as TNN and ncnn compute it: the
// threshold that is best for values of a known distribution. For 2 to 8 bits; 0, no answer, for others.

/// For normal values, whose deviation is guessed from the largest magnitude of `count` values. It may lie beyond that
/// magnitude where values are few.
inline float aciq_gauss_threshold(float absmax, std::uint64_t count, int bits) {
  constexpr std::array kAlphas = {1.71063519, 2.15159277, 2.55913646, 2.93620062, 3.28691474, 3.6151146, 3.92403714};
  if (bits < 2 || bits > 8 || count < 2) return 0.0F;
  const double half_spread = 0.5 * 0.35 * (1.0 + std::sqrt(3.14159265358979323846 * std::log(4.0)));
  const double deviation = 2.0 * double{absmax} * half_spread / std::sqrt(2.0 * std::log(static_cast<double>(count)));
  return static_cast<float>(double{static_cast<float>(kAlphas[static_cast<std::size_t>(bits - 2)])} * deviation);
}

/// For Laplace-distributed values of this mean magnitude.
inline float aciq_laplace_threshold(float mean_magnitude, int bits) {
  constexpr std::array kAlphas = {2.83068299F, 3.89722946F, 5.02864014F, 6.20476633F,
                                  7.41312622F, 8.64561995F, 9.89675982F};
  if (bits < 2 || bits > 8) return 0.0F;
  return kAlphas[static_cast<std::size_t>(bits - 2)] * mean_magnitude;
}

}  // namespace octavo
