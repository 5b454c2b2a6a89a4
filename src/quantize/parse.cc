#include "parse.h"

#include <charconv>
#include <cmath>

namespace octavo::recipe {
namespace {

constexpr int kLargestSide = 65535;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<double> parse_plain(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return parse_plain(text);
  const auto numerator = parse_plain(text.substr(0, slash));
  const auto denominator = parse_plain(text.substr(slash + 1));
  if (!numerator || !denominator || *denominator == 0.0) return std::nullopt;
  const double quotient = *numerator / *denominator;
  if (!std::isfinite(quotient)) return std::nullopt;
  return quotient;
}

std::optional<std::vector<double>> parse_numbers(std::string_view text) {
  std::vector<double> numbers;
  for (;;) {
    const std::size_t comma = text.find(',');
    const auto number = parse_number(text.substr(0, comma));
    if (!number) return std::nullopt;
    numbers.push_back(*number);
    if (comma == std::string_view::npos) return numbers;
    text.remove_prefix(comma + 1);
  }
}

std::optional<int> parse_integer(std::string_view text, int least, int most) {
  text = trimmed(text);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) return std::nullopt;
  return value;
}

std::optional<std::pair<int, int>> parse_size(std::string_view text) {
  const std::size_t cross = text.find_first_of("x,");
  const auto width = parse_integer(text.substr(0, cross), 1, kLargestSide);
  const auto height = cross == std::string_view::npos ? width : parse_integer(text.substr(cross + 1), 1, kLargestSide);
  if (!width || !height) return std::nullopt;
  return std::pair{*width, *height};
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

}  // namespace octavo::recipe
