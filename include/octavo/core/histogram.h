#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/bin_counts.h"
#include "octavo/core/bytes.h"
#include "octavo/core/counting_tables.h"
#include "octavo/core/kernels.h"
#include "octavo/core/qparams.h"
#include "octavo/core/require.h"

namespace octavo {

/// Counts of a tensor's values in bins anchored at zero, as many for each sign, whose width is a power of
/// two. The width follows from the largest magnitude alone; where two histograms differ in it, groups of the
/// finer one's bins join. Everything is exact integer arithmetic, so adding and merging in any order and
/// grouping gives one and the same state, that of all values counted at once.
class Histogram {
 public:
  /// `bins` for each sign: a power of two from 2 to 65536.
  explicit Histogram(int bins) : bins_(static_cast<std::uint32_t>(bins)), positive_(bins_), negative_(bins_) {
    OCTAVO_REQUIRE(bins >= 2 && bins <= 65536 && std::has_single_bit(bins_), "a power of two of bins, 2 to 65536");
  }

  /// Counts the elements of `x`; NaN is left out, infinities count as the largest finite float.
  void add(std::span<const float> x, const Kernels& kernels) {
    if (x.size() <= kFew) {
      add_few(x, kernels);
      return;
    }
    CountingTables tables(bins_, x.size());
    // Extremes and bins of a piece while it is in the nearest cache: memory is read once.
    while (!x.empty()) {
      const auto piece = x.first(std::min(x.size(), kPiece));
      x = x.subspan(piece.size());
      const Range seen = kernels.min_max_f32(piece.data(), piece.size());
      if (seen.empty()) continue;
      const int exponent = exponent_for(seen);
      if (exponent > exponent_ || tables.counted() + piece.size() > CountingTables::kMost) take(tables);
      widen_to(exponent);
      range_ = range_.joined(seen);
      tables.count(piece, std::ldexp(1.0F, -exponent_), kernels);
    }
    take(tables);
  }

  /// Adds the counts of another histogram with as many bins.
  void merge(const Histogram& other) {
    OCTAVO_REQUIRE(bins_ == other.bins_, "histograms with equal numbers of bins");
    widen_to(other.exponent_);
    range_ = range_.joined(other.range_);
    zeros_ += other.zeros_;
    const int shift = exponent_ - other.exponent_;
    positive_.add(other.positive_, shift);
    negative_.add(other.negative_, shift);
  }

  /// The same values counted in no more bins than these.
  Histogram with_bins(int bins) const {
    OCTAVO_REQUIRE(bins <= this->bins(), "no more bins than there are");
    Histogram coarser(bins);
    if (range_.empty()) return coarser;
    coarser.exponent_ = coarser.exponent_for(range_);
    coarser.range_ = range_;
    coarser.zeros_ = zeros_;
    coarser.positive_.add(positive_, coarser.exponent_ - exponent_);
    coarser.negative_.add(negative_, coarser.exponent_ - exponent_);
    return coarser;
  }

  int bins() const { return static_cast<int>(bins_); }
  double width() const { return std::ldexp(1.0, exponent_); }
  /// Extremes of all values, exact; empty before the first.
  const Range& range() const { return range_; }
  /// Values equal to zero. They are in no bin.
  std::uint64_t zeros() const { return zeros_; }
  /// Values with i <= |x| / width < i + 1 that are above or below zero.
  std::uint64_t positive(std::size_t i) const { return positive_.at(i); }
  std::uint64_t negative(std::size_t i) const { return negative_.at(i); }
  const BinCounts& positive() const { return positive_; }
  const BinCounts& negative() const { return negative_; }
  /// All values but NaN.
  std::uint64_t count() const {
    std::uint64_t sum = zeros_;
    for (const auto* side : {&positive_, &negative_}) {
      side->for_each([&](std::size_t, std::uint64_t n) { sum += n; });
    }
    return sum;
  }
  /// Values of each magnitude's bin, of either sign, up to the last bin in use.
  std::vector<std::uint64_t> magnitudes() const {
    std::vector<std::uint64_t> counts(bins_);
    std::size_t used = 0;
    for (const auto* side : {&positive_, &negative_}) {
      side->for_each([&](std::size_t i, std::uint64_t n) {
        counts[i] += n;
        used = std::max(used, i + 1);
      });
    }
    counts.resize(used);
    return counts;
  }

