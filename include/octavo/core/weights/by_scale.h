#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/channels.h"
#include "octavo/core/qparams.h"
#include "octavo/core/quantize.h"

namespace octavo::detail {

/// Runs of elements, offset and count, that share a scale, for each scale of `params` on a tensor of `shape`.
inline std::vector<std::vector<std::pair<std::size_t, std::size_t>>> runs_by_scale(std::span<const std::int64_t> shape,
                                                                                   const QParams& params) {
  std::vector<std::vector<std::pair<std::size_t, std::size_t>>> runs(params.scale.size());
  const auto add = [&](std::size_t offset, std::size_t count, std::size_t scale) {
    runs[scale].emplace_back(offset, count);
  };
  if (params.per_group()) {
    for_each_in_group(group_layout(shape, params.axis, params.group_size), add);
    return runs;
  }
  const ChannelLayout layout = channel_layout(shape, params.axis);
  for (std::size_t o = 0; o < layout.outer; ++o) {
    for (std::size_t c = 0; c < layout.channels; ++c) add(layout.offset(o, c), layout.inner, c);
  }
  return runs;
}

/// Writes integers of one scale into their places.
inline void store_integers(const std::vector<std::pair<std::size_t, std::size_t>>& runs,
                           std::span<const std::int32_t> from, Tensor& to) {
  const auto store = [&](auto stored) {
    using T = decltype(stored);
    T* integers = to.mutable_data<T>().data();
    std::size_t i = 0;
    for (const auto& [offset, count] : runs) {
      for (std::size_t j = 0; j < count; ++j) integers[offset + j] = static_cast<T>(from[i++]);
    }
  };
  switch (to.dtype()) {
    case DType::i8:
      return store(std::int8_t{});
    case DType::u8:
      return store(std::uint8_t{});
    case DType::i16:
      return store(std::int16_t{});
    case DType::u16:
      return store(std::uint16_t{});
    default:
      OCTAVO_REQUIRE(false, "storage i8, u8, i16 or u16");
  }
}

/// Quantizes the weights of each scale by fit(values, map, integers), which begins with the observer's map, fills in
/// the integers and returns the map that belongs to them. NaN among the values is 0.
template <typename Fit>
QuantizedTensor quantize_by_scale(const TensorView& weight, const QParams& observed, const Fit& fit) {
  QuantizedTensor result;
  result.params = observed;
  result.integers = Tensor(observed.storage, Shape(weight.shape().begin(), weight.shape().end()));
  const auto all = weight.data<float>();
  const auto runs = runs_by_scale(weight.shape(), observed);
  std::vector<float> values;
  std::vector<std::int32_t> integers;
  for (std::size_t scale = 0; scale < runs.size(); ++scale) {
    values.clear();
    for (const auto& [offset, count] : runs[scale]) {
      for (const float v : all.subspan(offset, count)) values.push_back(std::isnan(v) ? 0.0F : v);
    }
    integers.assign(values.size(), 0);
    const AffineMap map = fit(std::span<const float>(values), affine_map(observed, scale), std::span(integers));
    result.params.scale[scale] = map.scale;
    result.params.zero_point[scale] = map.zero_point;
    store_integers(runs[scale], integers, result.integers);
  }
  return result;
}

/// Nearest integers of `values`.
inline void quantize_values(std::span<const float> values, const AffineMap& map, std::span<std::int32_t> integers) {
  for (std::size_t i = 0; i < values.size(); ++i) integers[i] = quantize_value(values[i], map);
}

/// Sum of (value - its quantized form)², as quantize_value and dequantize_value have it but for float's rounding.
inline double squared_error(std::span<const float> values, const AffineMap& map) {
  constexpr float kInteger = 12582912.0F;  // 1.5 · 2^23: added and taken away it rounds half to even
  const auto low = static_cast<float>(map.quant_min - map.zero_point);
  const auto high = static_cast<float>(map.quant_max - map.zero_point);
  std::array<double, 8> sums{};
  for (std::size_t i = 0; i < values.size(); i += sums.size()) {
    for (std::size_t lane = 0; lane < sums.size(); ++lane) {
      const float value = i + lane < values.size() ? values[i + lane] : 0.0F;
      float steps = value / map.scale;
      steps = steps < low ? low : steps;
      steps = steps > high ? high : steps;
      const float error = ((steps + kInteger) - kInteger) * map.scale - value;
      sums[lane] += static_cast<double>(error) * static_cast<double>(error);
    }
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

/// The scale that fits these integers best, Σ w·q / Σ q² with q less the zero point, as `scheme` allows it; 0 where all
/// integers are.
inline float least_squares_scale(std::span<const float> values, std::span<const std::int32_t> integers,
                                 std::int32_t zero_point, const QScheme& scheme) {
  double products = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto q = static_cast<double>(integers[i] - zero_point);
    products += static_cast<double>(values[i]) * q;
    squares += q * q;
  }
  if (!(products > 0.0)) return 0.0F;
  const float scale = static_cast<float>(std::min(products / squares, 3e38));
  const Range range{0.0F, scale * static_cast<float>(scheme.quant_max() - scheme.quant_min()) / 2.0F};
  return scheme.power_of_two ? qparams_from_range(range, scheme).scale[0] : std::max(scale, scheme.eps);
}

}  // namespace octavo::detail
