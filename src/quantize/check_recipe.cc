#include <fmt/format.h>

#include <string>

#include "octavo/backends.h"
#include "octavo/error.h"
#include "octavo/quantize.h"
#include "pipeline.h"
#include "recipe_file.h"

namespace octavo {

namespace {

/// ONNX's products of integers that are measured at run time take no others.
void require_dynamic_weights(const TensorQConfig& weight) {
  constexpr int kMostBits = 8;
  const bool wide = weight.scheme && weight.scheme->bits > kMostBits;
  if (!wide && weight.granularity != Granularity::per_group) return;
  throw Error(ErrorCode::unsupported,
              fmt::format("mode: dynamic found, whose integer products take weights of up to 8 bits with a scale for "
                          "each channel or one in all, and w_qscheme asks for {}; set {}, or mode: weights_only",
                          wide ? fmt::format("{} bits", weight.scheme->bits) : "groups",
                          wide ? "bit: 8" : "granularity: per_channel"));
}

}  // namespace

void recipe::require_mode_of_backend(const Recipe& recipe) {
  const BackendSpec& backend = backend_of(recipe);
  if (recipe.mode != QuantizeMode::dynamic) return;
  require_dynamic_weights(recipe.qconfig.weight);
  if (backend.dynamic) return;
  std::string able;
  for (const BackendSpec* other : backends()) {
    if (other->dynamic) able += fmt::format("{}{}", able.empty() ? "" : ", ", other->name);
  }
  throw Error(ErrorCode::unsupported,
              fmt::format("mode: dynamic found, and {} measures no activations at run time (these do: {}); take static "
                          "or weights_only",
                          backend.name, able));
}

void recipe::require_output_ending(const Recipe& recipe) {
  try {
    require_ending(exporter_of(recipe), recipe.output);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("output: {}", error.what()));
  }
}

void check_recipe(const Recipe& recipe, const Graph& model) {
  recipe::require_known_inputs(model, recipe);
  recipe::require_fitting_steps(model, recipe);
  const pipeline::Prepared prepared = pipeline::prepare_model(model, recipe);
  require_supported(exporter_of(recipe), prepared.graph);
}

}  // namespace octavo
