#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "octavo/core/bytes.h"
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
  explicit Histogram(int bins) : bins_(static_cast<std::uint32_t>(bins)) {
    OCTAVO_REQUIRE(bins >= 2 && bins <= 65536 && std::has_single_bit(bins_), "a power of two of bins, 2 to 65536");
  }

  /// Counts the elements of `x`; NaN is left out, infinities count as the largest finite float.
  void add(std::span<const float> x, const Kernels& kernels) {
    const Range seen = kernels.min_max_f32(x.data(), x.size());
    if (seen.empty()) return;
    widen_to(exponent_for(std::max(-seen.min, seen.max)));
    range_ = range_.joined(seen);
    constexpr std::size_t kMost = std::size_t{1} << 30;  // counts of one piece fit 32 bits
    for (; x.size() > kMost; x = x.subspan(kMost)) add_piece(x.first(kMost), kernels);
    add_piece(x, kernels);
  }

  /// Adds the counts of another histogram with as many bins.
  void merge(const Histogram& other) {
    OCTAVO_REQUIRE(bins_ == other.bins_, "histograms with equal numbers of bins");
    widen_to(other.exponent_);
    range_ = range_.joined(other.range_);
    zeros_ += other.zeros_;
    const int shift = exponent_ - other.exponent_;
    add_shifted(positive_, other.positive_, shift);
    add_shifted(negative_, other.negative_, shift);
  }

  int bins() const { return static_cast<int>(bins_); }
  double width() const { return std::ldexp(1.0, exponent_); }
  /// Extremes of all values, exact; empty before the first.
  const Range& range() const { return range_; }
  /// Values equal to zero. They are in no bin.
  std::uint64_t zeros() const { return zeros_; }
  /// Values with i <= |x| / width < i + 1 that are above or below zero.
  std::uint64_t positive(std::size_t i) const { return positive_.empty() ? 0 : positive_[i]; }
  std::uint64_t negative(std::size_t i) const { return negative_.empty() ? 0 : negative_[i]; }
  /// All values but NaN.
  std::uint64_t count() const {
    std::uint64_t sum = zeros_;
    for (const std::uint64_t n : positive_) sum += n;
    for (const std::uint64_t n : negative_) sum += n;
    return sum;
  }

  void save(core::ByteWriter& out) const {
    out.u32(bins_);
    out.u32(static_cast<std::uint32_t>(exponent_ - kSmallestExponent));
    out.range(range_);
    out.u64(zeros_);
    for (const auto* side : {&positive_, &negative_}) {
      out.u32(static_cast<std::uint32_t>(side->size()));
      for (const std::uint64_t n : *side) out.u64(n);
    }
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
    for (auto* side : {&loaded.positive_, &loaded.negative_}) {
      const std::uint32_t size = in.u32();
      if ((size != 0 && size != bins_) || in.left() / 8 < size) return false;
      for (std::uint32_t i = 0; i < size; ++i) side->push_back(in.u64());
    }
    *this = std::move(loaded);
    return true;
  }

  friend bool operator==(const Histogram&, const Histogram&) = default;

 private:
  using Counts = std::vector<std::uint64_t>;      // empty while all are zero: most tensors are one-sided
  static constexpr int kSmallestExponent = -126;  // so that the inverse of the width is finite
  static constexpr int kLargestExponent = 127;

  /// Of the smallest width with which `absmax` falls below the end of the last bin.
  int exponent_for(float absmax) const {
    int exponent = 0;
    std::frexp(absmax, &exponent);  // absmax < 2^exponent
    if (absmax == 0.0F) return kSmallestExponent;
    return std::max(exponent - std::countr_zero(bins_), kSmallestExponent);
  }

  void widen_to(int exponent) {
    if (exponent <= exponent_) return;
    const int shift = exponent - exponent_;
    for (auto* side : {&positive_, &negative_}) {
      Counts finer;
      finer.swap(*side);
      add_shifted(*side, finer, shift);
    }
    exponent_ = exponent;
  }

  static void add_shifted(Counts& to, const Counts& from, int shift) {
    if (from.empty()) return;
    if (to.empty()) to.resize(from.size());
    shift = std::min(shift, 31);
    for (std::size_t i = 0; i < from.size(); ++i) to[i >> shift] += from[i];
  }

  void add_piece(std::span<const float> x, const Kernels& kernels) {
    const Binning binning{std::ldexp(1.0F, -exponent_), bins_};
    const std::size_t slots = binning.slots();
    // Neighbours are often equal, and an addition to a count just written waits for that write: several
    // tables in turn, unless clearing them costs more.
    const std::size_t tables = x.size() < 8 * slots ? 1 : kTables;
    std::vector<std::uint32_t> counts(tables * slots);
    std::array<std::uint32_t, 512> index;
    while (!x.empty()) {
      const std::size_t n = std::min(x.size(), index.size());
      kernels.bin_index_f32(x.data(), n, binning, index.data());
      count_indices(index.data(), n, counts.data(), tables == 1 ? 0 : slots);
      x = x.subspan(n);
    }
    for (std::size_t table = 1; table < tables; ++table) {
      for (std::size_t i = 0; i < slots; ++i) counts[i] += counts[table * slots + i];
    }
    zeros_ += counts[binning.zero()];
    add_counts(positive_, {counts.data(), bins_});
    add_counts(negative_, {counts.data() + bins_, bins_});
  }

  static void count_indices(const std::uint32_t* index, std::size_t n, std::uint32_t* counts, std::size_t stride) {
    std::size_t i = 0;
    for (; i + kTables <= n; i += kTables) {
      ++counts[index[i]];
      ++counts[stride + index[i + 1]];
      ++counts[2 * stride + index[i + 2]];
      ++counts[3 * stride + index[i + 3]];
    }
    for (; i < n; ++i) ++counts[index[i]];
  }

  static void add_counts(Counts& to, std::span<const std::uint32_t> from) {
    if (to.empty()) {
      if (std::all_of(from.begin(), from.end(), [](std::uint32_t n) { return n == 0; })) return;
      to.resize(from.size());
    }
    for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
  }

  static constexpr std::size_t kTables = 4;

  std::uint32_t bins_;
  int exponent_ = kSmallestExponent;
  Range range_;
  std::uint64_t zeros_ = 0;
  Counts positive_;
  Counts negative_;
};

}  // namespace octavo
