#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "octavo/core/weights/by_scale.h"

namespace octavo {

namespace detail {

/// Parameters of least squared error among ranges of 64ths of the values' own, the observer's included.
class LeastErrorSearch {
 public:
  LeastErrorSearch(std::span<const float> values, const AffineMap& observed, const QScheme& scheme)
      : values_(values), scheme_(scheme), best_(observed), least_(squared_error(values, observed)) {
    scheme_.axis = QScheme::kPerTensor;
    scheme_.group_size = 0;
    const auto [min, max] = std::minmax_element(values.begin(), values.end());
    range_ = {std::min(*min, 0.0F), std::max(*max, 0.0F)};
  }

  AffineMap found() {
    for (int share = kShares; share >= 1; --share) consider(share, share);
    if (scheme_.symmetric) return best_;
    // Either end a step at a time, as long as one gains: the error has one valley but for its ripples.
    for (bool gained = true; gained;) {
      gained = consider(low_ + 1, high_) || consider(low_ - 1, high_) || consider(low_, high_ + 1) ||
               consider(low_, high_ - 1);
    }
    return best_;
  }

 private:
  static constexpr int kShares = 64;

  bool consider(int low, int high) {
    if (std::min(low, high) < 1 || std::max(low, high) > kShares) return false;
    const Range range{range_.min * static_cast<float>(low) / kShares, range_.max * static_cast<float>(high) / kShares};
    const AffineMap map = affine_map(qparams_from_range(range, scheme_), 0);
    const double error = squared_error(values_, map);
    if (!(error < least_)) return false;
    best_ = map;
    least_ = error;
    low_ = low;
    high_ = high;
    return true;
  }

  std::span<const float> values_;
  QScheme scheme_;
  AffineMap best_;
  double least_;
  Range range_;
  int low_ = kShares;
  int high_ = kShares;
};

/// That, and under a symmetric scheme the scale that fits its integers best, while it gains.
inline AffineMap least_error_map(std::span<const float> values, const AffineMap& observed, const QScheme& scheme,
                                 std::span<std::int32_t> integers) {
  if (values.empty()) return observed;
  AffineMap map = LeastErrorSearch(values, observed, scheme).found();
  double least = squared_error(values, map);
  for (bool gained = scheme.symmetric; gained;) {
    quantize_values(values, map, integers);
    AffineMap next = map;
    next.scale = least_squares_scale(values, integers, map.zero_point, scheme);
    const double error = next.scale > 0.0F ? squared_error(values, next) : least;
    gained = error < least;
    if (!gained) break;
    map = next;
    least = error;
  }
  quantize_values(values, map, integers);
  return map;
}

}  // namespace detail

/// For each scale the range that leaves the least squared error (OMSE: Choukroun et al. 2019, arXiv 1902.06822), both
/// ends apart where the scheme is affine; never more error than the observer's parameters.
inline QuantizedTensor quantize_mse(const TensorView& weight, const QScheme& scheme, const QParams& observed,
                                    const Kernels&) {
  return detail::quantize_by_scale(weight, observed, [&](auto values, const AffineMap& map, auto integers) {
    return detail::least_error_map(values, map, scheme, integers);
  });
}

}  // namespace octavo
