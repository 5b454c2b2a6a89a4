#include "distance_sums.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace octavo::verify {
namespace {

constexpr std::size_t kChannelAxis = 1;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

void DistanceSums::add(const TensorView& reference, const TensorView& quantized, const std::vector<float>& factors) {
  const auto f = reference.data<float>();
  const auto q = quantized.data<float>();
  const bool by_channel = !factors.empty() && reference.rank() > kChannelAxis &&
                          static_cast<std::size_t>(reference.dim(kChannelAxis)) == factors.size();
  if (!by_channel || f.empty()) return add_row(f.data(), q.data(), f.size(), 1.0);
  const std::size_t rows = static_cast<std::size_t>(reference.dim(0)) * factors.size();
  const std::size_t inner = f.size() / rows;
  for (std::size_t row = 0; row < rows; ++row) {
    add_row(f.data() + row * inner, q.data() + row * inner, inner, factors[row % factors.size()]);
  }
}

void DistanceSums::add_row(const float* f, const float* q, std::size_t count, double factor) {
  for (std::size_t i = 0; i < count; ++i) {
    const double a = f[i];
    const double b = q[i] * factor;
    if (a == b && std::isinf(a)) continue;  // masks of attention: equal, and their difference is NaN
    const double error = std::abs(a - b);
    ff_ += a * a;
    fq_ += a * b;
    qq_ += b * b;
    ee_ += error * error;
    max_ = std::max(max_, std::isnan(error) ? kInfinity : error);
  }
}

void DistanceSums::add(const DistanceSums& other) {
  ff_ += other.ff_;
  fq_ += other.fq_;
  qq_ += other.qq_;
  ee_ += other.ee_;
  max_ = std::max(max_, other.max_);
}

Distance DistanceSums::distance() const {
  Distance distance;
  // NaN stays NaN: an output that is none must not look perfect.
  distance.sqnr_db = ee_ == 0.0 ? kInfinity : 10.0 * std::log10(ff_ / ee_);
  distance.cosine = ff_ == 0.0 || qq_ == 0.0 ? (ff_ == qq_ ? 1.0 : 0.0) : fq_ / std::sqrt(ff_ * qq_);
  distance.max_error = max_;
  return distance;
}

}  // namespace octavo::verify
