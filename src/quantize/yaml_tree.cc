#include "yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/binary.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>

#include "octavo/core/utf8.h"
#include "octavo/error.h"

namespace octavo::recipe {
namespace {

using Kind = YamlNode::Kind;

constexpr std::string_view kBinaryTag = "tag:yaml.org,2002:binary";

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x7F || (byte < 0x20 && c != '\t' && c != '\n' && c != '\r');
}

/// yaml-cpp replaces bytes that are no UTF-8 and ends at an EOT: a path would silently become another.
void require_text(std::string_view text, std::string_view file) {
  int line = 1;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) fail_at(file, line, "the file is not UTF-8 here");
    if (is_control(text.front())) fail_at(file, line, "the file holds a control character; write it as \"\\x..\"");
    if (text.front() == '\n') ++line;
    text.remove_prefix(length);
  }
}

/// Puts yaml-cpp's events together. Its own nodes are not used: they say too little of where they came from, and
/// share what aliases name, so that a small file can stand for a huge tree.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view file) : file_(file) {}

  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) fail_at(file_, mark.line + 1, "a second document begins; a recipe is one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(make(Kind::null, mark, anchor)); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_alias(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = make(Kind::scalar, mark, anchor);
    if (tag == kBinaryTag) {
      const std::vector<unsigned char> bytes = YAML::DecodeBase64(value);
      node.text.assign(bytes.begin(), bytes.end());
    } else {
      require_plain(mark, tag);
      node.text = value;
    }
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Kind::map, mark, tag, anchor);
    seen_.emplace_back();
  }
  void OnMapEnd() override {
    seen_.pop_back();
    close();
  }

 private:
  [[noreturn]] void refuse_alias(const YAML::Mark& mark) const {
    fail_at(file_, mark.line + 1, "anchors (&) and aliases (*) are not taken in a recipe; write the value out");
  }

  void require_plain(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return;  // a plain word is "?", a quoted one "!"
    fail_at(file_, mark.line + 1, fmt::format("tag '{}' found, expected none, or !!binary", shown(tag)));
  }

  YamlNode make(Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) refuse_alias(mark);
    if (++nodes_ > kMostNodes) {
      throw Error(ErrorCode::resource_limit,
                  fmt::format("{}:{}: more than {} values; a recipe has a few", file_, mark.line + 1, kMostNodes));
    }
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    return node;
  }

  void open(Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    require_plain(mark, tag);
    if (open_.size() >= kMostLevels) {
      throw Error(ErrorCode::resource_limit,
                  fmt::format("{}:{}: lists and maps within each other {} deep; a recipe needs 5", file_, mark.line + 1,
                              kMostLevels + 1));
    }
    open_.push_back(make(kind, mark, anchor));
  }

  void close() {
    YamlNode node = std::move(open_.back());
    open_.pop_back();
    add(std::move(node));
  }

  void add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    YamlNode& parent = open_.back();
    const bool is_key = parent.is(Kind::map) && parent.keys.size() == parent.items.size();
    if (!is_key) {
      parent.items.push_back(std::move(node));
      return;
    }
    if (!node.is(Kind::scalar)) fail_at(file_, node.line, "a key that is not a word");
    if (!seen_.back().insert(node.text).second) {
      fail_at(file_, node.line, fmt::format("key '{}' is given twice", shown(node.text)));
    }
    parent.keys.push_back(std::move(node));
  }

  std::string_view file_;
  YamlNode root_;
  std::vector<YamlNode> open_;
  std::vector<std::set<std::string>> seen_;  // keys of each open map
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

YamlNode parse(const std::string& text, std::string_view file) {
  std::istringstream stream(text);
  TreeBuilder builder(file);
  YAML::Parser parser(stream);
  while (parser.HandleNextDocument(builder)) continue;
  return builder.take();
}

[[noreturn]] void refuse_syntax(std::string_view file, const YAML::Exception& error) {
  fail_at(file, error.mark.is_null() ? 1 : error.mark.line + 1, fmt::format("no YAML or JSON: {}", error.msg));
}

/// The UTF-16 unit that "\uXXXX" at the beginning of `text` stands for; nothing where there is none.
std::optional<std::uint32_t> escaped_unit(std::string_view text) {
  constexpr std::size_t kLength = 6;
  if (text.size() < kLength || !text.starts_with("\\u")) return std::nullopt;
  std::uint32_t unit = 0;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + kLength, unit, 16);
  if (error != std::errc{} || end != text.data() + kLength) return std::nullopt;
  return unit;
}

/// JSON writes what lies beyond 16 bits as two escapes, which YAML has no meaning for: they become YAML's one. Called
/// only for files in which some escape is none of YAML's.
std::string with_joined_surrogates(std::string_view text) {
  constexpr std::size_t kLength = 6;
  std::string joined;
  while (!text.empty()) {
    const auto high = escaped_unit(text);
    const auto low = high ? escaped_unit(text.substr(kLength)) : std::nullopt;
    if (low && *high >> 10U == 0x36 && *low >> 10U == 0x37) {
      joined += fmt::format("\\U{:08x}", 0x10000 + ((*high & 0x3FFU) << 10U) + (*low & 0x3FFU));
      text.remove_prefix(2 * kLength);
      continue;
    }
    // A backslash takes the next letter with it: "\\\\ud83d" is a backslash and letters.
    const std::size_t taken = text.front() == '\\' ? std::min<std::size_t>(2, text.size()) : 1;
    joined += text.substr(0, taken);
    text.remove_prefix(taken);
  }
  return joined;
}

}  // namespace

void fail_at(std::string_view file, int line, std::string_view message) {
  throw Error(ErrorCode::invalid_argument, fmt::format("{}:{}: {}", file, line, message));
}

std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  if (text.size() <= kLongest) return std::string(text);
  std::size_t end = 0;
  while (end < kLongest) end += std::max<std::size_t>(utf8_length(text.substr(end)), 1);
  return fmt::format("{}…", text.substr(0, end));
}

YamlNode parse_yaml(std::string_view text, std::string_view file) {
  if (text.size() > kMostBytes) {
    throw Error(ErrorCode::resource_limit,
                fmt::format("{}: {} bytes, more than the {} that a recipe may have", file, text.size(), kMostBytes));
  }
  require_text(text, file);
  try {
    return parse(std::string(text), file);
  } catch (const YAML::Exception& error) {
    if (error.msg.find(YAML::ErrorMsg::INVALID_UNICODE) == std::string::npos) refuse_syntax(file, error);
  }
  try {
    return parse(with_joined_surrogates(text), file);
  } catch (const YAML::Exception& error) {
    refuse_syntax(file, error);
  }
}

std::string yaml_scalar(std::string_view text) {
  std::string quoted = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) {
      const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
      return fmt::format("!!binary \"{}\"", YAML::EncodeBase64(bytes, text.size()));
    }
    const char c = text[i];
    if (is_control(c) || c == '\t' || c == '\n' || c == '\r') {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += text.substr(i, length);
    }
    i += length;
  }
  return quoted + '"';
}

}  // namespace octavo::recipe
