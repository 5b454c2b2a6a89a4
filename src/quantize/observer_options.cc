#include "observer_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "choices.h"
#include "octavo/core/observers/table.h"
#include "yaml_tree.h"

namespace octavo::recipe {
namespace {

bool reads(const ObserverEntry& observer, std::string_view option) {
  return std::find(observer.options.begin(), observer.options.end(), option) != observer.options.end();
}

bool is_whole(double number) { return number == std::floor(number); }

/// What observers of the table take; a member of ObserverOptions, or else a key of `extra`.
struct Option {
  std::string_view name;
  bool (*fits)(double number);
  std::string_view expected;
  void (*set)(ObserverOptions& options, double number) = nullptr;
};

constexpr std::array kOptions{
    Option{"averaging_constant", [](double x) { return x > 0.0 && x <= 1.0; }, "a number above 0 and up to 1",
           [](ObserverOptions& options, double x) { options.averaging_constant = x; }},
    Option{"percentile", [](double x) { return x > 0.0 && x <= 100.0; }, "a share above 0 and up to 100 per cent",
           [](ObserverOptions& options, double x) { options.percentile = x; }},
    Option{"bins",
           [](double x) {
             return is_whole(x) && x >= 2.0 && x <= 65536.0 && std::has_single_bit(static_cast<unsigned>(x));
           },
           "a power of two from 2 to 65536",
           [](ObserverOptions& options, double x) { options.bins = static_cast<int>(x); }},
    Option{"scale", [](double x) { return static_cast<float>(x) > 0.0F && std::isfinite(static_cast<float>(x)); },
           "a scale above 0"},
    Option{"zero_point", [](double x) { return is_whole(x) && std::abs(x) <= 65535.0; },
           "a whole number from -65535 to 65535"},
    Option{"num_bins", [](double x) { return is_whole(x) && x >= 2.0 && x <= 8192.0; },
           "a whole number from 2 to 8192"},
    Option{"num_quantized_bins", [](double x) { return is_whole(x) && x >= 2.0 && x <= 8192.0; },
           "a whole number from 2 to 8192"},
};

const Option* find_option(std::string_view name) {
  const auto* const found =
      std::find_if(kOptions.begin(), kOptions.end(), [name](const Option& option) { return option.name == name; });
  return found == kOptions.end() ? nullptr : found;
}

}  // namespace

std::vector<std::string_view> observer_option_names() {
  std::vector<std::string_view> names;
  for (const Option& option : kOptions) names.push_back(option.name);
  return names;
}

bool is_observer_option(std::string_view name) { return find_option(name) != nullptr; }

void set_observer_option(ObserverOptions& options, std::string_view name, double number, bool own) {
  const Option* option = find_option(name);
  if (option == nullptr || (own && option->set == nullptr)) {
    options.extra.insert_or_assign(std::string(name), number);
    return;
  }
  if (!option->fits(number)) refuse(fmt::format("{}", number), option->expected);
  if (option->set == nullptr) {
    options.extra.insert_or_assign(std::string(name), number);
  } else {
    option->set(options, number);
  }
}

std::string reason_against_option(std::string_view observer, std::string_view option) {
  const ObserverEntry* entry = find_observer(observer);
  if (entry == nullptr || reads(*entry, option)) return {};
  if (entry->options.empty()) return fmt::format("{} reads no {}, nor any other option", observer, option);
  return fmt::format("{} reads no {}; its options are {}", observer, option, fmt::join(entry->options, ", "));
}

std::string observer_options_text(const ObserverChoice& observer) {
  const ObserverEntry* entry = find_observer(observer.type);
  const ObserverOptions& options = observer.options;
  std::string text;
  const auto add = [&](std::string_view name, auto number) {
    if (entry == nullptr || reads(*entry, name)) text += fmt::format(", {}: {}", name, number);
  };
  add("averaging_constant", options.averaging_constant);
  add("percentile", options.percentile);
  add("bins", options.bins);
  for (const auto& [name, number] : options.extra) text += fmt::format(", {}: {}", yaml_scalar(name), number);
  return text;
}

}  // namespace octavo::recipe
