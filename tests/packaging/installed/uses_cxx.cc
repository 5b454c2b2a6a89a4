#include <octavo/error.h>
#include <octavo/formats.h>
#include <octavo/quantize.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    octavo::Recipe recipe;
    octavo::set_option(recipe, "images", argv[2]);
    octavo::set_option(recipe, "pixel-range", "0,1");
    const octavo::Quantized result = octavo::quantize(octavo::load_model(argv[1]), recipe);
    std::cout << result.plan.weights.size() << " weights quantized\n";
    return result.plan.weights.empty() ? 1 : 0;
  } catch (const octavo::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
