#include <fmt/format.h>

#include <array>
#include <string>

#include "octavo/error.h"
#include "octavo/quantize.h"

namespace octavo {
namespace {

/// A setting that concerns what is written, and where an exporter says whether it reads it.
struct Setting {
  std::string_view key;
  bool (*given)(const Recipe& recipe);
  bool Exporter::*read;
};

constexpr std::array kSettings{
    Setting{"opset", [](const Recipe& recipe) { return recipe.opset != 0; }, &Exporter::reads_opset},
    Setting{"weight_storage", [](const Recipe& recipe) { return recipe.weight_storage.has_value(); },
            &Exporter::reads_weight_storage},
    Setting{"runtime_version", [](const Recipe& recipe) { return !recipe.runtime_version.empty(); },
            &Exporter::reads_runtime_version},
};

std::string exporters_that_read(const Setting& setting) {
  std::string names;
  for (const Exporter* exporter : exporters()) {
    if (exporter->*setting.read) names += fmt::format("{}{}", names.empty() ? "" : ", ", exporter->name);
  }
  return names;
}

}  // namespace

void require_settings_read(const Recipe& recipe) {
  const Exporter& exporter = exporter_of(recipe);
  for (const Setting& setting : kSettings) {
    if (!setting.given(recipe) || exporter.*setting.read) continue;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}: has no effect on what is written as {} (it has for: {}); leave it out, or write "
                            "another form",
                            setting.key, exporter.name, exporters_that_read(setting)));
  }
}

}  // namespace octavo
