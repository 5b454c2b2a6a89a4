#include "octavo/backends.h"
#include "octavo/passes.h"
#include "octavo/quantize.h"
#include "recipe_file.h"

namespace octavo {

void check_recipe(const Recipe& recipe, const Graph& model) {
  const BackendSpec& backend = backend_named(recipe.backend);
  recipe::require_known_inputs(model, recipe);
  Graph graph = model;
  prepare_for(graph, backend);
  make_plan(graph, backend, recipe.qconfig);
}

}  // namespace octavo
