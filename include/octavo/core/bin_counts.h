#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "octavo/core/bytes.h"

namespace octavo {

/// How many values fell into each of a number of bins. Where few bins are in use they are kept as a list, otherwise as
/// a table; which of the two follows from the counts alone, so equal counts are equal objects. A channel of a small
/// picture so takes no more memory than its values.
class BinCounts {
 public:
  /// A bin in use.
  struct Bin {
    std::uint32_t index = 0;
    std::uint64_t count = 0;
    friend bool operator==(const Bin&, const Bin&) = default;
  };

  explicit BinCounts(std::uint32_t bins) : bins_(bins) {}

  std::uint32_t bins() const { return bins_; }
  bool empty() const { return list_.empty() && low_.empty(); }
  std::uint64_t at(std::size_t i) const {
    if (!low_.empty()) return table_at(i);
    const auto found = std::lower_bound(list_.begin(), list_.end(), i,
                                        [](const Bin& bin, std::size_t index) { return bin.index < index; });
    return found != list_.end() && found->index == i ? found->count : 0;
  }
  /// Calls visit(index, count) for every bin in use, the lowest first.
  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (const Bin& bin : list_) visit(std::size_t{bin.index}, bin.count);
    for (std::size_t i = 0; i < low_.size(); ++i) {
      if (const std::uint64_t count = table_at(i); count != 0) visit(i, count);
    }
  }

  /// Adds bin i of `other`, of any number of bins, to bin i >> shift.
  void add(const BinCounts& other, int shift) {
    if (other.empty()) return;
    shift = std::min(shift, 31);
    if (low_.empty() && other.low_.empty()) {
      join_lists(other.list_, shift);
      if (list_.size() > most_listed()) to_table();
      return;
    }
    to_table();
    other.for_each([&](std::size_t i, std::uint64_t count) { add_to_table(i >> shift, count); });
    settle();
  }
  /// Adds a count for each bin.
  void add(std::span<const std::uint32_t> counts) {
    const auto unused = static_cast<std::size_t>(std::count(counts.begin(), counts.end(), 0U));
    if (unused == counts.size()) return;
    if (empty()) {
      take(counts, counts.size() - unused);
      return;
    }
    to_table();
    std::uint32_t carries = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) carries |= static_cast<std::uint32_t>(low_[i] > ~counts[i]);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (carries != 0) {
        add_to_table(i, counts[i]);
      } else {
        low_[i] += counts[i];
      }
    }
    settle();
  }
  /// Adds one to each of the ascending `indices`, counted from `first`.
  void add_sorted(std::span<const std::uint32_t> indices, std::uint32_t first) {
    BinCounts added(bins_);
    for (const std::uint32_t index : indices) {
      if (added.list_.empty() || added.list_.back().index != index - first) added.list_.push_back({index - first, 0});
      ++added.list_.back().count;
    }
    add(added, 0);
  }
  /// Joins every 2^shift neighbours.
  void widen(int shift) {
    BinCounts finer(bins_);
    std::swap(finer, *this);
    add(finer, shift);
  }

  void save(core::ByteWriter& out) const {
    std::uint64_t used = 0;
    for_each([&](std::size_t, std::uint64_t) { ++used; });
    out.varint(used);
    std::size_t next = 0;
    for_each([&](std::size_t i, std::uint64_t count) {
      out.varint(i - next);
      out.varint(count);
      next = i + 1;
    });
  }
  /// Takes what `save` wrote for as many bins; false for anything else, after which the content is undefined.
  bool load(core::ByteReader& in) {
    *this = BinCounts(bins_);
    const std::uint64_t used = in.varint();
    if (used > bins_ || used > in.left() / 2) return false;
    std::uint64_t next = 0;
    for (std::uint64_t i = 0; i < used; ++i) {
      const std::uint64_t skipped = in.varint();
      const std::uint64_t count = in.varint();
      if (skipped >= bins_ - next || count == 0) return false;
      list_.push_back({static_cast<std::uint32_t>(next + skipped), count});
      next += skipped + 1;
      if (next == bins_ && i + 1 < used) return false;
    }
    if (list_.size() > most_listed()) to_table();
    return true;
  }

  friend bool operator==(const BinCounts&, const BinCounts&) = default;

 private:
  /// A bin takes 16 bytes in the list, 4 in the table.
  std::size_t most_listed() const { return bins_ / 8; }

  std::uint64_t table_at(std::size_t i) const {
    return high_.empty() ? low_[i] : low_[i] | std::uint64_t{high_[i]} << 32;
  }
  /// The first counts, of so many bins in use: without a table where that is not their form.
  void take(std::span<const std::uint32_t> counts, std::size_t used) {
    if (used > most_listed()) {
      low_.assign(counts.begin(), counts.end());
      return;
    }
    list_.reserve(used);
    for (std::size_t i = 0; list_.size() < used; ++i) {
      if (counts[i] != 0) list_.push_back({static_cast<std::uint32_t>(i), counts[i]});
    }
  }
  void add_to_table(std::size_t i, std::uint64_t count) {
    const std::uint64_t sum = table_at(i) + count;
    low_[i] = static_cast<std::uint32_t>(sum);
    if (sum >> 32 == 0) return;
    if (high_.empty()) high_.resize(bins_);
    high_[i] = static_cast<std::uint32_t>(sum >> 32);
  }
  void to_table() {
    if (!low_.empty()) return;
    low_.resize(bins_);
    for (const Bin& bin : list_) add_to_table(bin.index, bin.count);
    list_ = {};
  }
  /// Back to a list where that is the form of such counts.
  void settle() {
    const auto unused = static_cast<std::size_t>(std::count(low_.begin(), low_.end(), 0U));
    if (high_.empty() && bins_ - unused > most_listed()) return;
    std::vector<Bin> listed;
    for_each([&](std::size_t i, std::uint64_t count) { listed.push_back({static_cast<std::uint32_t>(i), count}); });
    list_ = std::move(listed);
    low_ = {};
    high_ = {};
  }
  void join_lists(const std::vector<Bin>& others, int shift) {
    std::vector<Bin> joined;
    joined.reserve(list_.size() + others.size());
    auto own = list_.begin();
    for (const Bin& other : others) {
      const std::uint32_t index = other.index >> shift;
      for (; own != list_.end() && own->index <= index; ++own) joined.push_back(*own);
      if (joined.empty() || joined.back().index != index) joined.push_back({index, 0});
      joined.back().count += other.count;
    }
    joined.insert(joined.end(), own, list_.end());
    list_ = std::move(joined);
  }

  std::uint32_t bins_;
  std::vector<Bin> list_;  // ascending
  std::vector<std::uint32_t> low_;
  std::vector<std::uint32_t> high_;  // upper halves, once a count needs one
};

}  // namespace octavo
