#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace octavo::core {

/// 64 bits that follow from any bytes, the same on every machine: for noticing that two files are not the same by
/// mistake, no protection against somebody who wants them to seem so. FNV-1a (Fowler, Noll, Vo) over little-endian
/// words of 64 bits instead of bytes, the upper half folded into the lower after each, which the multiplication never
/// reaches.
class Hash {
 public:
  void u64(std::uint64_t word) {
    state_ = (state_ ^ word) * 0x00000100000001B3U;
    state_ ^= state_ >> 32;
  }
  /// The number of bytes counts as well; the last word is filled up with zeros.
  void bytes(std::span<const std::byte> bytes) {
    u64(bytes.size());
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) u64(word(bytes.first(8)));
    if (!bytes.empty()) u64(word(bytes));
  }
  void text(std::string_view text) { bytes(std::as_bytes(std::span(text.data(), text.size()))); }

  std::uint64_t value() const { return state_; }

 private:
  static std::uint64_t word(std::span<const std::byte> bytes) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) word |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    return word;
  }

  std::uint64_t state_ = 0xCBF29CE484222325U;
};

}  // namespace octavo::core
