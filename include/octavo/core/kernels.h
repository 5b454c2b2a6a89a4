#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "octavo/core/qparams.h"
#include "octavo/core/rounding.h"

namespace octavo {

/// Bins of a histogram that is anchored at zero: bin i of a sign holds i <= |x| / width < i + 1. The width is
/// a power of two, so that its inverse and the product are exact.
struct Binning {
  float inverse_width = 1.0F;
  std::uint32_t bins = 0;  ///< for each sign, below 2^24

  /// Indices of the values that have no bin: bins of x > 0, then bins of x < 0, then these.
  std::uint32_t zero() const { return 2 * bins; }
  std::uint32_t nan() const { return 2 * bins + 1; }
  std::uint32_t slots() const { return 2 * bins + 2; }
};

/// The loops that observers and quantizers spend their time in, over `n` elements without alignment. In place
/// is allowed where types agree. All implementations give the same bits: `plain_kernels` is the meaning,
/// `fast_kernels` of octavo/kernels.h the vectorized form.
struct Kernels {
  const char* isa;  ///< "plain", "AVX2" …
  /// Extremes; NaN is ignored, infinities count as the largest finite float, -0 as +0.
  Range (*min_max_f32)(const float* x, std::size_t n);
  /// Index of each element's bin; values beyond the last bin go into the last.
  void (*bin_index_f32)(const float* x, std::size_t n, const Binning& binning, std::uint32_t* index);
  void (*quantize_f32_s8)(const float* x, std::size_t n, const AffineMap& map, std::int8_t* q);
  void (*quantize_f32_u8)(const float* x, std::size_t n, const AffineMap& map, std::uint8_t* q);
  void (*dequantize_s8_f32)(const std::int8_t* q, std::size_t n, const AffineMap& map, float* x);
  void (*dequantize_u8_f32)(const std::uint8_t* q, std::size_t n, const AffineMap& map, float* x);
  void (*fake_quantize_f32)(const float* x, std::size_t n, const AffineMap& map, float* y);
};

namespace detail {

/// What a vectorized min_max shares with the plain one: from raw extremes to the promised range.
inline Range finite_range(Range raw) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  if (raw.empty()) return {};
  return {std::clamp(raw.min, -kLargest, kLargest) + 0.0F, std::clamp(raw.max, -kLargest, kLargest) + 0.0F};
}

inline Range min_max_plain(const float* x, std::size_t n) {
  Range raw;
  for (std::size_t i = 0; i < n; ++i) {
    if (x[i] < raw.min) raw.min = x[i];
    if (x[i] > raw.max) raw.max = x[i];
  }
  return finite_range(raw);
}

inline std::uint32_t bin_index_value(float x, const Binning& binning) {
  if (std::isnan(x)) return binning.nan();
  if (x == 0.0F) return binning.zero();
  const float position = std::min(std::fabs(x) * binning.inverse_width, static_cast<float>(binning.bins - 1));
  return static_cast<std::uint32_t>(position) + (x < 0.0F ? binning.bins : 0);
}

inline void bin_index_plain(const float* x, std::size_t n, const Binning& binning, std::uint32_t* index) {
  for (std::size_t i = 0; i < n; ++i) index[i] = bin_index_value(x[i], binning);
}

template <typename T>
void quantize_plain(const float* x, std::size_t n, const AffineMap& map, T* q) {
  for (std::size_t i = 0; i < n; ++i) q[i] = static_cast<T>(quantize_value(x[i], map));
}

template <typename T>
void dequantize_plain(const T* q, std::size_t n, const AffineMap& map, float* x) {
  for (std::size_t i = 0; i < n; ++i) x[i] = dequantize_value(static_cast<std::int32_t>(q[i]), map);
}

inline void fake_quantize_plain(const float* x, std::size_t n, const AffineMap& map, float* y) {
  for (std::size_t i = 0; i < n; ++i) y[i] = fake_quantize_value(x[i], map);
}

inline constexpr Kernels kPlainKernels = {"plain",
                                          &min_max_plain,
                                          &bin_index_plain,
                                          &quantize_plain<std::int8_t>,
                                          &quantize_plain<std::uint8_t>,
                                          &dequantize_plain<std::int8_t>,
                                          &dequantize_plain<std::uint8_t>,
                                          &fake_quantize_plain};

}  // namespace detail

/// The specification as loops, for core used alone.
inline const Kernels& plain_kernels() { return detail::kPlainKernels; }

}  // namespace octavo
