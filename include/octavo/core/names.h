#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

namespace octavo {

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

/// What somebody may have meant who wrote `wanted`, for messages: the name with the least distance, the first of
/// several; "" where there are none.
inline std::string_view nearest_name(std::string_view wanted, std::span<const std::string_view> names) {
  constexpr std::size_t kLongest = 256;  // a longer one is no misspelling
  wanted = wanted.substr(0, kLongest);
  const auto nearer = [&](std::string_view a, std::string_view b) {
    return edit_distance(a, wanted) < edit_distance(b, wanted);
  };
  const auto nearest = std::min_element(names.begin(), names.end(), nearer);
  return nearest == names.end() ? std::string_view() : *nearest;
}

}  // namespace octavo
