#include <fmt/format.h>

#include "input_shapes.h"
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

Recipe::Input settings_of(const Recipe& recipe, const std::string& name) {
  const auto found = recipe.inputs.find(name);
  return found == recipe.inputs.end() ? Recipe::Input{} : found->second;
}

/// Throws as complete_preprocess does, saying of whose steps.
void require_steps(const Preprocess& steps, const InputSpec& input, std::string_view where) {
  try {
    complete_preprocess(steps, input);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", where, error.what()));
  }
}

std::string place_of(const std::string& name) {
  return name.empty() ? "preprocess" : fmt::format("preprocess of input '{}'", name);
}

}  // namespace

/// Samples may be given for each input and one mean for all.
Recipe::Input recipe::settings_for(const Recipe& recipe, const std::string& name) {
  Recipe::Input settings = settings_of(recipe, name);
  const Recipe::Input common = settings_of(recipe, "");
  const Preprocess unset;
  const auto complete = [&](auto member) {
    auto& own = settings.preprocess.*member;
    if (own == unset.*member) own = common.preprocess.*member;
  };
  if (settings.paths.empty()) settings.paths = common.paths;
  if (settings.shape.empty()) settings.shape = common.shape;
  complete(&Preprocess::crop_fraction);
  complete(&Preprocess::resize);
  complete(&Preprocess::resize_short);
  complete(&Preprocess::center_crop);
  complete(&Preprocess::interpolation);
  complete(&Preprocess::order);
  complete(&Preprocess::layout);
  complete(&Preprocess::pixel_range);
  complete(&Preprocess::mean);
  complete(&Preprocess::scale);
  complete(&Preprocess::std);
  return settings;
}

void recipe::require_known_inputs(const Graph& graph, const Recipe& recipe) {
  std::string names;
  for (const ValueId id : graph.inputs())
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", graph.value(id).name);
  for (const auto& [name, settings] : recipe.inputs) {
    bool known = name.empty();
    for (const ValueId id : graph.inputs()) known = known || graph.value(id).name == name;
    if (!known) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{}{}the model has no input '{}'; its inputs are {}", settings.where,
                              settings.where.empty() ? "" : ": ", name, names));
    }
  }
}

void recipe::require_possible_steps(const Recipe& recipe) {
  for (const auto& [name, input] : recipe.inputs) {
    Preprocess steps = input.preprocess;
    if (steps == Preprocess{}) continue;
    if (!steps.resize && !steps.resize_short && !steps.center_crop) steps.resize = {1, 1};  // the model's, unknown here
    require_steps(steps, {"any", DType::f32, {-1, -1, -1, -1}}, place_of(name));
  }
}

void recipe::require_fitting_steps(const Graph& graph, const Recipe& recipe) {
  for (const ValueId id : graph.inputs()) {
    Value value = graph.value(id);
    const Recipe::Input settings = settings_for(recipe, value.name);
    fix_shape(value, settings.shape);
    // Of several inputs those without settings of their own may be no pictures.
    const bool meant = graph.inputs().size() == 1 || recipe.inputs.contains(value.name);
    if (meant && settings.preprocess != Preprocess{}) {
      require_steps(settings.preprocess, spec_of(value), place_of(value.name));
    }
  }
}

std::unique_ptr<DataSource> open_recipe_data(const Graph& graph, const Recipe& recipe, DataReport* report) {
  recipe::require_known_inputs(graph, recipe);
  std::vector<InputData> inputs;
  for (const ValueId id : graph.inputs()) {
    Value value = graph.value(id);
    Recipe::Input settings = recipe::settings_for(recipe, value.name);
    recipe::fix_shape(value, settings.shape);
    if (settings.paths.empty()) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("no samples for input '{0}': give a folder or file with --images{1}", value.name,
                              graph.inputs().size() > 1 ? fmt::format(" {}=PATH", value.name) : " PATH"));
    }
    inputs.push_back({spec_of(value), std::move(settings.paths), std::move(settings.preprocess)});
  }
  auto data = open_data(inputs, {.skip_bad_files = recipe.skip_bad_files}, report);
  const bool shared = inputs.size() > 1 && recipe.inputs.size() == 1 && recipe.inputs.begin()->first.empty();
  if (shared && report != nullptr) {
    report->notes.push_back(
        fmt::format("all {} inputs are fed from the same samples; --images NAME=PATH gives an input "
                    "its own",
                    inputs.size()));
  }
  return data;
}

}  // namespace octavo
