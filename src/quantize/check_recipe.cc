#include "octavo/backends.h"
#include "octavo/passes.h"
#include "octavo/quantize.h"
#include "recipe_file.h"

namespace octavo {

void check_recipe(const Recipe& recipe, const Graph& model) {
  const BackendSpec& backend = backend_named(recipe.backend);
  recipe::require_known_inputs(model, recipe);
  Graph graph = model;
  prepare(graph);
  if (graph.opset() < backend.min_opset) {
    upgrade_opset(graph, backend.min_opset);
    prepare(graph);
  }
  make_plan(graph, backend, recipe.qconfig);
}

}  // namespace octavo
