#include "channel_sums.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace octavo::verify {
namespace {

constexpr std::size_t kChannelAxis = 1;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The power of two that brings q closest to f, as an exponent; 0 where the channel says nothing.
int rescale_exponent(double fq, double qq) {
  if (!(fq > 0.0) || !(qq > 0.0) || !std::isfinite(fq / qq)) return 0;
  return static_cast<int>(std::lround(std::log2(fq / qq)));
}

}  // namespace

void ChannelSums::add(const TensorView& reference, const TensorView& quantized) {
  const bool has_channels = reference.rank() > kChannelAxis;
  const auto channels = has_channels ? static_cast<std::size_t>(reference.dim(kChannelAxis)) : 1;
  channels_.resize(std::max(channels_.size(), channels));
  const auto f = reference.data<float>();
  const auto q = quantized.data<float>();
  if (f.empty()) return;
  const std::size_t outer = has_channels ? static_cast<std::size_t>(reference.dim(0)) : 1;
  const std::size_t inner = f.size() / (outer * channels);
  for (std::size_t row = 0; row < outer * channels; ++row) {
    Sums& sums = channels_[row % channels];
    for (std::size_t i = row * inner; i < (row + 1) * inner; ++i) {
      const double a = f[i];
      const double b = q[i];
      if (a == b && std::isinf(a)) continue;  // masks of attention: equal, and their difference is NaN
      const double error = std::abs(a - b);
      sums.ff += a * a;
      sums.fq += a * b;
      sums.qq += b * b;
      sums.ee += error * error;
      sums.max = std::max(sums.max, std::isnan(error) ? kInfinity : error);
    }
  }
}

void ChannelSums::add(const ChannelSums& other) {
  channels_.resize(std::max(channels_.size(), other.channels_.size()));
  for (std::size_t c = 0; c < other.channels_.size(); ++c) {
    channels_[c].ff += other.channels_[c].ff;
    channels_[c].fq += other.channels_[c].fq;
    channels_[c].qq += other.channels_[c].qq;
    channels_[c].ee += other.channels_[c].ee;
    channels_[c].max = std::max(channels_[c].max, other.channels_[c].max);
  }
}

template <typename Exponent>
Distance ChannelSums::distance(const Exponent& exponent_of) const {
  double ff = 0.0;
  double fq = 0.0;
  double qq = 0.0;
  double ee = 0.0;
  Distance distance;
  for (const Sums& sums : channels_) {
    const int exponent = exponent_of(sums);
    const double factor = std::ldexp(1.0, exponent);
    ff += sums.ff;
    fq += factor * sums.fq;
    qq += factor * factor * sums.qq;
    if (exponent == 0) {
      ee += sums.ee;
      distance.max_error = std::max(distance.max_error, sums.max);
    } else {
      ee += std::max(0.0, sums.ff - 2.0 * factor * sums.fq + factor * factor * sums.qq);
    }
  }
  // NaN stays NaN: an output that is none must not look perfect.
  distance.sqnr_db = ee == 0.0 ? kInfinity : 10.0 * std::log10(ff / ee);
  distance.cosine = ff == 0.0 || qq == 0.0 ? (ff == qq ? 1.0 : 0.0) : fq / std::sqrt(ff * qq);
  return distance;
}

Distance ChannelSums::distance() const {
  return distance([](const Sums&) { return 0; });
}

Distance ChannelSums::distance_of_rescaled() const {
  return distance([](const Sums& sums) { return rescale_exponent(sums.fq, sums.qq); });
}

}  // namespace octavo::verify
