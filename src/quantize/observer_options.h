#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "octavo/qconfig.h"

/// Options of observers by key, as files have them: numbers beside the observer's type, or in the scheme.
namespace octavo::recipe {

/// Those that some observer of the table reads.
std::vector<std::string_view> observer_option_names();
bool is_observer_option(std::string_view name);

/// Why an observer of the table does not take an option: "MinMaxObserver reads no bins, and no other option"; empty
/// where it does.
std::string reason_against_option(std::string_view observer, std::string_view option);

/// Throws Error(invalid_argument) for a number out of range. Where the observer is the user's `own`, so is what its
/// options in `extra` mean.
void set_observer_option(ObserverOptions& options, std::string_view name, double number, bool own);

/// Those that the observer reads, with their numbers, each behind a comma: ", percentile: 99.9999, bins: 4096".
std::string observer_options_text(const ObserverChoice& observer);

}  // namespace octavo::recipe
