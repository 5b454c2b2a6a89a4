#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "octavo/core/qparams.h"

namespace octavo::core {

/// Appends numbers as little-endian bytes, the form of every saved state.
class ByteWriter {
 public:
  explicit ByteWriter(std::vector<std::byte>& out) : out_(out) {}

  void u32(std::uint32_t value) { append(value, 4); }
  void u64(std::uint64_t value) { append(value, 8); }
  void f32(float value) { u32(std::bit_cast<std::uint32_t>(value)); }
  /// Seven bits a byte, the lowest first; the top bit says that more follow.
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<std::byte>(value | 0x80));
    out_.push_back(static_cast<std::byte>(value));
  }
  void range(const Range& range) {
    f32(range.min);
    f32(range.max);
  }

 private:
  void append(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out_.push_back(static_cast<std::byte>(value >> (8 * i)));
  }

  std::vector<std::byte>& out_;
};

/// Reads them back. Past the end it gives zeros, and `complete` is false from then on.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::uint32_t u32() { return static_cast<std::uint32_t>(take(4)); }
  std::uint64_t u64() { return take(8); }
  float f32() { return std::bit_cast<float>(u32()); }
  /// What ByteWriter::varint wrote; longer forms are broken.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint64_t byte = take(1);
      value |= (byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    good_ = false;
    return 0;
  }
  Range range() {
    const float min = f32();
    return {min, f32()};
  }
  /// Bytes not read yet: what a count must be compared with before anything is allocated for it.
  std::size_t left() const { return bytes_.size(); }
  /// Whether exactly all bytes were read.
  bool complete() const { return good_ && bytes_.empty(); }

 private:
  std::uint64_t take(std::size_t count) {
    if (bytes_.size() < count) {
      good_ = false;
      bytes_ = {};
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value |= std::to_integer<std::uint64_t>(bytes_[i]) << (8 * i);
    bytes_ = bytes_.subspan(count);
    return value;
  }

  std::span<const std::byte> bytes_;
  bool good_ = true;
};

/// Whether a range read from a file is one that an observer can have: the empty one or finite and ordered.
inline bool plausible(const Range& range) {
  if (range == Range{}) return true;
  constexpr float kLargest = std::numeric_limits<float>::max();
  return !range.empty() && range.min >= -kLargest && range.max <= kLargest;
}

inline void write_ranges(ByteWriter& out, std::span<const Range> ranges) {
  for (const Range& range : ranges) out.range(range);
}

/// Reads `count` ranges; false where the bytes do not hold as many, before anything is allocated, or where one
/// is not plausible.
inline bool read_ranges(ByteReader& in, std::uint64_t count, std::vector<Range>& ranges) {
  if (count > in.left() / 8) return false;
  ranges.resize(static_cast<std::size_t>(count));
  for (Range& range : ranges) {
    range = in.range();
    if (!plausible(range)) return false;
  }
  return true;
}

}  // namespace octavo::core