  void save(core::ByteWriter& out) const {
    out.u32(bins_);
    out.u32(static_cast<std::uint32_t>(exponent_ - kSmallestExponent));
    out.range(range_);
    out.u64(zeros_);
    positive_.save(out);
    negative_.save(out);
  }

  /// Takes what `save` wrote for as many bins; false, and unchanged, for anything else.
  bool load(core::ByteReader& in) {
    Histogram loaded(bins());
    const bool same_bins = in.u32() == bins_;
    const std::uint32_t exponent = in.u32();
    loaded.range_ = in.range();
    loaded.zeros_ = in.u64();
    if (!same_bins || exponent > kLargestExponent - kSmallestExponent || !core::plausible(loaded.range_)) return false;
    loaded.exponent_ = kSmallestExponent + static_cast<int>(exponent);
    if (loaded.exponent_ != exponent_for(loaded.range_)) return false;
    if (!loaded.positive_.load(in) || !loaded.negative_.load(in) || !loaded.within_range()) return false;
    *this = std::move(loaded);
    return true;
  }

  friend bool operator==(const Histogram&, const Histogram&) = default;

 private:
  static constexpr int kSmallestExponent = -126;  // so that the inverse of the width is finite
  static constexpr int kLargestExponent = 127;
  static constexpr std::size_t kFew = 128;      // values that are sorted in less time than tables are cleared in
  static constexpr std::size_t kPiece = 16384;  // values in 64 KiB

  /// Of the smallest width with which the largest magnitude falls below the end of the last bin.
  int exponent_for(const Range& range) const {
    const float absmax = range.empty() ? 0.0F : std::max(-range.min, range.max);
    if (absmax == 0.0F) return kSmallestExponent;
    int exponent = 0;
    std::frexp(absmax, &exponent);  // absmax < 2^exponent
    return std::max(exponent - std::countr_zero(bins_), kSmallestExponent);
  }

  void widen_to(int exponent) {
    if (exponent <= exponent_) return;
    positive_.widen(exponent - exponent_);
    negative_.widen(exponent - exponent_);
    exponent_ = exponent;
  }

  void take(CountingTables& tables) {
    if (tables.counted() == 0) return;
    const auto counts = tables.sums();
    positive_.add(counts.first(bins_));
    negative_.add(counts.subspan(bins_, bins_));
    zeros_ += counts[tables.binning().zero()];
    tables.clear();
  }

  void add_few(std::span<const float> x, const Kernels& kernels) {
    const Range seen = kernels.min_max_f32(x.data(), x.size());
    if (seen.empty()) return;
    widen_to(exponent_for(seen));
    range_ = range_.joined(seen);
    const Binning binning{std::ldexp(1.0F, -exponent_), bins_};
    std::array<std::uint32_t, kFew> index{};
    kernels.bin_index_f32(x.data(), x.size(), binning, index.data());
    const auto end = index.begin() + static_cast<std::ptrdiff_t>(x.size());
    std::sort(index.begin(), end);
    const auto from = [&](std::uint32_t slot) { return std::lower_bound(index.begin(), end, slot); };
    const auto second = from(bins_);
    const auto zero = from(binning.zero());
    positive_.add_sorted({index.begin(), second}, 0);
    negative_.add_sorted({second, zero}, bins_);
    zeros_ += static_cast<std::uint64_t>(from(binning.nan()) - zero);
  }

  /// Whether the bins in use are those that values within the range can fall into, zeros included.
  bool within_range() const {
    if (range_.empty()) return zeros_ == 0 && positive_.empty() && negative_.empty();
    const auto within = [&](const BinCounts& counts, float limit) {
      bool all = true;
      counts.for_each([&](std::size_t i, std::uint64_t) { all = all && static_cast<double>(i) * width() <= limit; });
      return all;
    };
    return within(positive_, range_.max) && within(negative_, -range_.min);
  }

  std::uint32_t bins_;
  int exponent_ = kSmallestExponent;
  Range range_;
  std::uint64_t zeros_ = 0;
  BinCounts positive_;
  BinCounts negative_;
};

}  // namespace octavo
