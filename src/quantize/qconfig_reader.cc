#include "qconfig_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "choices.h"
#include "observer_options.h"
#include "parse.h"

namespace octavo::recipe {
namespace {

using Kind = YamlNode::Kind;

constexpr int kWidestByte = 8;
constexpr int kWidest = 16;

/// MMRazor's defaults; it always passes limits as numbers.
constexpr QScheme kDefaultScheme{
    .qtype = QType::quint8, .bits = kWidestByte, .symmetric = true, .explicit_range = true};

/// A scheme while its keys are read.
struct SchemeDraft {
  QScheme scheme;
  bool touched = false;
  std::optional<bool> wide;  // qint16 or quint16
  std::optional<int> bits;
};

void read_qdtype(SchemeDraft& draft, const FieldReader& reader, const YamlNode& value) {
  constexpr std::string_view kExpected = "qint8, quint8, qint16 or quint16";
  const std::string& name = reader.text(value, "qdtype", kExpected);
  const bool is_signed = name == "qint8" || name == "qint16";
  const bool wide = name == "qint16" || name == "quint16";
  if (!is_signed && !wide && name != "quint8") reader.wrong(value, "qdtype", kExpected);
  draft.scheme.qtype = is_signed ? QType::qint8 : QType::quint8;
  draft.wide = wide;
}

/// qdtype and bit name one width together; either may be left out.
void settle_width(SchemeDraft& draft, const FieldReader& reader, const YamlNode& qscheme) {
  const bool was_wide = draft.scheme.bits > kWidestByte;
  const bool wide = draft.wide.value_or(was_wide);
  if (draft.bits) {
    draft.scheme.bits = *draft.bits;
  } else if (wide != was_wide) {
    draft.scheme.bits = wide ? kWidest : kWidestByte;
  }
  if (wide == (draft.scheme.bits > kWidestByte)) return;
  fail_at(reader.file(), qscheme.line,
          fmt::format("bit: {} found, expected {}", draft.scheme.bits,
                      wide ? "9 to 16 for qint16 and quint16; take qint8 or quint8 for fewer"
                           : "1 to 8 for qint8 and quint8; take qint16 or quint16 for more"));
}

Fields scheme_fields(SchemeDraft& draft, const FieldReader& reader) {
  const auto flag = [&](bool QScheme::*member, std::string_view key) {
    return [&draft, &reader, member, key](const YamlNode& value) { draft.scheme.*member = reader.boolean(value, key); };
  };
  Fields fields{
      {"qdtype", [&](const YamlNode& value) { read_qdtype(draft, reader, value); }},
      {"bit", [&](const YamlNode& value) { draft.bits = reader.integer(value, "bit", 1, kWidest); }},
      {"is_symmetry", flag(&QScheme::symmetric, "is_symmetry")},
      {"is_symmetric_range", flag(&QScheme::symmetric_range, "is_symmetric_range")},
      {"reduce_range", flag(&QScheme::reduce_range, "reduce_range")},
      {"power_of_two", flag(&QScheme::power_of_two, "power_of_two")},
      {"explicit_range", flag(&QScheme::explicit_range, "explicit_range")},
      {"eps", [&](const YamlNode& value) { draft.scheme.eps = static_cast<float>(reader.number(value, "eps")); }},
  };
  for (auto& [key, use] : fields) {
    use = [&draft, use = std::move(use)](const YamlNode& value) {
      draft.touched = true;
      use(value);
    };
  }
  return fields;
}

Granularity granularity(const FieldReader& reader, const YamlNode& value) {
  constexpr std::string_view kExpected = "per_tensor, per_channel or per_group";
  const std::string& name = reader.text(value, "granularity", kExpected);
  if (name == "per_tensor") return Granularity::per_tensor;
  if (name == "per_channel") return Granularity::per_channel;
  if (name != "per_group") reader.wrong(value, "granularity", kExpected);
  return Granularity::per_group;
}

}  // namespace

void TensorFields::add_to(Fields& fields) {
  fields[key("observer")] = [this](const YamlNode& value) { observer_ = &value; };
  fields[key("fake_quant")] = [this](const YamlNode& value) { fake_quant_ = &value; };
  fields[key("qscheme")] = [this](const YamlNode& value) { qscheme_ = &value; };
}

TensorQConfig TensorFields::finish() const {
  TensorQConfig config;
  if (observer_ != nullptr) read_observer(config);
  if (fake_quant_ != nullptr) read_fake_quant(config);
  if (qscheme_ != nullptr) read_qscheme(config);
  return config;
}

/// {type: X, options …}, or X alone.
void TensorFields::read_observer(TensorQConfig& config) const {
  const auto choose = [&](const YamlNode& value) {
    const std::string& name = reader_.text(value, "type", "an observer's name");
    reader_.at(value, key("observer"), [&] {
      config.observer.emplace();
      config.observer->type = observer_choice(name, extensions_);
    });
  };
  if (observer_->is(Kind::scalar)) {
    choose(*observer_);
    return;
  }
  // The type first, wherever it stands: it decides which options there are.
  const Fields type{{"type", choose}};
  const auto pass = [](const YamlNode&, const YamlNode&) {};
  reader_.read_map(*observer_, key("observer"), type, pass);
  if (!config.observer) fail_at(reader_.file(), observer_->line, fmt::format("{}: 'type' is missing", key("observer")));
  const Fields rest{{"type", [](const YamlNode&) {}}};
  reader_.read_map(*observer_, key("observer"), rest,
                   [&](const YamlNode& option, const YamlNode& value) { read_option(config, option, value, rest); });
}

void TensorFields::read_fake_quant(TensorQConfig& config) const {
  const auto choose = [&](const YamlNode& value) {
    const std::string& name = reader_.text(value, "type", "a fake-quantizer's name");
    reader_.at(value, key("fake_quant"), [&] { config.fake_quant = fake_quantizer_choice(name, extensions_); });
  };
  if (fake_quant_->is(Kind::scalar)) {
    choose(*fake_quant_);
    return;
  }
  reader_.read_map(*fake_quant_, key("fake_quant"), {{"type", choose}});
  if (config.fake_quant) return;
  fail_at(reader_.file(), fake_quant_->line, fmt::format("{}: 'type' is missing", key("fake_quant")));
}

void TensorFields::read_qscheme(TensorQConfig& config) const {
  const bool inherits = global_ != nullptr && global_->scheme;
  SchemeDraft draft;
  draft.scheme = inherits ? *global_->scheme : kDefaultScheme;
  Fields fields = scheme_fields(draft, reader_);
  fields["granularity"] = [&](const YamlNode& value) { config.granularity = granularity(reader_, value); };
  fields["group_size"] = [&](const YamlNode& value) {
    constexpr int kMost = 1 << 20;
    config.group_size = reader_.integer(value, "group_size", 1, kMost);
  };
  reader_.read_map(*qscheme_, key("qscheme"), fields,
                   [&](const YamlNode& option, const YamlNode& value) { read_option(config, option, value, fields); });
  if (!draft.touched) return;
  if (global_ != nullptr && !inherits && !draft.wide) {
    fail_at(reader_.file(), qscheme_->line,
            fmt::format("{0}: give qdtype as well: global_qconfig has no {0} that the others could come from",
                        key("qscheme")));
  }
  settle_width(draft, reader_, *qscheme_);
  std::string_view why;
  if (!draft.scheme.valid(&why)) fail_at(reader_.file(), qscheme_->line, fmt::format("{}: {}", key("qscheme"), why));
  config.scheme = draft.scheme;
}

/// An option of the observer, beside its type or, as MMRazor has it, in the scheme.
void TensorFields::read_option(TensorQConfig& config, const YamlNode& option, const YamlNode& value,
                               const Fields& beside) const {
  if (!config.observer && global_ != nullptr) config.observer = global_->observer;
  const std::string& name = option.text;
  const bool own =
      config.observer && std::any_of(extensions_.observers.begin(), extensions_.observers.end(),
                                     [&](const ObserverEntry& e) { return e.name == config.observer->type; });
  if (!own && !is_observer_option(name)) {
    std::vector<std::string_view> known;
    for (const auto& [field, use] : beside) known.push_back(field);
    for (const std::string_view also : observer_option_names()) known.push_back(also);
    reader_.unknown(option, key(beside.contains("type") ? "observer" : "qscheme"), known);
  }
  if (!config.observer) {
    fail_at(reader_.file(), option.line,
            fmt::format("{} is for an observer; name one with '{}'", name, key("observer")));
  }
  if (const std::string reason = own ? "" : reason_against_option(config.observer->type, name); !reason.empty()) {
    fail_at(reader_.file(), option.line, fmt::format("{}: {}", key("observer"), reason));
  }
  const double number = reader_.number(value, name);
  reader_.at(value, name, [&] { set_observer_option(config.observer->options, name, number, own); });
}

}  // namespace octavo::recipe
