#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "octavo/core/observers/kl.h"
#include "octavo/core/observers/min_max.h"
#include "octavo/core/observers/moving_average_min_max.h"
#include "octavo/core/observers/moving_average_per_channel_min_max.h"
#include "octavo/core/observers/mse.h"
#include "octavo/core/observers/per_channel_min_max.h"
#include "octavo/core/observers/percentile.h"

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
  std::unique_ptr<ObserverBase> (*make)(const ObserverOptions& options);
};

namespace detail {

using Made = std::unique_ptr<ObserverBase>;

inline constexpr std::array kObservers = {
    ObserverEntry{"MinMaxObserver",
                  [](const ObserverOptions& o) -> Made { return std::make_unique<MinMaxObserver>(*o.kernels); }},
    ObserverEntry{"MovingAverageMinMaxObserver",
                  [](const ObserverOptions& o) -> Made {
                    return std::make_unique<MovingAverageMinMaxObserver>(o.averaging_constant, *o.kernels);
                  }},
    ObserverEntry{"PerChannelMinMaxObserver",
                  [](const ObserverOptions& o) -> Made {
                    return std::make_unique<PerChannelMinMaxObserver>(o.axis, *o.kernels);
                  }},
    ObserverEntry{"MovingAveragePerChannelMinMaxObserver",
                  [](const ObserverOptions& o) -> Made {
                    return std::make_unique<MovingAveragePerChannelMinMaxObserver>(o.averaging_constant, o.axis,
                                                                                   *o.kernels);
                  }},
    ObserverEntry{"PercentileObserver",
                  [](const ObserverOptions& o) -> Made {
                    return std::make_unique<PercentileObserver>(o.percentile, o.bins, *o.kernels);
                  }},
    ObserverEntry{"KLObserver",
                  [](const ObserverOptions& o) -> Made { return std::make_unique<KLObserver>(o.bins, *o.kernels); }},
    ObserverEntry{"MSEObserver",
                  [](const ObserverOptions& o) -> Made { return std::make_unique<MSEObserver>(o.bins, *o.kernels); }},
};

}  // namespace detail

/// Every observer there is.
inline std::span<const ObserverEntry> observers() { return detail::kObservers; }

/// The entry of that name in a table, or null.
template <typename Entry>
const Entry* entry_named(std::span<const Entry> table, std::string_view name) {
  for (const Entry& entry : table) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

inline const ObserverEntry* find_observer(std::string_view name) { return entry_named(observers(), name); }

/// A new observer of that name, or null for a name nobody has.
inline std::unique_ptr<ObserverBase> observer_named(std::string_view name, const ObserverOptions& options = {}) {
  const ObserverEntry* entry = find_observer(name);
  return entry == nullptr ? nullptr : entry->make(options);
}

}  // namespace octavo
