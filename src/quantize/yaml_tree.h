#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// YAML 1.2, of which JSON is a part, as a tree that knows its lines. yaml-cpp is seen in yaml_tree.cc alone.
namespace octavo::recipe {

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, list, map };

  Kind kind = Kind::null;
  int line = 1;
  std::string text;             ///< of a scalar
  std::vector<YamlNode> keys;   ///< of a map: scalars, each there once
  std::vector<YamlNode> items;  ///< of a list; of a map, the value of each key

  bool is(Kind wanted) const { return kind == wanted; }
};

/// What a file as people write it never reaches; beyond it Error(resource_limit).
inline constexpr std::size_t kMostBytes = std::size_t{1} << 20U;
inline constexpr std::size_t kMostNodes = 100'000;
inline constexpr std::size_t kMostLevels = 16;

/// "recipe.yaml:12: what is wrong", as Error(invalid_argument).
[[noreturn]] void fail_at(std::string_view file, int line, std::string_view message);
/// The same text, cut to what fits a message.
std::string shown(std::string_view text);

/// Throws Error naming `file` and the line for what is no YAML, for a key given twice, for anchors and aliases, and
/// for tags other than !!binary (text in base64, for paths that are no UTF-8).
YamlNode parse_yaml(std::string_view text, std::string_view file);

/// A scalar that parse_yaml reads back as `text`, whatever bytes it has.
std::string yaml_scalar(std::string_view text);

}  // namespace octavo::recipe
