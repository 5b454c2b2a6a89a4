#include <fmt/format.h>

#include "octavo/error.h"
#include "octavo/quantize.h"

namespace octavo {
namespace {

InputSpec spec_of(const Value& value) {
  InputSpec spec{value.name, value.dtype, {}};
  if (!value.dims) return spec;
  for (const Dim& dim : *value.dims) spec.dims.push_back(dim.known() ? dim.size : -1);
  return spec;
}

/// The input's own settings, or those meant for every input.
const Recipe::Input* settings_for(const Recipe& recipe, const std::string& name) {
  const auto own = recipe.inputs.find(name);
  const auto common = recipe.inputs.find("");
  if (own != recipe.inputs.end()) return &own->second;
  return common != recipe.inputs.end() ? &common->second : nullptr;
}

void require_known_inputs(const Graph& graph, const Recipe& recipe) {
  std::string names;
  for (const ValueId id : graph.inputs())
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", graph.value(id).name);
  for (const auto& [name, settings] : recipe.inputs) {
    bool known = name.empty();
    for (const ValueId id : graph.inputs()) known = known || graph.value(id).name == name;
    if (!known) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("the model has no input '{}'; its inputs are {}", name, names));
    }
  }
}

}  // namespace

std::unique_ptr<DataSource> open_recipe_data(const Graph& graph, const Recipe& recipe, DataReport* report) {
  require_known_inputs(graph, recipe);
  std::vector<InputData> inputs;
  for (const ValueId id : graph.inputs()) {
    const Value& value = graph.value(id);
    const Recipe::Input* settings = settings_for(recipe, value.name);
    std::vector<std::filesystem::path> paths;
    if (settings != nullptr) paths = settings->paths;
    if (paths.empty()) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("no samples for input '{0}': give a folder or file with --images{1}", value.name,
                              graph.inputs().size() > 1 ? fmt::format(" {}=PATH", value.name) : " PATH"));
    }
    inputs.push_back({spec_of(value), std::move(paths), settings->preprocess});
  }
  return open_data(inputs, {.skip_bad_files = recipe.skip_bad_files}, report);
}

}  // namespace octavo
