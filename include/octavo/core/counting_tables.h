#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "octavo/core/kernels.h"

namespace octavo {

/// Counts a large tensor's values by bin. Neighbours are often equal, and an addition to a count just written waits for
/// that write: so several tables in turn, unless clearing them costs more.
class CountingTables {
 public:
  /// For `values` values in `bins` bins of each sign.
  CountingTables(std::uint32_t bins, std::size_t values)
      : binning_{1.0F, bins}, tables_(values < 8 * stride() ? 1 : kTables), counts_(tables_ * stride()) {}

  /// Counts fit 32 bits up to so many values.
  static constexpr std::size_t kMost = std::size_t{1} << 31;
  std::size_t counted() const { return counted_; }

  void count(std::span<const float> x, float inverse_width, const Kernels& kernels) {
    binning_.inverse_width = inverse_width;
    counted_ += x.size();
    std::array<std::uint32_t, 1024> index;
    while (!x.empty()) {
      const std::size_t n = std::min(x.size(), index.size());
      kernels.bin_index_f32(x.data(), n, binning_, index.data());
      count_indices({index.data(), n});
      x = x.subspan(n);
    }
  }

  /// The sums of all tables, by Binning's slots; they are cleared by the next `clear`.
  std::span<const std::uint32_t> sums() {
    for (std::size_t table = 1; table < tables_; ++table) {
      for (std::size_t i = 0; i < stride(); ++i) counts_[i] += counts_[table * stride() + i];
    }
    return {counts_.data(), stride()};
  }
  void clear() {
    std::fill(counts_.begin(), counts_.end(), 0U);
    counted_ = 0;
  }
  const Binning& binning() const { return binning_; }

 private:
  static constexpr std::size_t kTables = 4;

  std::size_t stride() const { return binning_.slots(); }

  void count_indices(std::span<const std::uint32_t> index) {
    std::uint32_t* counts = counts_.data();
    const std::size_t step = tables_ == 1 ? 0 : stride();
    std::size_t i = 0;
    for (; i + kTables <= index.size(); i += kTables) {
      ++counts[index[i]];
      ++counts[step + index[i + 1]];
      ++counts[2 * step + index[i + 2]];
      ++counts[3 * step + index[i + 3]];
    }
    for (; i < index.size(); ++i) ++counts[index[i]];
  }

  Binning binning_;
  std::size_t tables_;
  std::vector<std::uint32_t> counts_;
  std::size_t counted_ = 0;
};

}  // namespace octavo
