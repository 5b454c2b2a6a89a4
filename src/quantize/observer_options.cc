#include "observer_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "choices.h"
#include "yaml_tree.h"

namespace octavo::recipe {
namespace {

// The first are members of ObserverOptions; the others are what observers of the table read from `extra`.
constexpr std::array<std::string_view, 5> kNames{"averaging_constant", "percentile", "bins", "scale", "zero_point"};

void require(bool fits, double number, std::string_view expected) {
  if (!fits) refuse(fmt::format("{}", number), expected);
}

}  // namespace

std::vector<std::string_view> observer_option_names() { return {kNames.begin(), kNames.end()}; }

bool is_observer_option(std::string_view name) { return std::find(kNames.begin(), kNames.end(), name) != kNames.end(); }

void set_observer_option(ObserverOptions& options, std::string_view name, double number) {
  if (name == "averaging_constant") {
    require(number > 0.0 && number <= 1.0, number, "a number above 0 and up to 1");
    options.averaging_constant = number;
  } else if (name == "percentile") {
    constexpr double kAll = 100.0;
    require(number > 0.0 && number <= kAll, number, "a share above 0 and up to 100 per cent");
    options.percentile = number;
  } else if (name == "bins") {
    constexpr double kMost = 65536.0;
    const bool whole = number >= 2.0 && number <= kMost && number == std::floor(number);
    require(whole && std::has_single_bit(static_cast<unsigned>(number)), number, "a power of two from 2 to 65536");
    options.bins = static_cast<int>(number);
  } else {
    const auto as_float = static_cast<float>(number);
    if (name == "scale") require(as_float > 0.0F && std::isfinite(as_float), number, "a scale above 0");
    if (name == "zero_point") require(std::isfinite(number), number, "a whole number");
    options.extra.insert_or_assign(std::string(name), number);
  }
}

std::string observer_options_text(const ObserverOptions& options) {
  std::string text = fmt::format("averaging_constant: {}, percentile: {}, bins: {}", options.averaging_constant,
                                 options.percentile, options.bins);
  for (const auto& [name, number] : options.extra) text += fmt::format(", {}: {}", yaml_scalar(name), number);
  return text;
}

}  // namespace octavo::recipe
