#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "octavo/core/histogram.h"
#include "octavo/core/searches/clipping.h"
#include "octavo/core/searches/divergence.h"

namespace octavo {

namespace detail {

/// The divergence that ONNX Runtime's entropy calibration minimizes over a histogram of both signs, for keeping the
/// bins [begin, end). p are the counts kept, what lies outside added to the first and last; q is p without that,
/// `levels` times as many equal bins joined and spread over the ones in use, in whole numbers; bins left over by the
/// division have q = 0. Both are smoothed: an empty bin gets 1e-4, which the bins in use give up in equal parts.
class EntropyDivergence {
 public:
  /// Of one choice of bins; kept from one to the next for its memory.
  struct Steps {
    double size = 0.0;
    double first = 0.0;  ///< p of the first bin
    double last = 0.0;
    double p_used = 0.0;  ///< bins of p that are not empty
    double q_used = 0.0;
    double q_sum = 0.0;
    double width = 0.0;        ///< bins of each step
    std::vector<double> q;     ///< of each step's bins; 0 for those left over, which come last
    std::vector<double> mass;  ///< sum of its p
    std::vector<double> used;  ///< its bins of p that are not empty
    double left_over = 0.0;    ///< how many bins those are
    WeightedLogarithms<float> rough;
    WeightedLogarithms<double> precise;
  };

  EntropyDivergence(std::span<const std::uint64_t> counts, std::size_t levels) : counts_(counts), levels_(levels) {
    sums_.push_back(0.0);
    used_.push_back(0.0);
    for (const std::uint64_t n : counts) {
      sums_.push_back(sums_.back() + static_cast<double>(n));
      used_.push_back(used_.back() + (n != 0 ? 1.0 : 0.0));
    }
    add_series();
  }

  /// By sums over bins and in floats, to within 3e-6; infinite where nothing remains of q.
  double rough(std::size_t begin, std::size_t end, Steps& steps) const {
    count_steps(begin, end, steps);
    const double taken = taken_of(steps.p_used, steps.size);
    if (taken > 0.01) return precise(begin, end, steps);  // beyond the series
    if (steps.q_used == 0.0) return std::numeric_limits<double>::infinity();
    double own = 0.0;
    const std::size_t first_inner = begin + 1;
    for (std::size_t order = 0; order < kOrders; ++order) {
      own += (series_[order][end - 1] - series_[order][first_inner]) * std::pow(taken, static_cast<double>(order));
    }
    const double empty = kSmoothing * std::log(kSmoothing);
    own += (end - 1 - first_inner - (used_[end - 1] - used_[first_inner])) * empty;
    for (const double edge : {steps.first, steps.last}) {
      own += edge == 0.0 ? empty : (edge - taken) * std::log(edge - taken);
    }
    return finished(own, steps, taken, steps.rough);
  }

  /// Bin by bin.
  double precise(std::size_t begin, std::size_t end, Steps& steps) const {
    count_steps(begin, end, steps);
    if (steps.q_used == 0.0) return std::numeric_limits<double>::infinity();
    const double taken = taken_of(steps.p_used, steps.size);
    double own = 0.0;
    for (std::size_t i = begin; i < end; ++i) {
      const double p = i == begin ? steps.first : i + 1 == end ? steps.last : static_cast<double>(counts_[i]);
      const double smoothed = p == 0.0 ? kSmoothing : p - taken;
      own += smoothed * std::log(smoothed);
    }
    return finished(own, steps, taken, steps.precise);
  }

 private:
  static constexpr double kSmoothing = 1e-4;
  static constexpr std::size_t kOrders = 5;

  /// What a bin in use gives up for the empty ones.
  static double taken_of(double used, double size) { return kSmoothing * (size - used) / used; }

  /// Prefix sums of the terms of (n - e) ln(n - e) = n ln n - e (ln n + 1) + e²/2n + e³/6n² + e⁴/12n³ ….
  void add_series() {
    series_.assign(kOrders, std::vector<double>(1, 0.0));
    for (const std::uint64_t count : counts_) {
      const auto n = static_cast<double>(count);
      const double logarithm = count == 0 ? 0.0 : std::log(n);
      const double inverse = count == 0 ? 0.0 : 1.0 / n;
      const std::array<double, kOrders> terms = {n * logarithm, count == 0 ? 0.0 : -(logarithm + 1.0), inverse / 2.0,
                                                 inverse * inverse / 6.0, inverse * inverse * inverse / 12.0};
      for (std::size_t order = 0; order < kOrders; ++order) {
        series_[order].push_back(series_[order].back() + terms[order]);
      }
    }
  }

