#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "octavo/core/weights/by_scale.h"

namespace octavo {

namespace detail {

/// The integer that both signs reach.
inline std::int32_t symmetric_bound(const AffineMap& map) {
  return std::min(map.quant_max - map.zero_point, map.zero_point - map.quant_min);
}

/// Where TNN's ADMM begins: four fifths of the largest magnitude, or for 2 bits the mean one.
inline float admm_start(std::span<const float> values, int bits, std::int32_t bound) {
  float sum = 0.0F;
  float largest = 0.0F;
  for (const float value : values) {
    sum += std::fabs(value);
    largest = std::max(largest, std::fabs(value));
  }
  if (bits <= 2) return sum / static_cast<float>(values.size());
  return static_cast<float>(static_cast<double>(largest) / (bound * 1.25));
}

/// TNN's loop to the bit: sums in float and in order, 1e-9 in each denominator, half away from zero, 1000 rounds, and
/// integers of the scale before the last. A round that gives its own scale again ends it: so would all that follow.
/// 0 where there is no such scale. Integers are without the zero point.
inline float tnn_admm_scale(std::span<const float> values, int bits, std::int32_t most,
                            std::span<std::int32_t> integers) {
  constexpr int kRounds = 1000;
  constexpr float kEps = 1e-9F;
  const auto bound = static_cast<float>(most);
  float scale = admm_start(values, bits, most);
  for (int round = 0; round < kRounds; ++round) {
    const float before = scale;
    float products = 0.0F;
    float squares = 0.0F;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float steps = round_half_away(values[i] / (before + kEps));
      const float q = std::min(bound, std::max(-bound, steps));
      integers[i] = static_cast<std::int32_t>(q);
      products += values[i] * q;
      squares += q * q;
    }
    scale = products / (squares + kEps);
    if (scale == before) break;
  }
  return std::isfinite(scale) && scale > 0.0F ? scale : 0.0F;
}

/// The same alternation in double, half to even, until neither scale nor integers change or the error no longer falls.
inline AffineMap admm_map(std::span<const float> values, AffineMap map, const QScheme& scheme,
                          std::span<std::int32_t> integers) {
  constexpr int kMostRounds = 1000;
  const AffineMap observed = map;
  const float start = admm_start(values, scheme.bits, symmetric_bound(map));
  if (std::isfinite(start)) map.scale = positive_scale(start, double{start}, scheme);
  double error = squared_error(values, map);
  for (int round = 0; round < kMostRounds; ++round) {
    quantize_values(values, map, integers);
    AffineMap next = map;
    next.scale = least_squares_scale(values, integers, map.zero_point, scheme);
    if (next.scale == map.scale || next.scale == 0.0F) break;
    const double next_error = squared_error(values, next);
    if (!(next_error < error)) break;
    map = next;
    error = next_error;
  }
  const bool found = std::any_of(integers.begin(), integers.end(), [&](auto q) { return q != map.zero_point; });
  if (!found) map = observed;  // all zero: nothing to fit
  quantize_values(values, map, integers);
  return map;
}

}  // namespace detail

/// Alternates nearest integers and the scale that fits them best, from TNN's start until it has converged: what its
/// ADMM aims at (Leng et al. 2018, arXiv 1707.09870). At most 1000 rounds; no round raises the squared error. For
/// symmetric schemes.
inline QuantizedTensor quantize_admm(const TensorView& weight, const QScheme& scheme, const QParams& observed,
                                     const Kernels&) {
  return detail::quantize_by_scale(weight, observed, [&](auto values, const AffineMap& map, auto integers) {
    return detail::admm_map(values, map, scheme, integers);
  });
}

/// TNN's ADMM exactly, whether it has converged or not (tools/quantization/calibration.cc). Integers within
/// ± what both signs reach. A scale that nothing is found for stays the observer's; where powers of two are asked for,
/// which TNN has not, its scale is raised to one. For symmetric schemes.
inline QuantizedTensor quantize_tnn_admm(const TensorView& weight, const QScheme& scheme, const QParams& observed,
                                         const Kernels&) {
  return detail::quantize_by_scale(weight, observed, [&](auto values, AffineMap map, auto integers) {
    const float scale = detail::tnn_admm_scale(values, scheme.bits, detail::symmetric_bound(map), integers);
    if (scale > 0.0F && scheme.power_of_two) {
      map.scale = detail::positive_scale(scale, double{scale}, scheme);
      detail::quantize_values(values, map, integers);
    } else if (scale > 0.0F) {
      map.scale = scale;
      for (std::int32_t& q : integers) q += map.zero_point;
    } else {
      detail::quantize_values(values, map, integers);
    }
    return map;
  });
}

}  // namespace octavo
