#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "octavo/quantize.h"

namespace octavo::recipe {

/// read_recipe and parse_recipe, but for the check against the backend: flags may still change that.
Recipe read_unchecked(const std::filesystem::path& path, const Extensions& extensions);
Recipe parse_unchecked(std::string_view text, std::string_view name, const Extensions& extensions);

/// What the recipe says of preprocessing, as a recipe of its own; empty where it says nothing.
std::string preprocess_of(const Recipe& recipe);

/// Throws Error(invalid_argument) where the recipe names inputs that the graph does not have.
void require_known_inputs(const Graph& graph, const Recipe& recipe);

/// Throws Error(invalid_argument) where the name of the output does not fit what is written.
void require_output_ending(const Recipe& recipe);

/// Throws Error(invalid_argument) for preprocessing that no picture can go through.
void require_possible_steps(const Recipe& recipe);

/// The same for the inputs of a graph.
void require_fitting_steps(const Graph& graph, const Recipe& recipe);

/// Throws Error(unsupported) where the recipe's backend cannot run what its mode writes.
void require_mode_of_backend(const Recipe& recipe);

}  // namespace octavo::recipe
