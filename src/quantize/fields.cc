#include "fields.h"

#include <fmt/format.h>

#include <vector>

#include "choices.h"
#include "octavo/core/names.h"
#include "octavo/error.h"
#include "parse.h"

namespace octavo::recipe {
namespace {

using Kind = YamlNode::Kind;

std::string description(const YamlNode& value) {
  if (value.is(Kind::scalar)) return fmt::format("'{}'", shown(value.text));
  if (value.is(Kind::null)) return "nothing";
  return value.is(Kind::list) ? "a list" : "a map";
}

}  // namespace

void FieldReader::wrong(const YamlNode& value, std::string_view key, std::string_view expected) const {
  fail_at(file_, value.line, fmt::format("{}: {} found, expected {}", key, description(value), expected));
}

void FieldReader::unknown(const YamlNode& key, std::string_view what,
                          const std::vector<std::string_view>& known) const {
  fail_at(file_, key.line,
          fmt::format("key '{}' is not known in {}{}", shown(key.text), what, suggestion(key.text, known)));
}

void FieldReader::read_map(const YamlNode& map, std::string_view what, const Fields& fields,
                           const std::function<void(const YamlNode& key, const YamlNode& value)>& others) const {
  if (!map.is(Kind::map)) wrong(map, what, "keys with values");
  for (std::size_t i = 0; i < map.keys.size(); ++i) {
    const auto field = fields.find(map.keys[i].text);
    if (field != fields.end()) {
      field->second(map.items[i]);
    } else if (others) {
      others(map.keys[i], map.items[i]);
    } else {
      std::vector<std::string_view> known;
      for (const auto& [name, use] : fields) known.push_back(name);
      unknown(map.keys[i], what, known);
    }
  }
}

void FieldReader::each_text(const YamlNode& value, std::string_view key,
                            const std::function<void(const YamlNode& item)>& use) const {
  const auto use_text = [&](const YamlNode& item) {
    text(item, key, "a text, or a list of them");
    at(item, key, [&] { use(item); });
  };
  if (!value.is(Kind::list)) {
    use_text(value);
    return;
  }
  for (const YamlNode& item : value.items) use_text(item);
}

void FieldReader::at(const YamlNode& value, std::string_view key, const std::function<void()>& call) const {
  try {
    call();
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}:{}: {}: {}", file_, value.line, key, error.what()));
  }
}

const std::string& FieldReader::text(const YamlNode& value, std::string_view key, std::string_view expected) const {
  if (!value.is(Kind::scalar)) wrong(value, key, expected);
  return value.text;
}

bool FieldReader::boolean(const YamlNode& value, std::string_view key) const {
  const auto parsed = parse_boolean(text(value, key, "true or false"));
  if (!parsed) wrong(value, key, "true or false");
  return *parsed;
}

int FieldReader::integer(const YamlNode& value, std::string_view key, int least, int most) const {
  const std::string expected = fmt::format("a whole number from {} to {}", least, most);
  const auto parsed = parse_integer(text(value, key, expected), least, most);
  if (!parsed) wrong(value, key, expected);
  return *parsed;
}

double FieldReader::number(const YamlNode& value, std::string_view key) const {
  const auto parsed = parse_number(text(value, key, "a number"));
  if (!parsed) wrong(value, key, "a number");
  return *parsed;
}

}  // namespace octavo::recipe
