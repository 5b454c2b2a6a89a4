#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace octavo {

/// Element types that tensors and graph values can have. `opaque` marks a type that a file format
/// carries and Octavo does not compute with (float8, string, complex …): its bytes pass through. i4 and u4 take a
/// byte an element in memory, the value in all of it; two to a byte is how files pack them.
enum class DType : std::uint8_t {
  undefined,
  f32,
  f64,
  f16,
  bf16,
  i8,
  u8,
  i16,
  u16,
  i32,
  u32,
  i64,
  u64,
  boolean,
  i4,
  u4,
  opaque,
};

/// Bytes of one element; 0 for `undefined` and `opaque`.
constexpr std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
    case DType::i64:
    case DType::u64:
      return 8;
    case DType::f32:
    case DType::i32:
    case DType::u32:
      return 4;
    case DType::f16:
    case DType::bf16:
    case DType::i16:
    case DType::u16:
      return 2;
    case DType::i8:
    case DType::u8:
    case DType::boolean:
    case DType::i4:
    case DType::u4:
      return 1;
    case DType::undefined:
    case DType::opaque:
      break;
  }
  return 0;
}

/// The name used in messages, in graph text and in configs: "f32", "u8", "bool" …
constexpr std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "f32";
    case DType::f64:
      return "f64";
    case DType::f16:
      return "f16";
    case DType::bf16:
      return "bf16";
    case DType::i8:
      return "i8";
    case DType::u8:
      return "u8";
    case DType::i16:
      return "i16";
    case DType::u16:
      return "u16";
    case DType::i32:
      return "i32";
    case DType::u32:
      return "u32";
    case DType::i64:
      return "i64";
    case DType::u64:
      return "u64";
    case DType::boolean:
      return "bool";
    case DType::i4:
      return "i4";
    case DType::u4:
      return "u4";
    case DType::opaque:
      return "opaque";
    case DType::undefined:
      break;
  }
  return "undefined";
}

/// The inverse of `name_of`; nothing for an unknown name.
constexpr std::optional<DType> dtype_named(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(DType::opaque); ++i) {
    if (name_of(static_cast<DType>(i)) == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

/// Whether files pack two elements to a byte.
constexpr bool is_4_bit(DType dtype) { return dtype == DType::i4 || dtype == DType::u4; }

/// Elements of i4 (-8 to 7) and u4 (0 to 15) tensors.
struct Int4 {
  std::int8_t value = 0;
  Int4() = default;
  constexpr explicit Int4(std::int32_t number) : value(static_cast<std::int8_t>(number)) {}
  constexpr operator std::int8_t() const { return value; }  // NOLINT(google-explicit-constructor): an integer type
};
struct UInt4 {
  std::uint8_t value = 0;
  UInt4() = default;
  constexpr explicit UInt4(std::int32_t number) : value(static_cast<std::uint8_t>(number)) {}
  constexpr operator std::uint8_t() const { return value; }  // NOLINT(google-explicit-constructor): the same
};

/// The DType that stores a C++ type: dtype_of<float> is DType::f32.
template <typename T>
inline constexpr DType dtype_of = DType::undefined;
template <>
inline constexpr DType dtype_of<float> = DType::f32;
template <>
inline constexpr DType dtype_of<double> = DType::f64;
template <>
inline constexpr DType dtype_of<std::int8_t> = DType::i8;
template <>
inline constexpr DType dtype_of<std::uint8_t> = DType::u8;
template <>
inline constexpr DType dtype_of<std::int16_t> = DType::i16;
template <>
inline constexpr DType dtype_of<std::uint16_t> = DType::u16;
template <>
inline constexpr DType dtype_of<std::int32_t> = DType::i32;
template <>
inline constexpr DType dtype_of<std::uint32_t> = DType::u32;
template <>
inline constexpr DType dtype_of<std::int64_t> = DType::i64;
template <>
inline constexpr DType dtype_of<std::uint64_t> = DType::u64;
template <>
inline constexpr DType dtype_of<bool> = DType::boolean;
template <>
inline constexpr DType dtype_of<Int4> = DType::i4;
template <>
inline constexpr DType dtype_of<UInt4> = DType::u4;

}  // namespace octavo
