// What documents and printed defaults say of recipes is true.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <string_view>

#include "octavo/core/fake_quantizers/table.h"
#include "octavo/core/observers/table.h"
#include "octavo/core/weights/table.h"
#include "recipes.h"

using namespace octavo;
using namespace octavo::test;

TEST_CASE("the page on recipes names every key, and its example is one") {
  std::ifstream file(OCTAVO_SOURCE_DIR "/docs/recipe.md");
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  for (const RecipeOption& option : recipe_options()) {
    if (option.line.empty()) continue;
    std::string key(option.key);
    std::replace(key.begin(), key.end(), '-', '_');
    CHECK_THAT(page, Catch::Contains("`" + key + "`"));
  }
  const std::string printed = default_recipe_text();
  const auto named = [&](std::string_view name) {
    CHECK_THAT(printed, Catch::Contains(std::string(name)));
    std::string_view kind = name.substr(0, name.rfind("Observer"));  // the page leaves the word out
    CHECK_THAT(page, Catch::Contains(std::string(kind)));
  };
  for (const ObserverEntry& entry : observers()) {
    if (entry.name.find("PerChannel") == std::string_view::npos) named(entry.name);
  }
  for (const FakeQuantizeEntry& entry : fake_quantizers()) named(entry.name);
  for (const WeightMethodEntry& entry : weight_methods()) {
    named(entry.name);
    const auto option = std::find_if(recipe_options().begin(), recipe_options().end(),
                                     [](const RecipeOption& o) { return o.key == "weight-method"; });
    CHECK_THAT(std::string(option->help), Catch::Contains(std::string(entry.name)));
  }
  const std::size_t begin = page.find("```yaml") + 7;
  REQUIRE(begin > 7);
  const Recipe recipe = parsed(page.substr(begin, page.find("```", begin) - begin));
  CHECK(recipe.qconfig.overrides.size() == 4);
  CHECK(recipe.qconfig.activation.observer->options.averaging_constant == 0.1);
}

TEST_CASE("files know every option that an observer of the table reads, and of each those alone") {
  std::set<std::string_view> options;
  for (const ObserverEntry& entry : observers()) options.insert(entry.options.begin(), entry.options.end());
  for (const ObserverEntry& entry : observers()) {
    for (const std::string_view option : options) {
      const bool reads = std::find(entry.options.begin(), entry.options.end(), option) != entry.options.end();
      std::string text = "backend: academic\nglobal_qconfig: {w_observer: {type: ";
      text.append(entry.name).append(", ").append(option).append(": 1}}");
      std::string said;
      try {
        parsed(text);
      } catch (const Error& error) {
        said = error.what();  // of the number, or of the backend
      }
      INFO(said);
      CHECK((said.find(std::string(" reads no ").append(option)) == std::string::npos) == reads);
    }
  }
  std::ifstream table(OCTAVO_SOURCE_DIR "/include/octavo/core/observers/table.h");
  const std::string source((std::istreambuf_iterator<char>(table)), {});
  const std::regex use("extra(?:\\.find|\\.at)?\\(\"(\\w+)\"[,)]");
  int found = 0;
  for (std::sregex_iterator it(source.begin(), source.end(), use), end; it != end; ++it, ++found) {
    INFO((*it)[1]);
    CHECK(options.contains((*it)[1].str()));
  }
  CHECK(found >= 4);
}

TEST_CASE("the printed default is the default, knows every key, and its examples are fine") {
  const std::string text = default_recipe_text();
  CHECK(recipe_text(parsed(text)) == recipe_text(Recipe{}));
  const std::string all = std::regex_replace(text, std::regex("(^|\n)( *)#(?=[^ \n])"), "$1$2");
  // Examples that exclude others of the same page.
  const Recipe recipe = parsed(std::regex_replace(all, std::regex("\n *(runtime_version|resize_short): [^\n]*"), ""));
  CHECK(recipe.inputs.at("image").preprocess.mean == std::vector<double>{127.5});
  CHECK(recipe.qconfig.overrides.size() == 5);
  for (const RecipeOption& option : recipe_options()) {
    if (option.line.empty()) continue;
    std::string key(option.key);
    std::replace(key.begin(), key.end(), '-', '_');
    INFO(key);
    CHECK_THAT(all, Catch::Contains("\n" + key + ": ") || Catch::Contains("\n  " + key + ": "));
    CHECK_THAT(text, Catch::Contains(std::string(option.help)));
  }
}
