#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "choices.h"
#include "fields.h"
#include "octavo/backends.h"
#include "octavo/error.h"
#include "qconfig_reader.h"
#include "recipe_file.h"

namespace octavo::recipe {
namespace {

using Kind = YamlNode::Kind;

/// The key in a file; empty where files say it another way.
std::string file_key(const RecipeOption& option) {
  if (option.line.empty()) return {};
  std::string key(option.key);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

class RecipeReader {
 public:
  RecipeReader(std::string_view file, const Extensions& extensions) : reader_(file) {
    recipe_.qconfig.extensions = extensions;
  }

  Recipe read(const YamlNode& root) {
    if (root.is(Kind::null)) return std::move(recipe_);
    const std::vector<Step> steps = ordered_steps();
    Fields fields;
    std::map<std::string, const YamlNode*, std::less<>> values;
    for (const auto& [key, step] : steps) {
      fields[key] = [&values, &key = key](const YamlNode& value) { values[key] = &value; };
    }
    reader_.read_map(root, "a recipe", fields);
    for (const auto& [key, step] : steps) {
      if (const auto found = values.find(key); found != values.end()) step(*found->second);
    }
    return std::move(recipe_);
  }

 private:
  using Step = std::pair<std::string, std::function<void(const YamlNode&)>>;

  /// What each key does, in an order of its own: a merge type changes the global configuration, overrides begin from
  /// that, and what is skipped is skipped whatever overrides say.
  std::vector<Step> ordered_steps() {
    std::vector<Step> steps{
        {"global_qconfig", [this](const YamlNode& value) { read_global(value); }},
        {"overrides", [this](const YamlNode& value) { read_overrides(value); }},
        {"skip_between", [this](const YamlNode& value) { read_spans(value); }},
        {"preprocess", [this](const YamlNode& value) { read_preprocess(value); }},
    };
    for (const RecipeOption& option : recipe_options()) {
      if (option.group == "Preprocessing" || file_key(option).empty()) continue;
      const auto place = option.key == "merge-type" ? steps.begin() + 1 : steps.end();
      steps.emplace(place, file_key(option), [this, &option](const YamlNode& value) { read_option(option, value); });
    }
    return steps;
  }

  void set(const RecipeOption& option, std::string_view input, const YamlNode& value, std::string_view text) {
    reader_.at(value, file_key(option), [&] { option.set(recipe_, input, text); });
    if (!input.empty()) remember(recipe_.inputs[std::string(input)].where, value, file_key(option));
  }
  /// For messages of those who hold the recipe against a model.
  void remember(std::string& where, const YamlNode& value, std::string_view key) const {
    if (where.empty()) where = fmt::format("{}:{}: {}", reader_.file(), value.line, key);
  }

  /// What a file says of granularity itself is no less its author's word than the merge type.
  void require_no_granularity(const YamlNode& value) const {
    const QConfig& config = recipe_.qconfig;
    if (!config.weight.granularity && !config.activation.granularity) return;
    fail_at(reader_.file(), value.line,
            fmt::format("merge_type: it sets granularity, which {}_qscheme gives as well; leave out one of the two",
                        config.weight.granularity ? "w" : "a"));
  }

  void read_option(const RecipeOption& option, const YamlNode& value) {
    if (option.key == "merge-type") require_no_granularity(value);
    if (option.key == "images") {
      read_images(option, value);
    } else if (option.key == "skip") {
      reader_.each_text(value, "skip", [&](const YamlNode& item) {
        option.set(recipe_, {}, item.text);
        std::string& where = recipe_.qconfig.overrides.back().where;
        where.clear();
        remember(where, item, "skip");
      });
    } else {
      set_simple(option, {}, value);
    }
  }

  void read_images(const RecipeOption& option, const YamlNode& value) {
    const auto read = [&](std::string_view input, const YamlNode& paths) {
      reader_.each_text(paths, "images", [&](const YamlNode& path) { set(option, input, path, path.text); });
    };
    if (!value.is(Kind::map)) return read({}, value);
    for (std::size_t i = 0; i < value.keys.size(); ++i) read(value.keys[i].text, value.items[i]);
  }

  /// A scalar; a list as well where the flag takes several numbers.
  void set_simple(const RecipeOption& option, std::string_view input, const YamlNode& value) {
    const std::string key = file_key(option);
    const bool several = option.value.find_first_of(",x") != std::string_view::npos;
    if (!several || !value.is(Kind::list)) {
      set(option, input, value, reader_.text(value, key, option.value.empty() ? "true or false" : "a single value"));
      return;
    }
    std::string joined;
    for (const YamlNode& item : value.items) {
      joined += (joined.empty() ? "" : ",") + reader_.text(item, key, "a number");
    }
    set(option, input, value, joined);
  }

  Fields preprocess_fields(std::string_view input) {
    Fields fields;
    for (const RecipeOption& option : recipe_options()) {
      if (option.group != "Preprocessing") continue;
      fields[file_key(option)] = [this, &option, input](const YamlNode& value) { set_simple(option, input, value); };
    }
    return fields;
  }

  void read_preprocess(const YamlNode& value) {
    Fields fields = preprocess_fields({});
    fields["inputs"] = [this](const YamlNode& inputs) {
      reader_.read_map(inputs, "inputs", {}, [this](const YamlNode& name, const YamlNode& steps) {
        reader_.read_map(steps, "preprocess", preprocess_fields(name.text));
      });
    };
    reader_.read_map(value, "preprocess", fields);
  }

  void read_global(const YamlNode& value) {
    QConfig& config = recipe_.qconfig;
    TensorFields weight(reader_, "w_", nullptr, config.extensions);
    TensorFields activation(reader_, "a_", nullptr, config.extensions);
    Fields fields;
    weight.add_to(fields);
    activation.add_to(fields);
    reader_.read_map(value, "global_qconfig", fields);
    config.weight = weight.finish();
    config.activation = activation.finish();
  }

  void read_overrides(const YamlNode& value) {
    if (!value.is(Kind::list)) reader_.wrong(value, "overrides", "a list of maps");
    for (const YamlNode& item : value.items) recipe_.qconfig.overrides.push_back(read_override(item));
  }

  QOverride read_override(const YamlNode& value) {
    const QConfig& config = recipe_.qconfig;
    QOverride result;
    remember(result.where, value, "overrides");
    TensorFields weight(reader_, "w_", &config.weight, config.extensions);
    TensorFields activation(reader_, "a_", &config.activation, config.extensions);
    Fields fields{
        {"op_type", [&](const YamlNode& v) { result.op_type = reader_.text(v, "op_type", "an operator's type"); }},
        {"node", [&](const YamlNode& v) { result.node = reader_.text(v, "node", "a node's name or a glob"); }},
        {"skip", [&](const YamlNode& v) { result.skip = reader_.boolean(v, "skip"); }},
        {"weight_method",
         [&](const YamlNode& v) {
           const std::string& name = reader_.text(v, "weight_method", "a weight method's name");
           reader_.at(v, "weight_method",
                      [&] { result.weight_method = weight_method_choice(name, config.extensions); });
         }},
    };
    weight.add_to(fields);
    activation.add_to(fields);
    reader_.read_map(value, "overrides", fields);
    if (result.op_type.empty() && result.node.empty()) {
      fail_at(reader_.file(), value.line, "overrides: say of which nodes: give op_type, node or both");
    }
    if (weight.given()) result.weight = weight.finish();
    if (activation.given()) result.activation = activation.finish();
    return result;
  }

  void read_spans(const YamlNode& value) {
    constexpr std::string_view kExpected = "a list of pairs, such as [[conv1, pool1]]";
    if (!value.is(Kind::list)) reader_.wrong(value, "skip_between", kExpected);
    for (const YamlNode& pair : value.items) {
      if (!pair.is(Kind::list) || pair.items.size() != 2) reader_.wrong(pair, "skip_between", kExpected);
      QSpan& span = recipe_.qconfig.skipped_spans.emplace_back();
      remember(span.where, pair, "skip_between");
      span.from = reader_.text(pair.items[0], "skip_between", "a node's or value's name");
      span.to = reader_.text(pair.items[1], "skip_between", "a node's or value's name");
    }
  }

  FieldReader reader_;
  Recipe recipe_;
};

std::string contents(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw Error(ErrorCode::io, fmt::format("{}: is a folder, expected a recipe file", path.string()));
  }
  std::ifstream file(path, std::ios::binary);
  // One byte more than parse_yaml takes, so that it says so; nothing that never ends is read on.
  std::string text(kMostBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || !file.is_open()) {
    throw Error(ErrorCode::io, fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

void check_backend(const Recipe& recipe, std::string_view name) {
  try {
    check_config(recipe.qconfig, backend_of(recipe));
    require_mode_of_backend(recipe);
    require_settings_read(recipe);
    if (!recipe.output.empty()) require_output_ending(recipe);
    require_possible_steps(recipe);
  } catch (const Error& error) {
    const std::string_view message = error.what();
    if (message.starts_with(fmt::format("{}:", name))) throw;  // with its line
    throw Error(error.code(), fmt::format("{}: {}", name, message));
  }
}

}  // namespace

Recipe parse_unchecked(std::string_view text, std::string_view name, const Extensions& extensions) {
  return RecipeReader(name, extensions).read(parse_yaml(text, name));
}

Recipe read_unchecked(const std::filesystem::path& path, const Extensions& extensions) {
  return parse_unchecked(contents(path), path.string(), extensions);
}

}  // namespace octavo::recipe

namespace octavo {

Recipe parse_recipe(std::string_view text, std::string_view name, const Extensions& extensions) {
  Recipe recipe = recipe::parse_unchecked(text, name, extensions);
  recipe::check_backend(recipe, name);
  return recipe;
}

Recipe read_recipe(const std::filesystem::path& path, const Extensions& extensions) {
  return parse_recipe(recipe::contents(path), path.string(), extensions);
}

}  // namespace octavo
