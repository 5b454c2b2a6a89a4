// Included once for each instruction set: no include guard of the usual kind.
#if defined(OCTAVO_KERNELS_QUANTIZE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef OCTAVO_KERNELS_QUANTIZE_INL_H_
#undef OCTAVO_KERNELS_QUANTIZE_INL_H_
#else
#define OCTAVO_KERNELS_QUANTIZE_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "octavo/core/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace octavo {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// 1.5 · 2^23: a float of magnitude below 2^22 that is added to it is rounded half to even, and its integer is in the
/// low bits of the sum. The conversions of instruction sets take longer, as they look after floats beyond integers.
inline constexpr float kInteger = 12582912.0F;

/// The constants of an AffineMap in all lanes.
template <class D>
struct MapLanes {
  using V = hn::Vec<D>;
  MapLanes(D d, const AffineMap& map)
      : scale(hn::Set(d, map.scale)),
        inverse(hn::Set(d, 1.0F / map.scale)),
        low(hn::Set(d, static_cast<float>(map.quant_min - map.zero_point))),
        high(hn::Set(d, static_cast<float>(map.quant_max - map.zero_point))),
        integer(hn::Set(d, kInteger)) {}
  /// NaN becomes 0, the rest is kept within the integers of the map, below 2^17 in magnitude; then rounded, plus
  /// kInteger.
  HWY_INLINE V rounded(V steps) const {
    const V number = hn::IfThenElseZero(hn::Eq(steps, steps), steps);
    return hn::Add(hn::Min(hn::Max(number, low), high), integer);
  }
  V scale, inverse, low, high, integer;
};

/// From where on results are written past the caches, which spares the processor reading their lines first, in
/// elements. Measured on Zen 4: 3.1 instead of 3.8 ms for 16 M floats to bytes, nothing for 0.8 M; in floats 4.2
/// instead of 5.7 ms for 16 M, but nearly twice as long for 0.8 M, which the caches hold.
inline constexpr std::size_t kStreamedBytes = std::size_t{1} << 18;
inline constexpr std::size_t kStreamedFloats = std::size_t{1} << 22;

/// How many elements to handle one by one before `to` is aligned for streaming.
template <typename T>
HWY_INLINE std::size_t unaligned_elements(const T* to) {
  constexpr std::uintptr_t kAlignment = 64;
  return static_cast<std::size_t>((kAlignment - reinterpret_cast<std::uintptr_t>(to) % kAlignment) % kAlignment) /
         sizeof(T);
}

template <bool kStream, typename T>
HWY_INLINE void quantize_vectors(const float* x, std::size_t n, const AffineMap& map, T* q) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::Rebind<T, decltype(d)> quarter;
  const std::size_t lanes = hn::Lanes(d);
  const MapLanes lane_map(d, map);
  const auto zero_point = hn::Set(di, map.zero_point - 0x4B400000);  // less the bits of kInteger
  const auto integers = [&](const float* from) HWY_ATTR {
    const auto rounded = lane_map.rounded(hn::Div(hn::LoadU(d, from), lane_map.scale));
    return hn::DemoteTo(quarter, hn::Add(hn::BitCast(di, rounded), zero_point));
  };
  std::size_t i = 0;
#if HWY_TARGET != HWY_SCALAR  // which has no vectors to combine
  const hn::Twice<decltype(quarter)> half;
  const hn::Twice<decltype(half)> whole;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    const auto low = hn::Combine(half, integers(x + i + lanes), integers(x + i));
    const auto high = hn::Combine(half, integers(x + i + 3 * lanes), integers(x + i + 2 * lanes));
    const auto bytes = hn::Combine(whole, high, low);
    if (kStream) {
      hn::Stream(bytes, whole, q + i);
    } else {
      hn::StoreU(bytes, whole, q + i);
    }
  }
#endif
  for (; i + lanes <= n; i += lanes) hn::StoreU(integers(x + i), quarter, q + i);
  for (; i < n; ++i) q[i] = static_cast<T>(quantize_value(x[i], map));
}

template <typename T>
HWY_INLINE void quantize_f32(const float* x, std::size_t n, const AffineMap& map, T* q) {
  if (n < kStreamedBytes) {
    quantize_vectors<false>(x, n, map, q);
    return;
  }
  const std::size_t begin = unaligned_elements(q);
  for (std::size_t i = 0; i < begin; ++i) q[i] = static_cast<T>(quantize_value(x[i], map));
  quantize_vectors<true>(x + begin, n - begin, map, q + begin);
  hwy::FlushStream();
}

template <typename T>
HWY_INLINE void dequantize_f32(const T* q, std::size_t n, const AffineMap& map, float* x) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::Rebind<T, decltype(d)> dt;
  const std::size_t lanes = hn::Lanes(d);
  const auto scale = hn::Set(d, map.scale);
  const auto zero_point = hn::Set(di, map.zero_point);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto steps = hn::Sub(hn::PromoteTo(di, hn::LoadU(dt, q + i)), zero_point);
    hn::StoreU(hn::Mul(hn::ConvertTo(d, steps), scale), d, x + i);
  }
  for (; i < n; ++i) x[i] = dequantize_value(q[i], map);
}

inline void quantize_f32_s8(const float* x, std::size_t n, const AffineMap& map, std::int8_t* q) {
  quantize_f32(x, n, map, q);
}
inline void quantize_f32_u8(const float* x, std::size_t n, const AffineMap& map, std::uint8_t* q) {
  quantize_f32(x, n, map, q);
}
inline void dequantize_s8_f32(const std::int8_t* q, std::size_t n, const AffineMap& map, float* x) {
  dequantize_f32(q, n, map, x);
}
inline void dequantize_u8_f32(const std::uint8_t* q, std::size_t n, const AffineMap& map, float* x) {
  dequantize_f32(q, n, map, x);
}

template <bool kStream>
HWY_INLINE void fake_quantize_vectors(const float* x, std::size_t n, const AffineMap& map, float* y) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const MapLanes lane_map(d, map);
  const auto fake_quantized = [&](const float* from) HWY_ATTR {
    // Taking kInteger away leaves +0 where the plain code adds zero to -0.
    const auto rounded = lane_map.rounded(hn::Mul(hn::LoadU(d, from), lane_map.inverse));
    return hn::Mul(hn::Sub(rounded, lane_map.integer), lane_map.scale);
  };
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto first = fake_quantized(x + i);  // both before a store: y may be x
    const auto second = fake_quantized(x + i + lanes);
    if (kStream) {
      hn::Stream(first, d, y + i);
      hn::Stream(second, d, y + i + lanes);
    } else {
      hn::StoreU(first, d, y + i);
      hn::StoreU(second, d, y + i + lanes);
    }
  }
  for (; i < n; ++i) y[i] = fake_quantize_value(x[i], map);
}

inline void fake_quantize_f32(const float* x, std::size_t n, const AffineMap& map, float* y) {
  const bool whole_floats = reinterpret_cast<std::uintptr_t>(y) % sizeof(float) == 0;
  if (n < kStreamedFloats || !whole_floats) {
    fake_quantize_vectors<false>(x, n, map, y);
    return;
  }
  const std::size_t begin = unaligned_elements(y);
  for (std::size_t i = 0; i < begin; ++i) y[i] = fake_quantize_value(x[i], map);
  fake_quantize_vectors<true>(x + begin, n - begin, map, y + begin);
  hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace octavo
HWY_AFTER_NAMESPACE();

#endif
