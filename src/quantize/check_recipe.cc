#include <fmt/format.h>

#include <string>

#include "octavo/backends.h"
#include "octavo/error.h"
#include "octavo/passes.h"
#include "octavo/quantize.h"
#include "recipe_file.h"

namespace octavo {

void recipe::require_mode_of_backend(const Recipe& recipe) {
  const BackendSpec& backend = backend_of(recipe);
  if (recipe.mode != QuantizeMode::dynamic || backend.dynamic) return;
  std::string able;
  for (const BackendSpec* other : backends()) {
    if (other->dynamic) able += fmt::format("{}{}", able.empty() ? "" : ", ", other->name);
  }
  throw Error(ErrorCode::unsupported,
              fmt::format("mode: dynamic found, and {} measures no activations at run time (these do: {}); take static "
                          "or weights_only",
                          backend.name, able));
}

void check_recipe(const Recipe& recipe, const Graph& model) {
  const BackendSpec& backend = backend_of(recipe);
  recipe::require_mode_of_backend(recipe);
  recipe::require_known_inputs(model, recipe);
  Graph graph = model;
  prepare_for(graph, backend);
  make_plan(graph, backend, recipe.qconfig);
  require_supported(exporter_of(recipe), graph);
}

}  // namespace octavo
