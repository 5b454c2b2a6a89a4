// Quantizes with an observer, a fake-quantizer and a weight method that are not Octavo's, named in a recipe.
#include <octavo/error.h>
#include <octavo/formats.h>
#include <octavo/quantize.h>

#include <filesystem>
#include <iostream>

#include "least_squares.h"
#include "margin.h"
#include "three_sigma.h"

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: custom_observer MODEL IMAGES RECIPE OUTPUT\n";
    return 1;
  }
  try {
    octavo::Extensions own;
    own.observers.push_back(example::three_sigma());
    own.fake_quantizers.push_back(example::margin());
    own.weight_methods.push_back(example::least_squares_method());
    octavo::Recipe recipe = octavo::read_recipe(argv[3], own);
    octavo::set_option(recipe, "images", argv[2]);
    const octavo::Quantized result = octavo::quantize(octavo::load_model(argv[1]), recipe);
    octavo::save_model(result.graph, std::filesystem::path(argv[4]));
    std::cout << result.plan.weights.size() << " weights by " << result.plan.weights.front().method.name << ", "
              << result.plan.activations.size() << " activations by " << result.plan.activations.front().observer.name
              << ": wrote " << argv[4] << '\n';
  } catch (const octavo::Error& error) {
    std::cerr << error.what() << '\n';
    return static_cast<int>(error.code());
  }
  return 0;
}
