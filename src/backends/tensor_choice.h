#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "octavo/backends.h"
#include "octavo/qconfig.h"

namespace octavo::planning {

enum class TensorKind : std::uint8_t { weight, activation };

/// A TensorQConfig with its names looked up, its gaps filled by the backend, and checked against it.
struct TensorChoice {
  std::optional<ObserverEntry> observer;  ///< as named; nothing: the planner's choice
  ObserverOptions options;
  FakeQuantizeEntry fake_quant = kPlainFakeQuantize;
  QScheme scheme;
  Granularity granularity = Granularity::per_tensor;
  bool granularity_asked = false;  ///< by the user, not by the backend's table
  int group_size = 0;
  bool keeps_float = false;   ///< the observer has no parameters to give
  bool reuses_input = false;  ///< … and takes those of the operator's input
};

/// What messages put before what they say of an override: where the user wrote it, or "overrides[2]: ".
std::string where_of(const QConfig& config, std::size_t override_index);

/// What `over` leaves out is taken from `base`.
TensorQConfig merged(const TensorQConfig& base, const TensorQConfig& over);

/// `where` is what messages put before the keys: "overrides[2]: ", or nothing. Throws as check_config does.
TensorChoice choose(const TensorQConfig& config, TensorKind kind, const BackendSpec& backend,
                    const Extensions& extensions, std::string_view where);

/// Throws Error(invalid_argument) for a name that nobody has.
WeightMethodEntry weight_method_named(std::string_view name, const Extensions& extensions, std::string_view where);
/// Throws Error(invalid_argument) where the method needs another scheme.
void require_fitting_method(const WeightMethodEntry& method, const QScheme& scheme, std::string_view where);
ObserverEntry observer_entry(std::string_view name, const Extensions& extensions, std::string_view where);

/// The observer of that kind that looks at channels: PerChannelMinMaxObserver for MinMaxObserver.
std::string per_channel_name(std::string_view observer);
/// The observer of that kind that looks at whole tensors.
std::string per_tensor_name(std::string_view observer);

/// The observer `name`, or its variant that looks at channels or at whole tensors, as `scheme` has it. One per channel
/// without a variant stays: it joins its channels. Throws Error(invalid_argument) for one per tensor that has none.
ObserverEntry observer_for(std::string_view name, const QScheme& scheme, const Extensions& extensions);

}  // namespace octavo::planning
