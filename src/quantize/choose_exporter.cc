#include <fmt/format.h>

#include "octavo/error.h"
#include "octavo/quantize.h"

namespace octavo {

const Exporter& exporter_of(const Recipe& recipe) {
  if (!recipe.to.empty()) return exporter_named(recipe.to);
  const Exporter* const by_ending = exporter_for(recipe.output);
  return by_ending == nullptr ? *exporters().front() : *by_ending;
}

const BackendSpec& backend_of(const Recipe& recipe) {
  const Exporter& exporter = exporter_of(recipe);
  const BackendSpec& own = backend_named(exporter.backend);
  const BackendSpec& backend = recipe.backend.empty() ? own : backend_named(recipe.backend);
  if (exporter.only_for_backend && backend.name != own.name) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("backend '{}': what is written as {} is planned for '{}'; leave the backend out, or write "
                            "another form (--to)",
                            backend.name, exporter.name, own.name));
  }
  return backend;
}

}  // namespace octavo