  void count_steps(std::size_t begin, std::size_t end, Steps& steps) const {
    const std::size_t width = (end - begin) / levels_;
    const std::size_t rest = begin + width * levels_;
    const double left = sums_[begin];
    const double right = sums_.back() - sums_[end];
    const auto first = static_cast<double>(counts_[begin]);
    const auto last = static_cast<double>(counts_[end - 1]);
    const double first_new = first == 0.0 && left != 0.0 ? 1.0 : 0.0;  // in use by what lies outside alone
    const double last_new = last == 0.0 && right != 0.0 ? 1.0 : 0.0;
    steps.size = static_cast<double>(end - begin);
    steps.first = first + left;
    steps.last = last + right;
    steps.p_used = used_[end] - used_[begin] + first_new + last_new;
    steps.width = static_cast<double>(width);
    steps.left_over = static_cast<double>(end - rest);
    for (auto* each : {&steps.q, &steps.mass, &steps.used}) each->resize(levels_ + 1);
    for (std::size_t step = 0; step <= levels_; ++step) {
      const std::size_t from = begin + step * width;
      const std::size_t to = step == levels_ ? end : from + width;
      steps.mass[step] = sums_[to] - sums_[from];
      steps.used[step] = used_[to] - used_[from];
    }
    const std::size_t last_step = rest == end ? levels_ - 1 : levels_;
    steps.mass[0] += left;
    steps.used[0] += first_new;
    steps.mass[last_step] += right;
    steps.used[last_step] += last_new;
    steps.q_used = 0.0;
    steps.q_sum = 0.0;
    for (std::size_t step = 0; step < levels_; ++step) {
      const std::size_t from = begin + step * width;
      const double kept = sums_[step + 1 == levels_ ? end : from + width] - sums_[from];
      steps.q[step] =
          steps.used[step] == 0.0 ? 0.0 : static_cast<double>(static_cast<std::int64_t>(kept / steps.used[step]));
      steps.q_used += steps.q[step] == 0.0 ? 0.0 : steps.width;
      steps.q_sum += steps.q[step] * steps.width;
    }
    steps.q[levels_] = 0.0;
  }

  /// From the sum of p ln p to the divergence.
  template <typename Real>
  double finished(double own, const Steps& steps, double taken, WeightedLogarithms<Real>& parts) const {
    const double q_taken = taken_of(steps.q_used, steps.size);
    parts.resize(levels_ + 1);
    for (std::size_t step = 0; step <= levels_; ++step) {
      const double bins = step == levels_ ? steps.left_over : steps.width;
      const double used = steps.used[step];
      parts.mass[step] = static_cast<Real>(steps.mass[step] - taken * used + kSmoothing * (bins - used));
      parts.value[step] = static_cast<Real>(steps.q[step] == 0.0 ? kSmoothing : steps.q[step] - q_taken);
    }
    const double total = sums_.back();
    return (own - parts.sum()) / total + std::log(steps.q_sum / total);
  }

  std::span<const std::uint64_t> counts_;
  std::size_t levels_;
  std::vector<double> sums_;
  std::vector<double> used_;
  std::vector<std::vector<double>> series_;
};

}  // namespace detail

/// How many bins either side of zero ONNX Runtime's entropy calibration keeps of a histogram of both signs: those from
/// half - i to half + i, where half is half the number of bins. i runs from levels / 2 to half, which is the answer
/// where all divergences are infinite; ONNX Runtime takes the smallest then.
inline std::size_t entropy_half_bins(std::span<const std::uint64_t> counts, std::size_t levels) {
  const detail::EntropyDivergence divergence(counts, levels);
  detail::EntropyDivergence::Steps steps;
  const std::size_t half = counts.size() / 2;
  const auto end_of = [&](std::size_t i) { return std::min(half + i + 1, counts.size()); };
  return detail::least_divergence(
      levels / 2, half, [&](std::size_t i) { return divergence.rough(half - i, end_of(i), steps); },
      [&](std::size_t i) { return divergence.precise(half - i, end_of(i), steps); });
}

/// The range of that choice among `num_bins` bins of [-absmax, absmax]; no end lies beyond what was seen. Both numbers
/// are even. The whole range where there is nothing but zeros.
inline Range entropy_range(const Histogram& histogram, std::size_t num_bins, std::size_t levels) {
  const Range& seen = histogram.range();
  const float absmax = absmax_of(seen);
  if (absmax == 0.0F) return seen;
  const std::size_t half = num_bins / 2;
  std::vector<std::uint64_t> counts(num_bins);
  const auto fill = [&](const BinCounts& side, const auto& bin_of) {
    std::vector<std::uint64_t> fine(side.bins());
    side.for_each([&](std::size_t i, std::uint64_t n) { fine[i] = n; });
    const auto coarse = rebinned(fine, histogram.width(), absmax, half, 1.0);
    for (std::size_t i = 0; i < half; ++i) counts[bin_of(i)] = static_cast<std::uint64_t>(coarse[i]);
  };
  fill(histogram.positive(), [&](std::size_t i) { return half + i; });
  fill(histogram.negative(), [&](std::size_t i) { return half - 1 - i; });
  counts[half] += histogram.zeros();
  const std::size_t keep = entropy_half_bins(counts, levels);
  const auto edge = [&](std::size_t bins) {
    return static_cast<float>(absmax * (static_cast<double>(bins) / static_cast<double>(half)));
  };
  return {std::max(seen.min, -edge(keep)), std::min(seen.max, edge(std::min(keep + 1, half)))};
}

}  // namespace octavo
