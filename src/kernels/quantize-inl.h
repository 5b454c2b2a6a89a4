// Included once for each instruction set: no include guard of the usual kind.
#if defined(OCTAVO_KERNELS_QUANTIZE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef OCTAVO_KERNELS_QUANTIZE_INL_H_
#undef OCTAVO_KERNELS_QUANTIZE_INL_H_
#else
#define OCTAVO_KERNELS_QUANTIZE_INL_H_
#endif

#include <hwy/highway.h>

#include "octavo/core/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace octavo {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The constants of an AffineMap in all lanes.
template <class D>
struct MapLanes {
  using V = hn::Vec<D>;
  MapLanes(D d, const AffineMap& map)
      : scale(hn::Set(d, map.scale)),
        inverse(hn::Set(d, 1.0F / map.scale)),
        low(hn::Set(d, static_cast<float>(map.quant_min - map.zero_point))),
        high(hn::Set(d, static_cast<float>(map.quant_max - map.zero_point))) {}
  /// NaN becomes 0, the rest is kept within the integers of the map.
  HWY_INLINE V clamped(V steps) const {
    return hn::Min(hn::Max(hn::IfThenElseZero(hn::Eq(steps, steps), steps), low), high);
  }
  V scale, inverse, low, high;
};

template <typename T>
HWY_INLINE void quantize_f32(const float* x, std::size_t n, const AffineMap& map, T* q) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::Rebind<T, decltype(d)> dt;
  const std::size_t lanes = hn::Lanes(d);
  const MapLanes lane_map(d, map);
  const auto zero_point = hn::Set(di, map.zero_point);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto steps = lane_map.clamped(hn::Div(hn::LoadU(d, x + i), lane_map.scale));
    const auto integer = hn::Add(hn::NearestInt(steps), zero_point);
    hn::StoreU(hn::DemoteTo(dt, integer), dt, q + i);
  }
  for (; i < n; ++i) q[i] = static_cast<T>(quantize_value(x[i], map));
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

inline void fake_quantize_f32(const float* x, std::size_t n, const AffineMap& map, float* y) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const MapLanes lane_map(d, map);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    // The way over an integer rounds half to even and loses the sign of zero, both as the plain code does.
    const auto steps = lane_map.clamped(hn::Mul(hn::LoadU(d, x + i), lane_map.inverse));
    hn::StoreU(hn::Mul(hn::ConvertTo(d, hn::NearestInt(steps)), lane_map.scale), d, y + i);
  }
  for (; i < n; ++i) y[i] = fake_quantize_value(x[i], map);
}

}  // namespace HWY_NAMESPACE
}  // namespace octavo
HWY_AFTER_NAMESPACE();

#endif
