#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "octavo/error.h"

namespace octavo::formats::onnx_file {

/// A name from a file as messages show it: quoted, without control characters, of bounded length.
inline std::string shown(std::string_view name) {
  constexpr std::size_t kMost = 80;
  std::string text = "'";
  for (const char c : name.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += c;
    }
  }
  return text + (name.size() > kMost ? "…'" : "'");
}

template <typename... Arguments>
[[noreturn]] void bad_model(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  throw Error(ErrorCode::bad_model, fmt::format(format, std::forward<Arguments>(arguments)...));
}

template <typename... Arguments>
[[noreturn]] void unsupported(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  throw Error(ErrorCode::unsupported, fmt::format(format, std::forward<Arguments>(arguments)...));
}

/// Runs `f`; errors get the text of `place()` in front, which is made only then.
template <typename Place, typename F>
decltype(auto) within(const Place& place, const F& f) {
  try {
    return f();
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", place(), error.what()));
  }
}

}  // namespace octavo::formats::onnx_file
