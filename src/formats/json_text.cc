#include "json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "octavo/core/utf8.h"

namespace octavo::formats {

std::string json_string(std::string_view text) {
  constexpr unsigned char kFirstPrintable = 0x20;
  std::string escaped = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (length == 0) {
      escaped += "\\ufffd";
    } else if (first == '"' || first == '\\') {
      escaped += {'\\', text.front()};
    } else if (first < kFirstPrintable) {
      escaped += fmt::format("\\u{:04x}", first);
    } else {
      escaped += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return escaped + '"';
}

std::string json_number(float number) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  return fmt::format("{}", std::clamp(number, -kLargest, kLargest));
}

}  // namespace octavo::formats
