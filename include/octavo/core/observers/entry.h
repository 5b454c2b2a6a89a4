#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "octavo/core/kernels.h"
#include "octavo/core/observer.h"
#include "octavo/core/observers/min_max.h"

namespace octavo {

/// What any of the observers may want to know; each reads what concerns it.
struct ObserverOptions {
  double averaging_constant = 0.01;  ///< weight of the newest picture, (0, 1]
  double percentile = 99.9999;       ///< share of values kept, in per cent
  int axis = 0;                      ///< dimension of the PerChannel ones, below the tensors' rank
  int bins = 4096;                   ///< for each sign: a power of two from 2 to 65536
  /// Pictures that a moving average or a mean takes as one batch.
  std::size_t batch_size = 1;
  /// What observers of a user's own want to know, by key.
  std::map<std::string, double, std::less<>> extra;
  const Kernels* kernels = &plain_kernels();
};

/// One observer by the name its users know.
struct ObserverEntry {
  std::string_view name;
  /// Null for values in `extra` that it cannot take; of the others the ranges above hold.
  std::unique_ptr<ObserverBase> (*make)(const ObserverOptions& options);
  /// Keys of the options that it reads and a recipe may give; of a user's own observer any may be given.
  std::span<const std::string_view> options = {};
};

/// What a plan takes where nobody chose: the one entry that can be had without the table, which compiles every
/// observer.
inline constexpr ObserverEntry kMinMaxEntry{"MinMaxObserver",
                                            [](const ObserverOptions& o) -> std::unique_ptr<ObserverBase> {
                                              return std::make_unique<MinMaxObserver>(*o.kernels);
                                            }};

/// The entry of that name in a table, or null.
template <typename Entry>
const Entry* entry_named(std::span<const Entry> table, std::string_view name) {
  for (const Entry& entry : table) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace octavo
