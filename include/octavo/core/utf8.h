#pragma once

#include <cstddef>
#include <string_view>

namespace octavo {

/// Bytes of the well-formed character that `text` begins with, 0 where there is none (table 3-7 of the Unicode
/// standard: no overlong forms, no surrogates, nothing above U+10FFFF).
inline std::size_t utf8_length(std::string_view text) {
  const auto byte_at = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [](unsigned byte) { return (byte & 0xC0U) == 0x80U; };
  const unsigned first = byte_at(0);
  const unsigned second = byte_at(1);
  if (first < 0x80U) return text.empty() ? 0 : 1;
  if (first < 0xC2U || first > 0xF4U || !continues(second)) return 0;
  if (first < 0xE0U) return 2;
  if (!continues(byte_at(2))) return 0;
  if (first < 0xF0U) {
    const bool overlong = first == 0xE0U && second < 0xA0U;
    const bool surrogate = first == 0xEDU && second > 0x9FU;
    return overlong || surrogate ? 0 : 3;
  }
  const bool out_of_range = (first == 0xF0U && second < 0x90U) || (first == 0xF4U && second > 0x8FU);
  return out_of_range || !continues(byte_at(3)) ? 0 : 4;
}

}  // namespace octavo
