#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "yaml_tree.h"

namespace octavo::recipe {

/// What a key does with its value.
using Fields = std::map<std::string, std::function<void(const YamlNode& value)>, std::less<>>;

/// Reads values of a recipe file; what is wrong becomes Error(invalid_argument) with file, line and key.
class FieldReader {
 public:
  /// `file` must outlive the reader.
  explicit FieldReader(std::string_view file) : file_(file) {}

  /// Hands each key of `map` to its field; an unknown one names the nearest. `others`, where given, takes those.
  void read_map(const YamlNode& map, std::string_view what, const Fields& fields,
                const std::function<void(const YamlNode& key, const YamlNode& value)>& others = {}) const;
  /// A scalar, or each scalar of a list.
  void each_text(const YamlNode& value, std::string_view key,
                 const std::function<void(const YamlNode& item)>& use) const;
  /// Calls with `line` and `key` put before what it throws.
  void at(const YamlNode& value, std::string_view key, const std::function<void()>& call) const;

  const std::string& text(const YamlNode& value, std::string_view key, std::string_view expected) const;
  bool boolean(const YamlNode& value, std::string_view key) const;
  int integer(const YamlNode& value, std::string_view key, int least, int most) const;
  double number(const YamlNode& value, std::string_view key) const;

  [[noreturn]] void wrong(const YamlNode& value, std::string_view key, std::string_view expected) const;
  [[noreturn]] void unknown(const YamlNode& key, std::string_view what,
                            const std::vector<std::string_view>& known) const;
  std::string_view file() const { return file_; }

 private:
  std::string_view file_;
};

}  // namespace octavo::recipe
