#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "octavo/core/qparams.h"
#include "octavo/core/rounding.h"

// The parts of PyTorch 1.13's HistogramObserver, in the order and width of its float operations: its parameters hang
// on comparisons of rounded sums. docs/numerics.md names what is odd about them.

namespace octavo::pytorch {

/// torch.sum of floats on CPUs with AVX2: four vectors of eight sums side by side, and sums of sums on three levels
/// above them. The order decides the last bits.
inline float sum(std::span<const float> x) {
  constexpr std::size_t kLanes = 32;
  constexpr std::size_t kVector = 8;
  constexpr std::size_t kLevels = 4;
  using Lanes = std::array<float, kLanes>;
  const auto add = [](Lanes& to, const float* from, std::size_t n) {
    for (std::size_t k = 0; k < n; ++k) to[k] += from[k];
  };
  const std::size_t rows = x.size() / kLanes;
  const auto log2 = static_cast<std::size_t>(rows > 1 ? std::bit_width(rows - 1) : 0);
  const std::size_t level_bits = std::max<std::size_t>(4, log2 / kLevels);
  const std::size_t step = std::size_t{1} << level_bits;
  std::array<Lanes, kLevels> levels{};
  std::size_t row = 0;
  while (row + step <= rows) {
    for (const std::size_t end = row + step; row < end; ++row) add(levels[0], x.data() + row * kLanes, kLanes);
    for (std::size_t level = 1; level < kLevels; ++level) {
      add(levels[level], levels[level - 1].data(), kLanes);
      levels[level - 1] = {};
      if ((row & ((step - 1) << (level * level_bits))) != 0) break;
    }
  }
  for (; row < rows; ++row) add(levels[0], x.data() + row * kLanes, kLanes);
  for (std::size_t level = 1; level < kLevels; ++level) add(levels[0], levels[level].data(), kLanes);
  Lanes& lanes = levels[0];
  const std::size_t vectors = x.size() / kVector;
  for (std::size_t v = rows * (kLanes / kVector); v < vectors; ++v) add(lanes, x.data() + v * kVector, kVector);
  for (std::size_t v = 1; v < kLanes / kVector; ++v) add(lanes, lanes.data() + v * kVector, kVector);
  float total = 0.0F;
  for (std::size_t i = vectors * kVector; i < x.size(); ++i) total += x[i];
  for (std::size_t k = 0; k < kVector; ++k) total += lanes[k];
  return total;
}

/// torch.histc with the limits of `range` cut off to whole numbers, as the observer calls it: what lies beyond is not
/// counted. Where nothing is left between the limits they are those of the values, `seen`, and a unit further on each
/// side where these are equal, too. NaN is not counted.
inline std::vector<float> histc(std::span<const float> x, std::size_t bins, const Range& range, const Range& seen) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  float low = round_toward_zero(range.min);
  float high = round_toward_zero(range.max);
  if (low == high) {
    low = seen.min;
    high = seen.max;
  }
  if (low == high) {
    low -= 1.0F;
    high += 1.0F;
  }
  const float width = high - low;
  const auto steps = static_cast<float>(bins);
  std::vector<std::uint64_t> counts(bins);
  for (const float raw : x) {
    const float v = raw < -kLargest ? -kLargest : raw > kLargest ? kLargest : raw;
    if (!(v >= low && v <= high)) continue;
    const float position = (v - low) / width * steps;
    if (!(position >= 0.0F)) continue;  // both differences overflowed
    ++counts[std::min(static_cast<std::size_t>(position), bins - 1)];
  }
  return {counts.begin(), counts.end()};
}

/// How a histogram moves onto a wider range: each bin is divided into parts, `parts_per_bin` of which make a bin of
/// the new one, in which the first part has index `offset`.
struct Resampling {
  Range range;  ///< the wider one, its maximum raised to a whole number of parts
  std::int64_t parts_per_bin = 1;
  std::int64_t offset = 0;
  /// The old bins are so narrow that PyTorch gives up; all of them go to the bin of index `offset`.
  bool too_fine = false;
};

inline Resampling resampling(const Range& range, const Range& wider, std::size_t bins, std::size_t upsample_rate) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  constexpr float kMostParts = 0x1p40F;
  const float part = (range.max - range.min) / static_cast<float>(bins * upsample_rate);
  const float bin = static_cast<float>(bins) * part;
  const float width = wider.max - wider.min;
  const float parts = std::ceil(width / bin);
  if (!(parts < kMostParts)) {
    const double share = (double{range.min} - double{wider.min}) / (double{wider.max} - double{wider.min});
    const auto at = static_cast<std::int64_t>(share * static_cast<double>(bins));
    return {wider, 1, std::min(at, static_cast<std::int64_t>(bins) - 1), true};
  }
  const float excess = parts * bin - width;
  const float offset = round_half_even((range.min - wider.min) / part);
  return {{wider.min, std::min(wider.max + excess, kLargest)},
          static_cast<std::int64_t>(parts),
          static_cast<std::int64_t>(offset),
          false};
}

