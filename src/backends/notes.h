#pragma once

#include <map>
#include <string>
#include <vector>

namespace octavo::planning {

/// Collects what the user is told, one line a reason with the names it is for.
class Notes {
 public:
  void add(const std::string& reason, std::string name);
  /// "reason: first, second and 7 more".
  std::vector<std::string> lines() const;

 private:
  std::map<std::string, std::vector<std::string>> names_;
};

}  // namespace octavo::planning
