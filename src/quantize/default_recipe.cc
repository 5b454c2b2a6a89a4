#include <fmt/format.h>

#include <array>
#include <string>

#include "octavo/core/fake_quantizers/table.h"
#include "octavo/core/observers/table.h"
#include "octavo/core/weights/table.h"
#include "octavo/quantize.h"

namespace octavo {
namespace {

constexpr std::string_view kHead =
    "# A recipe: octavo quantize MODEL --config THIS_FILE. docs/recipe.md explains every key.\n"
    "# What stands here are the defaults; a line that begins with # and no blank is an example of what can be added.\n"
    "# Paths are relative to the current folder, and flags of the command override what is written here.\n";

constexpr std::string_view kInputs =
    "  # a model with several inputs: steps for one of them, by its name\n"
    "  #inputs:\n"
    "    #image: {mean: 127.5, scale: 1/127.5}\n";

constexpr std::string_view kConfiguration =
    "# observer, fake-quantizer and scheme of weights (w_) and activations (a_), as in MMRazor\n"
    "#global_qconfig:\n"
    "  #w_observer: {type: PerChannelMinMaxObserver}\n"
    "  #a_observer: {type: MovingAverageMinMaxObserver, averaging_constant: 0.01}\n"
    "  #w_fake_quant: {type: FakeQuantize}\n"
    "  #a_fake_quant: {type: FakeQuantize}\n"
    "  #w_qscheme: {qdtype: qint8, bit: 8, is_symmetry: true, is_symmetric_range: true}\n"
    "  #a_qscheme: {qdtype: quint8, bit: 8, is_symmetry: false}\n"
    "# what differs for some nodes, by operator type, name or glob; later ones win\n"
    "#overrides:\n"
    "  #- {op_type: MatMul, w_qscheme: {bit: 7}}\n"
    "  #- {node: 'fire9/*', a_observer: {type: MinMaxObserver}}\n"
    "# all nodes on a way from one node or value to another stay in float\n"
    "#skip_between:\n"
    "  #- [conv1, pool1]\n";

/// "# observers: …", every name there is to choose from.
template <typename Entries>
std::string names_text(std::string_view what, const Entries& entries) {
  constexpr std::size_t kWidth = 118;
  std::string text;
  std::string line = fmt::format("# {}:", what);
  for (const auto& entry : entries) {
    if (entry.name.find("PerChannel") != std::string_view::npos) continue;
    if (line.size() + 1 + entry.name.size() > kWidth) {
      text += line + '\n';
      line = "#  ";
    }
    line += fmt::format(" {}", entry.name);
  }
  return text + line + '\n';
}

std::string option_text(const RecipeOption& option, std::string_view indent) {
  return fmt::format("{0}# {1}\n{0}{2}\n", indent, option.help, option.line);
}

}  // namespace

std::string default_recipe_text() {
  constexpr std::array<std::string_view, 4> kGroups{"Data", "Preprocessing", "Method", "Run"};
  std::string text(kHead);
  for (const std::string_view group : kGroups) {
    const bool nested = group == "Preprocessing";
    text += fmt::format("\n# {}\n{}", group, nested ? "preprocess:\n" : "");
    for (const RecipeOption& option : recipe_options()) {
      if (option.group == group && !option.line.empty()) text += option_text(option, nested ? "  " : "");
    }
    if (nested) text += kInputs;
    if (group != "Method") continue;
    text += kConfiguration;
    text += names_text("observers, most with a variant by channel, such as PerChannelKLObserver", observers());
    text += names_text("fake-quantizers", fake_quantizers());
    text += names_text("weight methods", weight_methods());
  }
  return text;
}

}  // namespace octavo
