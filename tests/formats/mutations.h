#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>

namespace octavo::formats_test {

inline constexpr int kMutations = 1000;

/// Cuts, flips, doubles and inserts: what is left is often nearly a file.
class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  std::string mutated(std::string text, std::span<const std::string_view> tokens) {
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) change(text, tokens);
    return text;
  }

 private:
  std::size_t below(std::size_t count) { return count == 0 ? 0 : random_() % count; }

  void change(std::string& text, std::span<const std::string_view> tokens) {
    const std::size_t place = below(text.size());
    switch (below(6)) {
      case 0:
        text.resize(place);
        break;
      case 1:
        if (!text.empty()) text[place] = static_cast<char>(text[place] ^ (1 << below(8)));
        break;
      case 2:
        text.erase(place, 1 + below(12));
        break;
      case 3:
        text.insert(place, text.substr(below(text.size()), below(40)));
        break;
      case 4:
        if (!text.empty()) text[place] = static_cast<char>('0' + below(10));
        break;
      default:
        text.insert(place, tokens[below(tokens.size())]);
    }
  }

  std::mt19937 random_;
};

}  // namespace octavo::formats_test
