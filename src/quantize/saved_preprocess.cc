#include <fmt/format.h>

#include <map>
#include <string>

#include "octavo/error.h"
#include "pipeline.h"
#include "recipe_file.h"

namespace octavo::pipeline {
namespace {

using Steps = std::map<std::string, Preprocess, std::less<>>;

/// By input, of those of which something is said.
Steps steps_of(const Recipe& recipe) {
  Steps steps;
  for (const auto& [name, input] : recipe.inputs) {
    if (input.preprocess != Preprocess{}) steps[name] = input.preprocess;
  }
  return steps;
}

}  // namespace

void take_input_shapes(const Calibration& calibration, Recipe& recipe) {
  const Recipe saved = recipe::parse_unchecked(calibration.keys.preprocess, recipe.calibration.string(), {});
  const auto given = [&](const std::string& name) {
    const auto found = recipe.inputs.find(name);
    return found != recipe.inputs.end() && !found->second.shape.empty();
  };
  for (const auto& [name, input] : saved.inputs) {
    if (!input.shape.empty() && !given(name) && !given("")) recipe.inputs[name].shape = input.shape;
  }
}

void take_preprocess(const Calibration& calibration, Recipe& recipe) {
  const std::string file = recipe.calibration.string();
  if (recipe.calibrate_steps != 0) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("calibrate_steps: {} found, and {} holds what {} said, no more and no fewer; leave it out, "
                            "or calibrate anew",
                            recipe.calibrate_steps, file, calibration.keys.data_name));
  }
  const Steps own = steps_of(recipe);
  const Steps saved = steps_of(recipe::parse_unchecked(calibration.keys.preprocess, file, {}));
  if (!own.empty() && own != saved) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("{}: its samples were preprocessed in another way than is given here; without samples leave "
                    "the preprocessing out, or give what they went through:\n{}",
                    file,
                    saved.empty() ? "nothing but what the model's input shape asks for" : calibration.keys.preprocess));
  }
  for (const auto& [name, steps] : saved) recipe.inputs[name].preprocess = steps;
}

}  // namespace octavo::pipeline
