#include "octavo/quantize.h"

namespace octavo {

const Exporter& exporter_of(const Recipe& recipe) {
  if (!recipe.to.empty()) return exporter_named(recipe.to);
  const Exporter* const by_ending = exporter_for(recipe.output);
  return by_ending == nullptr ? *exporters().front() : *by_ending;
}

const BackendSpec& backend_of(const Recipe& recipe) {
  return backend_named(recipe.backend.empty() ? exporter_of(recipe).backend : std::string_view(recipe.backend));
}

}  // namespace octavo