/// The counts on the wider range, by differences of the running sum over all parts. Sums are rounded to float for the
/// lower end of a bin and not for the upper one.
inline std::vector<float> resampled(std::span<const float> counts, std::size_t upsample_rate, const Resampling& to) {
  std::vector<float> moved(counts.size());
  if (to.too_fine) {
    moved[static_cast<std::size_t>(to.offset)] = sum(counts);
    return moved;
  }
  const auto parts = static_cast<std::int64_t>(counts.size() * upsample_rate);
  double running = 0.0;
  double before = 0.0;
  std::int64_t part = 0;
  for (std::size_t k = 0; k < moved.size(); ++k) {
    const std::int64_t end = std::min(to.parts_per_bin * static_cast<std::int64_t>(k + 1) - to.offset, parts);
    for (; part < end; ++part) running += double{counts[static_cast<std::size_t>(part) / upsample_rate]};
    moved[k] = static_cast<float>((running - before) / static_cast<double>(upsample_rate));
    before = double{static_cast<float>(running)};
  }
  return moved;
}

/// The squared error of quantizing to `steps` steps between the begin of bin `first` and the end of bin `last`, as if
/// values were spread evenly over their bins.
class QuantizationError {
 public:
  QuantizationError(std::span<const float> counts, const Range& range, std::size_t steps)
      : counts_(counts),
        top_(static_cast<double>(steps - 1)),
        steps_(static_cast<double>(steps)),
        width_((double{range.max} - double{range.min}) / static_cast<double>(counts.size())),
        errors_(counts.size()) {}

  double between(std::size_t first, std::size_t last) {
    const double step = width_ * static_cast<double>(last - first + 1) / steps_;
    if (step == 0.0) return 0.0;
    const auto bin_width = static_cast<float>(width_);
    const auto step_width = static_cast<float>(step);
    const auto half_step = static_cast<float>(step / 2.0);
    const auto divisor = double{step_width};
    const float half_cubed = half_step * half_step * half_step;
    const float whole_step = (half_cubed + half_cubed) / 3.0F;
    for (std::size_t i = 0; i < errors_.size(); ++i) {
      const float begin =
          static_cast<float>(static_cast<std::int32_t>(i) - static_cast<std::int32_t>(first)) * bin_width;
      const float end = begin + bin_width;
      const float begin_step = step_of(double{begin} / divisor);
      const float end_step = step_of(double{end} / divisor);
      const float density = counts_[i] / bin_width;
      const float below = begin - (begin_step + 0.5F) * step_width;
      const float above = end - (end_step * step_width + half_step);
      float error = density * ((half_cubed - below * below * below) / 3.0F);
      error += (end_step - begin_step - 1.0F) * (density * whole_step);
      error += density * ((above * above * above + half_cubed) / 3.0F);
      errors_[i] = error;
    }
    return double{sum(errors_)};
  }

 private:
  /// The quotient in double is on the same side of every integer as the exact one.
  float step_of(double quotient) const {
    const double low = quotient > 0.0 ? quotient : 0.0;  // NaN too
    return static_cast<float>(static_cast<std::int32_t>(low < top_ ? low : top_));
  }

  std::span<const float> counts_;
  double top_;
  double steps_;
  double width_;
  std::vector<float> errors_;
};

/// The range to keep: takes off the end that has fewer values in its outermost bins, in steps of 1e-5 of all, until
/// the error grows (NormMinimization::NonlinearQuantizationParamsSearch of Caffe2).
inline Range least_squares_range(std::span<const float> counts, const Range& range, std::size_t steps) {
  constexpr double kStep = 1e-5;
  const float width = (range.max - range.min) / static_cast<float>(counts.size());
  if (!std::isfinite(width)) return range;
  std::vector<float> below;
  double running = 0.0;
  for (const float count : counts) below.push_back(static_cast<float>(running += double{count}));
  const auto total = double{sum(counts)};
  QuantizationError error(counts, range, steps);
  double alpha = 0.0;
  double beta = 1.0;
  std::size_t first = 0;
  std::size_t last = counts.size() - 1;
  double least = std::numeric_limits<double>::infinity();
  while (alpha < beta) {
    const double next_alpha = alpha + kStep;
    const double next_beta = beta - kStep;
    std::size_t left = first;
    std::size_t right = last;
    while (left < last && below[left] < static_cast<float>(next_alpha * total)) ++left;
    while (right > first && below[right] > static_cast<float>(next_beta * total)) --right;
    const bool from_below = left - first > last - right;
    (from_below ? alpha : beta) = from_below ? next_alpha : next_beta;
    if (from_below) {
      right = last;
    } else {
      left = first;
    }
    if (left == first && right == last) continue;
    const double now = error.between(left, right);
    if (now > least) break;
    least = now;
    first = left;
    last = right;
  }
  return {range.min + width * static_cast<float>(first), range.min + width * static_cast<float>(last + 1)};
}

}  // namespace octavo::pytorch
