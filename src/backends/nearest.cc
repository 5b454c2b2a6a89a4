#include "nearest.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "octavo/core/names.h"

namespace octavo::planning {
namespace {

constexpr std::size_t kShown = 3;
/// Names come from files: longer ones are compared by their beginnings.
constexpr std::size_t kLongest = 128;

}  // namespace

std::string nearest_names(std::string_view name, const std::vector<std::string_view>& known) {
  std::vector<std::pair<std::size_t, std::string_view>> ranked;
  for (const std::string_view candidate : known)
    ranked.emplace_back(edit_distance(name.substr(0, kLongest), candidate.substr(0, kLongest)), candidate);
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  ranked.resize(std::min(ranked.size(), kShown));
  std::string text;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    text += fmt::format("{}'{}'", i == 0 ? "" : (i + 1 == ranked.size() ? " or " : ", "), ranked[i].second);
  }
  return text;
}

}  // namespace octavo::planning
