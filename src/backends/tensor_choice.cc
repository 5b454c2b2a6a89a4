#include "tensor_choice.h"

#include <fmt/format.h>

#include <array>
#include <span>
#include <vector>

#include "octavo/core/fake_quantizers/table.h"
#include "octavo/core/names.h"
#include "octavo/core/observers/table.h"
#include "octavo/core/weights/table.h"
#include "octavo/error.h"
#include "scheme_check.h"

namespace octavo::planning {
namespace {

constexpr std::string_view kPerChannel = "PerChannel";
constexpr std::string_view kReuseInput = "ReuseInputObserver";
constexpr std::string_view kRecording = "RecordingObserver";

/// PyTorch and MMRazor put PerChannel behind these.
constexpr std::array<std::string_view, 2> kBeforePerChannel{"MovingAverage", "LSQ"};

template <typename Entry>
Entry entry_or_throw(std::span<const Entry> table, const std::vector<Entry>& added, std::string_view what,
                     std::string_view name, std::string_view where) {
  if (const Entry* entry = entry_named(table, name)) return *entry;
  if (const Entry* entry = entry_named(std::span<const Entry>(added), name)) return *entry;
  std::vector<std::string_view> known;
  for (const Entry& entry : table) known.push_back(entry.name);
  for (const Entry& entry : added) known.push_back(entry.name);
  throw Error(ErrorCode::invalid_argument,
              fmt::format("{}{} '{}' is not known{}", where, what, name, suggestion(name, known, kSuggested)));
}

bool says_per_channel(std::string_view name) { return name.find(kPerChannel) != std::string_view::npos; }

Granularity granularity_of(const TensorQConfig& config, TensorKind kind, const BackendSpec& backend) {
  if (config.granularity) return *config.granularity;
  const bool per_channel = config.observer ? says_per_channel(config.observer->type)
                                           : kind == TensorKind::weight && backend.per_channel_weights;
  return per_channel ? Granularity::per_channel : Granularity::per_tensor;
}

/// Observers that give no parameters are for activations, which then stay in float or go by their input.
void look_at_parameters(TensorChoice& choice, TensorKind kind, std::string_view where) {
  const auto observer = choice.observer->make(choice.options);
  if (observer == nullptr) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}observer '{}' could not be made from its options", where, choice.observer->name));
  }
  if (observer->has_qparams()) return;
  if (kind == TensorKind::weight) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}w_observer: {} gives no parameters, which weights need; to leave operators in float, "
                            "skip them",
                            where, choice.observer->name));
  }
  if (choice.observer->name == kRecording) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}a_observer: {} keeps tensors and gives no parameters; take PlaceholderObserver to leave "
                            "activations in float",
                            where, choice.observer->name));
  }
  choice.reuses_input = choice.observer->name == kReuseInput;
  choice.keeps_float = !choice.reuses_input;
}

}  // namespace

std::string where_of(const QConfig& config, std::size_t override_index) {
  const std::string& where = config.overrides[override_index].where;
  return where.empty() ? fmt::format("overrides[{}]: ", override_index) : fmt::format("{}: ", where);
}

TensorQConfig merged(const TensorQConfig& base, const TensorQConfig& over) {
  TensorQConfig result = base;
  if (over.observer) result.observer = over.observer;
  if (over.fake_quant) result.fake_quant = over.fake_quant;
  if (over.scheme) result.scheme = over.scheme;
  if (over.granularity) result.granularity = over.granularity;
  if (over.granularity || over.group_size != 0) result.group_size = over.group_size;
  return result;
}

TensorChoice choose(const TensorQConfig& config, TensorKind kind, const BackendSpec& backend,
                    const Extensions& extensions, std::string_view where) {
  check_keys(config, kind, where);
  TensorChoice choice;
  choice.scheme = config.scheme.value_or(kind == TensorKind::weight ? backend.weight : backend.activation);
  choice.granularity = granularity_of(config, kind, backend);
  choice.granularity_asked = config.granularity.has_value() || config.observer.has_value();
  choice.group_size = config.group_size;
  if (config.observer) {
    choice.observer = observer_entry(config.observer->type, extensions, where);
    choice.options = config.observer->options;
    look_at_parameters(choice, kind, where);
  }
  if (config.fake_quant) {
    choice.fake_quant =
        entry_or_throw(fake_quantizers(), extensions.fake_quantizers, "fake-quantizer", *config.fake_quant, where);
  }
  check_scheme(choice, kind, backend, where);
  return choice;
}

WeightMethodEntry weight_method_named(std::string_view name, const Extensions& extensions, std::string_view where) {
  return entry_or_throw(weight_methods(), extensions.weight_methods, "weight method", name, where);
}

void require_fitting_method(const WeightMethodEntry& method, const QScheme& scheme, std::string_view where) {
  if (!method.symmetric_only || (scheme.symmetric && scheme.is_signed())) return;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("{}weight_method '{}' needs weights with zero point 0, found {} {}; set w_qscheme's qdtype: "
                          "qint8 and is_symmetry: true",
                          where, method.name, scheme.symmetric ? "symmetric" : "asymmetric",
                          scheme.is_signed() ? "qint8" : "quint8"));
}

ObserverEntry observer_entry(std::string_view name, const Extensions& extensions, std::string_view where) {
  return entry_or_throw(observers(), extensions.observers, "observer", name, where);
}

std::string per_channel_name(std::string_view observer) {
  if (says_per_channel(observer)) return std::string(observer);
  for (const std::string_view before : kBeforePerChannel) {
    if (observer.starts_with(before)) return fmt::format("{}{}{}", before, kPerChannel, observer.substr(before.size()));
  }
  return fmt::format("{}{}", kPerChannel, observer);
}

std::string per_tensor_name(std::string_view observer) {
  std::string name(observer);
  const std::size_t place = name.find(kPerChannel);
  if (place != std::string::npos) name.erase(place, kPerChannel.size());
  return name;
}

ObserverEntry observer_for(std::string_view name, const QScheme& scheme, const Extensions& extensions) {
  const bool per_tensor = scheme.axis == QScheme::kPerTensor;
  const std::string variant = per_tensor ? per_tensor_name(name) : per_channel_name(name);
  if (const ObserverEntry* entry = find_observer(variant)) return *entry;
  if (const ObserverEntry* entry = entry_named(std::span<const ObserverEntry>(extensions.observers), variant)) {
    return *entry;
  }
  if (per_tensor || says_per_channel(name)) return observer_entry(name, extensions, "");
  throw Error(ErrorCode::invalid_argument,
              fmt::format("observer '{}' looks at whole tensors, and there is no {} for a scale for each channel; set "
                          "granularity: per_tensor, or take another",
                          name, variant));
}

}  // namespace octavo::planning
