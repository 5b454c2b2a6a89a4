#include "text_tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>

#include "octavo/error.h"

namespace octavo::graph_text {
namespace {

// Calls f with a zero of the C++ type whose digits the text shows: of 16-bit floats these are their bits.
template <typename F>
void with_element_type(DType dtype, const F& f) {
  switch (dtype) {
    case DType::f32:
      return f(float{});
    case DType::f64:
      return f(double{});
    case DType::i8:
    case DType::i4:
      return f(std::int8_t{});
    case DType::u8:
    case DType::u4:
    case DType::boolean:
      return f(std::uint8_t{});
    case DType::i16:
      return f(std::int16_t{});
    case DType::u16:
    case DType::f16:
    case DType::bf16:
      return f(std::uint16_t{});
    case DType::i32:
      return f(std::int32_t{});
    case DType::u32:
      return f(std::uint32_t{});
    case DType::i64:
      return f(std::int64_t{});
    case DType::u64:
      return f(std::uint64_t{});
    case DType::undefined:
    case DType::opaque:
      break;
  }
}

template <typename T>
T read_number(const Token& token) {
  const bool word = token.kind == TokenKind::name && std::is_floating_point_v<T>;  // nan, inf
  if (token.kind != TokenKind::number && !word) {
    fail_at(token, fmt::format("expected a number, found {}", quoted(token)));
  }
  const char* begin = token.text.data();
  const char* const end = begin + token.text.size();
  T value{};
  std::from_chars_result result{};
  if constexpr (std::is_floating_point_v<T>) {
    result = std::from_chars(begin, end, value);
  } else {
    const bool hex = token.text.starts_with("0x");
    result = std::from_chars(hex ? begin + 2 : begin, end, value, hex ? 16 : 10);
  }
  if (result.ec != std::errc{} || result.ptr != end) {
    fail_at(token, fmt::format("{} is no number of the type wanted here, or beyond its range", quoted(token)));
  }
  return value;
}

// Limits of the types that are a byte in memory.
template <typename T>
T lowest(DType dtype) {
  return dtype == DType::i4 ? static_cast<T>(-8) : std::numeric_limits<T>::lowest();
}
template <typename T>
T highest(DType dtype) {
  if (dtype == DType::boolean) return 1;
  if (is_4_bit(dtype)) return dtype == DType::i4 ? 7 : 15;
  return std::numeric_limits<T>::max();
}

template <typename T>
T read_element(Lexer& lexer, DType dtype) {
  if constexpr (std::is_same_v<T, std::uint8_t>) {
    if (dtype == DType::boolean) {
      if (lexer.accept_word("true")) return 1;
      if (lexer.accept_word("false")) return 0;
      const Token token = lexer.next();
      const auto value = read_number<T>(token);
      if (value > 1) fail_at(token, "a bool is true, false, 1 or 0");
      return value;
    }
  }
  const Token token = lexer.next();
  const auto value = read_number<T>(token);
  if constexpr (sizeof(T) == 1) {
    if (value < lowest<T>(dtype) || value > highest<T>(dtype)) {
      fail_at(token, fmt::format("{} is beyond the range of {}", quoted(token), name_of(dtype)));
    }
  }
  return value;
}

// Splitmix64 (Steele, Lea, Flood 2014): the same numbers on every platform, unlike <random>'s distributions.
std::uint64_t random_bits(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

template <typename T>
T random_between(std::uint64_t bits, T low, T high) {
  if constexpr (std::is_floating_point_v<T>) {
    // 24 bits: the default interval's values are exact in float, and none rounds up to `high`.
    return static_cast<T>(low + static_cast<double>(bits >> 40U) * 0x1p-24 * (static_cast<double>(high) - low));
  } else {
    const auto base = static_cast<std::uint64_t>(low);
    const std::uint64_t span = static_cast<std::uint64_t>(high) - base;
    return static_cast<T>(base + (span == std::numeric_limits<std::uint64_t>::max() ? bits : bits % (span + 1)));
  }
}

template <typename T>
class ElementReader {
 public:
  ElementReader(Lexer& lexer, DType dtype, std::int64_t count) : lexer_(lexer), dtype_(dtype), count_(count) {}

  void list(Tensor& tensor) {
    T* elements = reinterpret_cast<T*>(tensor.mutable_bytes());
    std::int64_t found = 0;
    while (!lexer_.peek().is("}")) {
      if (found > 0) lexer_.expect(",");
      if (found == count_) fail_at(lexer_.peek(), fmt::format("the shape holds {} elements, here is one more", count_));
      elements[found++] = read_element<T>(lexer_, dtype_);
    }
    const Token closing = lexer_.next();
    if (found < count_) fail_at(closing, fmt::format("the shape holds {} elements, but {} are given", count_, found));
  }

  void fill(Tensor& tensor) {
    const T value = read_element<T>(lexer_, dtype_);
    for_each(tensor, [&](std::int64_t) { return value; });
  }

  void range(Tensor& tensor) {
    const T from = read_element<T>(lexer_, dtype_);
    lexer_.expect(",");
    const T to = read_element<T>(lexer_, dtype_);
    const double first = static_cast<double>(from);
    const double step = count_ > 1 ? (static_cast<double>(to) - first) / static_cast<double>(count_ - 1) : 0;
    for_each(tensor, [&](std::int64_t i) {
      if (i == 0) return from;
      if (i + 1 == count_) return to;
      const double exact = first + step * static_cast<double>(i);
      // Also keeps what double rounds beyond int64's range from being converted.
      if (exact >= static_cast<double>(std::max(from, to))) return std::max(from, to);
      if (exact <= static_cast<double>(std::min(from, to))) return std::min(from, to);
      return static_cast<T>(std::is_floating_point_v<T> ? exact : std::nearbyint(exact));
    });
  }

  void random(Tensor& tensor) {
    const Token seed_token = lexer_.next();
    auto state = read_number<std::uint64_t>(seed_token);
    constexpr bool kByte = sizeof(T) == 1;
    T low = kByte ? lowest<T>(dtype_) : static_cast<T>(-1);
    T high = kByte ? highest<T>(dtype_) : static_cast<T>(1);
    if (lexer_.accept(",")) {
      low = read_element<T>(lexer_, dtype_);
      lexer_.expect(",");
      high = read_element<T>(lexer_, dtype_);
    } else if (!kByte && !std::is_floating_point_v<T>) {
      fail_at(seed_token, "random of this type needs its limits: random(seed, low, high)");
    }
    if (!(low <= high)) fail_at(seed_token, "random needs low <= high");
    for_each(tensor, [&](std::int64_t) { return random_between(random_bits(state), low, high); });
  }

 private:
  template <typename F>
  void for_each(Tensor& tensor, const F& f) {
    T* elements = reinterpret_cast<T*>(tensor.mutable_bytes());
    for (std::int64_t i = 0; i < count_; ++i) elements[i] = f(i);
  }

  Lexer& lexer_;
  DType dtype_;
  std::int64_t count_;
};

template <typename T>
void read_elements(Lexer& lexer, DType dtype, Tensor& tensor) {
  ElementReader<T> reader(lexer, dtype, tensor.size());
  if (lexer.accept("{")) return reader.list(tensor);
  const Token how = lexer.expect(TokenKind::name, "{…}, fill(…), range(…) or random(…)");
  const bool bits_only = dtype == DType::f16 || dtype == DType::bf16;
  lexer.expect("(");
  if (how.text == "fill") {
    reader.fill(tensor);
  } else if (how.text == "range" && !bits_only && dtype != DType::boolean) {
    reader.range(tensor);
  } else if (how.text == "random" && !bits_only) {
    reader.random(tensor);
  } else {
    fail_at(how, fmt::format("'{}' gives no elements of type {}", how.text, name_of(dtype)));
  }
  lexer.expect(")");
}

template <typename T>
std::string floating_text(T value) {
  if (std::isnan(value)) return "nan";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

std::string number_text(float value) { return floating_text(value); }
std::string number_text(double value) { return floating_text(value); }
std::int64_t read_integer(const Token& token) { return read_number<std::int64_t>(token); }
float read_float(const Token& token) { return read_number<float>(token); }

Tensor read_tensor(Lexer& lexer, DType dtype, const Shape& shape, std::int64_t& budget) {
  const Token& here = lexer.peek();
  if (size_of(dtype) == 0) fail_at(here, fmt::format("no elements can be given for the type {}", name_of(dtype)));
  const auto count = checked_element_count(shape);
  if (!count || *count > budget) {
    throw Error(ErrorCode::resource_limit, fmt::format("graph text {}:{}: its constants have more than {} elements",
                                                       here.line, here.column, kMaxElements));
  }
  if (here.is("{") && static_cast<std::size_t>(*count) > lexer.remaining()) {
    fail_at(here, fmt::format("the shape holds {} elements, more than the text has characters left", *count));
  }
  budget -= *count;
  Tensor tensor(dtype, shape);
  with_element_type(dtype, [&](auto zero) { read_elements<decltype(zero)>(lexer, dtype, tensor); });
  return tensor;
}

void write_elements(std::string& text, const Tensor& tensor) {
  const bool bits_only = tensor.dtype() == DType::f16 || tensor.dtype() == DType::bf16;
  text += "{";
  with_element_type(tensor.dtype(), [&](auto zero) {
    const auto* elements = reinterpret_cast<const decltype(zero)*>(tensor.bytes());
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      if (i > 0) text += ", ";
      if constexpr (std::is_floating_point_v<decltype(zero)>) {
        text += number_text(elements[i]);
      } else if (bits_only) {
        text += fmt::format("{:#06x}", elements[i]);
      } else if (tensor.dtype() == DType::boolean) {
        text += elements[i] != 0 ? "true" : "false";
      } else {
        text += fmt::format("{}", elements[i]);
      }
    }
  });
  text += "}";
}

}  // namespace octavo::graph_text
