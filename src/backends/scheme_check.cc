#include "scheme_check.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <string>

#include "octavo/error.h"

namespace octavo::planning {
namespace {

char letter(TensorKind kind) { return kind == TensorKind::weight ? 'w' : 'a'; }
std::string_view plural(TensorKind kind) { return kind == TensorKind::weight ? "weights" : "activations"; }
const SchemeLimits& limits_of(TensorKind kind, const BackendSpec& backend) {
  return kind == TensorKind::weight ? backend.weight_limits : backend.activation_limits;
}

[[noreturn]] void contradiction(std::string_view where, TensorKind kind, std::string_view key,
                                const std::string& message) {
  throw Error(ErrorCode::invalid_argument, fmt::format("{}{}_{}: {}", where, letter(kind), key, message));
}

void check_scheme_keys(const QScheme& scheme, TensorKind kind, std::string_view where) {
  if (scheme.axis != QScheme::kPerTensor || scheme.group_size != 0) {
    contradiction(where, kind, "qscheme",
                  "axis and group_size of the scheme follow from what the tensor is; leave them, and set granularity");
  }
  if (scheme.symmetric && !scheme.is_signed() && scheme.bits == 1) {
    contradiction(where, kind, "qscheme",
                  "symmetric with 1 bit found: zero lies between its two integers, and all values become one; set bit: "
                  "2, or is_symmetry: false");
  }
  std::string_view why;
  if (scheme.valid(&why)) return;
  std::string_view help = "choose others";
  if (scheme.symmetric_range && !scheme.is_signed()) help = "set qdtype: qint8, or is_symmetric_range: false";
  if (scheme.bits < 1 || scheme.bits > 16) help = "8 is usual";
  if (scheme.is_signed() && scheme.bits == 1) help = "set bit: 2, or qdtype: quint8";
  if (scheme.reduce_range && scheme.bits < 3 && scheme.bits > 1) help = "set reduce_range: false";
  contradiction(
      where, kind, "qscheme",
      fmt::format("{} (found {} with {} bits); {}", why, scheme.is_signed() ? "qint8" : "quint8", scheme.bits, help));
}

void check_granularity_keys(const TensorQConfig& config, TensorKind kind, std::string_view where) {
  const bool per_group = config.granularity == Granularity::per_group;
  if (per_group && config.group_size < 1) {
    contradiction(where, kind, "qscheme",
                  fmt::format("granularity per_group needs a group_size above 0, found {}; 32 or 128 are usual",
                              config.group_size));
  }
  if (!per_group && config.group_size != 0) {
    contradiction(where, kind, "qscheme", fmt::format("group_size {} needs granularity: per_group", config.group_size));
  }
  if (config.observer && config.granularity == Granularity::per_tensor &&
      config.observer->type.find("PerChannel") != std::string::npos) {
    contradiction(where, kind, "observer",
                  fmt::format("{} looks at channels, but granularity is per_tensor; set granularity: per_channel, or "
                              "take {}",
                              config.observer->type, per_tensor_name(config.observer->type)));
  }
}

void check_observer_options(const ObserverOptions& options, TensorKind kind, std::string_view where) {
  const auto refuse = [&](std::string_view key, const std::string& found, std::string_view expected) {
    contradiction(where, kind, "observer", fmt::format("{}: {} found, expected {}", key, found, expected));
  };
  if (!(options.averaging_constant > 0.0) || options.averaging_constant > 1.0) {
    refuse("averaging_constant", fmt::format("{}", options.averaging_constant), "a number above 0, up to 1");
  }
  if (!(options.percentile > 0.0) || options.percentile > 100.0) {
    refuse("percentile", fmt::format("{}", options.percentile), "a number above 0, up to 100");
  }
  if (options.bins < 2 || options.bins > 65536 || !std::has_single_bit(static_cast<unsigned>(options.bins))) {
    refuse("bins", fmt::format("{}", options.bins), "a power of two from 2 to 65536");
  }
  if (options.batch_size < 1) refuse("batch_size", "0", "a number of samples above 0");
}

constexpr std::string_view kFixed = "FixedQParamsObserver";
constexpr std::array<std::string_view, 2> kFixedOptions{"scale", "zero_point"};

void check_fixed_options(const ObserverChoice& observer, TensorKind kind, std::string_view where) {
  if (observer.type != kFixed) return;
  for (const std::string_view key : kFixedOptions) {
    if (observer.options.extra.contains(key)) continue;
    contradiction(where, kind, "observer",
                  fmt::format("{} looks at nothing and needs scale and zero_point, {} is missing; 0.00390625 and 0 are "
                              "those of quint8 for values in [0, 1]",
                              kFixed, key));
  }
}

/// A zero point that the integers do not have would be moved into them, and every value with it.
void check_fixed_zero_point(const TensorChoice& choice, TensorKind kind, std::string_view where) {
  if (!choice.observer || choice.observer->name != kFixed) return;
  const double zero_point = choice.options.extra.at("zero_point");
  const bool centred = choice.scheme.symmetric && choice.scheme.is_signed();
  const std::int32_t least = centred ? 0 : choice.scheme.quant_min();
  const std::int32_t most = centred ? 0 : choice.scheme.quant_max();
  if (zero_point >= least && zero_point <= most && zero_point == std::nearbyint(zero_point)) return;
  contradiction(where, kind, "observer",
                fmt::format("zero_point: {} found, expected {}, as {} {} with {} bits has it", zero_point,
                            centred ? "0" : fmt::format("a whole number from {} to {}", least, most),
                            choice.scheme.symmetric ? "symmetric" : "asymmetric",
                            choice.scheme.is_signed() ? "qint8" : "quint8", choice.scheme.bits));
}

[[noreturn]] void unsupported(std::string_view where, TensorKind kind, std::string_view key,
                              const std::string& message) {
  throw Error(ErrorCode::unsupported, fmt::format("{}{}_{}: {}", where, letter(kind), key, message));
}

void check_integers(const QScheme& scheme, TensorKind kind, const BackendSpec& backend, std::string_view where) {
  const SchemeLimits& limits = limits_of(kind, backend);
  if (!(scheme.is_signed() ? limits.qint8 : limits.quint8)) {
    unsupported(where, kind, "qscheme",
                fmt::format("{} takes {} as {} alone, found {}; set qdtype: {}", backend.name, plural(kind),
                            limits.qint8 ? "qint8" : "quint8", scheme.is_signed() ? "qint8" : "quint8",
                            limits.qint8 ? "qint8" : "quint8"));
  }
  if (!scheme.symmetric && limits.affine == AffineSchemes::none) {
    unsupported(where, kind, "qscheme",
                fmt::format("{} takes {} with zero point 0 alone, found an asymmetric scheme; set is_symmetry: true",
                            backend.name, plural(kind)));
  }
  if (scheme.bits < limits.least_bits) {
    unsupported(where, kind, "qscheme",
                fmt::format("{} takes {} of {} bits, because its kernels round to all of them; found {}; set bit: {}",
                            backend.name, plural(kind), limits.least_bits, scheme.bits, limits.least_bits));
  }
  if (scheme.bits > limits.most_bits) {
    unsupported(where, kind, "qscheme",
                fmt::format("{} takes {} of up to {} bits, found {}; set bit: {}", backend.name, plural(kind),
                            limits.most_bits, scheme.bits, limits.most_bits));
  }
}

std::string backends_with(bool SchemeLimits::*ability, TensorKind kind) {
  std::string names;
  for (const BackendSpec* backend : backends()) {
    if (!(limits_of(kind, *backend).*ability)) continue;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", backend->name);
  }
  return names.empty() ? "no backend does" : fmt::format("these do: {}", names);
}

void check_granularity(const TensorChoice& choice, TensorKind kind, const BackendSpec& backend,
                       std::string_view where) {
  const SchemeLimits& limits = limits_of(kind, backend);
  if (choice.granularity == Granularity::per_group && !limits.per_group) {
    unsupported(
        where, kind, "qscheme",
        fmt::format("{} takes no {} with a scale for each group ({}); set granularity: {}", backend.name, plural(kind),
                    backends_with(&SchemeLimits::per_group, kind), limits.per_channel ? "per_channel" : "per_tensor"));
  }
  if (choice.granularity != Granularity::per_channel) return;
  if (!limits.per_channel) {
    // Three ways lead here, and a merge type leaves no trace of its own.
    const bool weights = kind == TensorKind::weight;
    throw Error(
        ErrorCode::unsupported,
        fmt::format("{}{} with a scale for each channel are asked for (merge type {}, or {}_qscheme's granularity: "
                    "per_channel, or {}_observer by channels), which {} does not take ({}); take merge type {}, or set "
                    "granularity: per_tensor{}",
                    where, plural(kind), weights ? "0 or 1" : "0", letter(kind), letter(kind), backend.name,
                    backends_with(&SchemeLimits::per_channel, kind), weights ? "2" : "1 or 2",
                    choice.observer ? fmt::format(" and take {}", per_tensor_name(choice.observer->name)) : ""));
  }
  if (!choice.scheme.symmetric && limits.affine == AffineSchemes::per_tensor) {
    unsupported(where, kind, "qscheme",
                fmt::format("{} takes {} with a scale for each channel and zero points of their own in no kernel; set "
                            "is_symmetry: true, or granularity: per_tensor",
                            backend.name, plural(kind)));
  }
}

}  // namespace

void check_keys(const TensorQConfig& config, TensorKind kind, std::string_view where) {
  if (config.scheme) check_scheme_keys(*config.scheme, kind, where);
  check_granularity_keys(config, kind, where);
  if (!config.observer) return;
  check_observer_options(config.observer->options, kind, where);
  check_fixed_options(*config.observer, kind, where);
}

void check_scheme(const TensorChoice& choice, TensorKind kind, const BackendSpec& backend, std::string_view where) {
  check_fixed_zero_point(choice, kind, where);
  check_integers(choice.scheme, kind, backend, where);
  check_granularity(choice, kind, backend, where);
}

}  // namespace octavo::planning
