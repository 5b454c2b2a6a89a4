#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <type_traits>
#include <vector>

namespace octavo::detail {

/// Natural logarithm of a normal x > 0, of double to about 1e-14, of float to about 1e-7 of itself: without branches,
/// calls or tables, so that compilers vectorize it. With x = 2^e m and m about 1, ln m = 2 artanh((m - 1) / (m + 1)) as
/// a series.
// Always inlined: a call for each value is twice the time, and compilers' estimates fall on either side.
template <typename Real>
[[gnu::always_inline]] inline Real ln_normal(Real x) {
  constexpr bool kDouble = std::is_same_v<Real, double>;
  using Bits = std::conditional_t<kDouble, std::uint64_t, std::uint32_t>;
  constexpr int kMantissa = std::numeric_limits<Real>::digits - 1;
  constexpr Bits kHalfRoot = std::bit_cast<Bits>(static_cast<Real>(0.70710678118654752440));  // where m begins
  constexpr Real kInteger = static_cast<Real>(std::uint64_t{1} << kMantissa);
  constexpr Real kBias = static_cast<Real>(std::numeric_limits<Real>::max_exponent);
  const auto bits = std::bit_cast<Bits>(x);
  // e is biased, so that it stays positive: an integer in the low bits of 2^mantissa is that number plus 2^mantissa.
  const Bits biased = bits - kHalfRoot + (static_cast<Bits>(std::numeric_limits<Real>::max_exponent) << kMantissa);
  const Bits exponent = biased >> kMantissa;
  const Real m = std::bit_cast<Real>(
      static_cast<Bits>(bits - ((exponent - std::numeric_limits<Real>::max_exponent) << kMantissa)));
  const Real e = std::bit_cast<Real>(static_cast<Bits>(exponent | std::bit_cast<Bits>(kInteger))) - kInteger - kBias;
  const Real t = (m - Real{1}) / (m + Real{1});
  const Real t2 = t * t;
  // Written out: compilers that do not unroll a loop here do not vectorize the one around it.
  Real series = Real{1} / 7;
  if constexpr (kDouble) {
    series = Real{1} / 17;
    series = series * t2 + Real{1} / 15;
    series = series * t2 + Real{1} / 13;
    series = series * t2 + Real{1} / 11;
    series = series * t2 + Real{1} / 9;
    series = series * t2 + Real{1} / 7;
  }
  series = series * t2 + Real{1} / 5;
  series = series * t2 + Real{1} / 3;
  series = series * t2 + Real{1};
  return e * static_cast<Real>(0.69314718055994530942) + Real{2} * t * series;
}

/// Masses and the values whose logarithms they weigh.
template <typename Real>
struct WeightedLogarithms {
  std::vector<Real> mass;
  std::vector<Real> value;

  /// Room for `count` of both, padded so that the padding adds nothing.
  void resize(std::size_t count) {
    const std::size_t padded = (count + kLanes - 1) / kLanes * kLanes;
    mass.resize(padded, Real{0});
    value.resize(padded, Real{1});
  }

  /// Values become their logarithms.
  void take_logarithms() {
    for (Real& v : value) v = ln_normal(v);
  }
  /// Sum of mass · value.
  double weighted_sum() const {
    std::array<double, kLanes> sums{};  // apart: additions to one number would wait for each other
    for (std::size_t i = 0; i < mass.size(); i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sums[lane] += static_cast<double>(mass[i + lane]) * static_cast<double>(value[i + lane]);
      }
    }
    return std::accumulate(sums.begin(), sums.end(), 0.0);
  }
  /// Sum of mass · ln(value); values become their logarithms.
  double sum() {
    take_logarithms();
    return weighted_sum();
  }

 private:
  static constexpr std::size_t kLanes = 8;
};

/// The candidate from `first` to `last` of least divergence; `last` where all are infinite. Of candidates that differ
/// by no more than rounding, 1e-12, the lowest. `rough` is a divergence to within 3e-6, cheap enough for all; `precise`
/// one to within 1e-13 for those that it leaves in question.
template <typename Rough, typename Precise>
std::size_t least_divergence(std::size_t first, std::size_t last, const Rough& rough, const Precise& precise) {
  constexpr double kMargin = 6e-6;
  constexpr double kSame = 1e-12;
  std::vector<double> divergences;
  divergences.reserve(last + 1 - std::min(first, last));
  for (std::size_t candidate = first; candidate <= last; ++candidate) divergences.push_back(rough(candidate));
  if (divergences.empty()) return last;
  const double least_roughly = *std::min_element(divergences.begin(), divergences.end());
  if (least_roughly == std::numeric_limits<double>::infinity()) return last;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < divergences.size(); ++i) {
    const bool open = divergences[i] <= least_roughly + kMargin;
    divergences[i] = open ? precise(first + i) : std::numeric_limits<double>::infinity();
    least = std::min(least, divergences[i]);
  }
  const auto found = std::find_if(divergences.begin(), divergences.end(), [&](double d) { return d <= least + kSame; });
  return first + static_cast<std::size_t>(found - divergences.begin());
}

}  // namespace octavo::detail
