#include "notes.h"

#include <fmt/format.h>

#include <utility>

namespace octavo::planning {
namespace {

constexpr std::size_t kShown = 4;

}  // namespace

void Notes::add(const std::string& reason, std::string name) { names_[reason].push_back(std::move(name)); }

std::vector<std::string> Notes::lines() const {
  std::vector<std::string> lines;
  for (const auto& [reason, names] : names_) {
    std::string line = reason;
    for (std::size_t i = 0; i < names.size() && i < kShown; ++i)
      line += fmt::format("{}{}", i == 0 ? ": " : ", ", names[i]);
    if (names.size() > kShown) line += fmt::format(" and {} more", names.size() - kShown);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace octavo::planning
