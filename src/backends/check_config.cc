#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "octavo/backends.h"
#include "octavo/error.h"
#include "tensor_choice.h"

namespace octavo {
namespace {

using planning::TensorKind;

/// Methods that search for their own scales would only throw away what an observer of the same level found. `weight`
/// is that level's, `scheme` what holds in the end.
void check_weight_method(const std::optional<TensorQConfig>& weight, const QScheme& scheme, std::string_view name,
                         const Extensions& extensions, std::string_view where) {
  const WeightMethodEntry method = planning::weight_method_named(name, extensions, where);
  if (name != "minmax" && weight && weight->observer) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}weight_method '{}' finds its own scales, so that w_observer {} would have no effect; "
                            "leave out one of the two",
                            where, name, weight->observer->type));
  }
  planning::require_fitting_method(method, scheme, where);
}

void check_override(const QConfig& config, std::size_t index, const BackendSpec& backend) {
  const QOverride& over = config.overrides[index];
  const std::string where = planning::where_of(config, index);
  if (over.op_type.empty() && over.node.empty()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}neither op_type nor node says for which operators it is", where));
  }
  if (!over.weight && !over.activation && !over.weight_method && !over.skip) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}it says nothing of what is different for {}; give w_…, a_…, weight_method or skip",
                            where, over.node.empty() ? over.op_type : over.node));
  }
  if (over.weight || over.weight_method) {
    const TensorQConfig weight = planning::merged(config.weight, over.weight.value_or(TensorQConfig{}));
    const auto choice = planning::choose(weight, TensorKind::weight, backend, config.extensions, where);
    check_weight_method(over.weight, choice.scheme, over.weight_method.value_or(config.weight_method),
                        config.extensions, where);
  }
  if (!over.activation) return;
  const TensorQConfig activation = planning::merged(config.activation, *over.activation);
  planning::choose(activation, TensorKind::activation, backend, config.extensions, where);
}

void require_narrowing(const BackendSpec& backend) {
  if (!backend.narrow_weights.empty()) return;
  std::string names;
  for (const BackendSpec* other : backends()) {
    if (!other->narrow_weights.empty()) names += fmt::format("{}{}", names.empty() ? "" : ", ", other->name);
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("full_range_weights: has no effect for {}, which takes all integers in any case (it has for: "
                          "{}); leave it out",
                          backend.name, names));
}

}  // namespace

void check_config(const QConfig& config, const BackendSpec& backend) {
  const auto weight = planning::choose(config.weight, TensorKind::weight, backend, config.extensions, "");
  const auto activation = planning::choose(config.activation, TensorKind::activation, backend, config.extensions, "");
  if (activation.reuses_input) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("a_observer: {} is for operators that move data alone: give it in an override",
                            activation.observer->name));
  }
  check_weight_method(config.weight, weight.scheme, config.weight_method, config.extensions, "");
  if (config.full_range_weights) require_narrowing(backend);
  for (std::size_t i = 0; i < config.overrides.size(); ++i) check_override(config, i, backend);
}

}  // namespace octavo
