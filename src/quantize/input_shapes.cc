#include "input_shapes.h"

#include <fmt/format.h>

#include <string>

#include "octavo/error.h"

namespace octavo {
namespace {

std::string shape_text(const Dims& dims) {
  std::string text;
  for (const Dim& dim : dims) {
    text += fmt::format("{}{}", text.empty() ? "" : ",",
                        dim.known()          ? fmt::format("{}", dim.size)
                        : dim.symbol.empty() ? "?"
                                             : dim.symbol);
  }
  return text;
}

}  // namespace

void recipe::fix_shape(Value& input, const std::vector<std::int64_t>& shape) {
  if (shape.empty()) return;
  if (!input.dims) input.dims.emplace(shape.size());
  Dims fixed = *input.dims;
  bool fits = fixed.size() == shape.size();
  for (std::size_t i = 0; fits && i < shape.size(); ++i) {
    if (shape[i] == kKeptOpen) continue;
    fits = !fixed[i].known() || fixed[i].size == shape[i];
    fixed[i] = Dim{shape[i], {}};
  }
  if (!fits) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("input_shape: {} found, and the model's input '{}' is [{}]: only sizes that it leaves open "
                            "can be given",
                            fmt::join(shape, ","), input.name, shape_text(*input.dims)));
  }
  input.dims = std::move(fixed);
}

void fix_input_shapes(Graph& graph, const Recipe& recipe) {
  recipe::require_known_inputs(graph, recipe);
  bool fixed = false;
  for (const ValueId id : graph.inputs()) {
    const Recipe::Input settings = recipe::settings_for(recipe, graph.value(id).name);
    recipe::fix_shape(graph.value(id), settings.shape);
    fixed = fixed || !settings.shape.empty();
  }
  if (fixed) infer_shapes(graph);
}

}  // namespace octavo
