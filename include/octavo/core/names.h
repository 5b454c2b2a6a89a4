#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace octavo {

/// "1 node", "2 nodes"; `others` where the plural is not the name with an s.
template <typename Count>
std::string count_of(Count count, std::string_view one, std::string_view others = {}) {
  std::string text = std::to_string(count);
  text.append(" ").append(count == 1 || others.empty() ? one : others);
  return count == 1 || !others.empty() ? text : text.append("s");
}

/// Letters to change, add or leave out to turn one name into the other (Levenshtein 1966).
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

/// How many like names a message shows for one that nobody has.
inline constexpr std::size_t kSuggested = 3;

/// What somebody may have meant who wrote `wanted`, as the end of a message: "; did you mean 'Conv_1', 'Conv_2' or
/// 'Conv_3'?", the `most` names that differ by the fewest letters, the nearest first, of equals the first. "" where
/// there are none.
inline std::string suggestion(std::string_view wanted, std::span<const std::string_view> names, std::size_t most = 1) {
  constexpr std::size_t kLongest = 128;  // names come from files: longer ones are compared by their beginnings
  std::vector<std::pair<std::size_t, std::string_view>> ranked;
  ranked.reserve(names.size());
  for (const std::string_view name : names) {
    ranked.emplace_back(edit_distance(wanted.substr(0, kLongest), name.substr(0, kLongest)), name);
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  ranked.resize(std::min(ranked.size(), most));
  std::string text;
  for (std::size_t i = 0; i < ranked.size(); ++i) {
    text.append(i == 0 ? "; did you mean '" : i + 1 == ranked.size() ? " or '" : ", '");
    text.append(ranked[i].second).append("'");
  }
  return ranked.empty() ? text : text.append("?");
}

/// Whether `name` is what `pattern` describes: * stands for any letters, ? for any one.
inline bool matches_glob(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t taken = 0;  // up to here the last * has eaten; letters before it need no second look
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace octavo
