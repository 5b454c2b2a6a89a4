#include "equalizing_notes.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace octavo::passes {
namespace {

/// A line for each value: its name, a blank, and two channels a character.
constexpr std::string_view kNotes = "octavo.equalized";
/// The name of a value follows, and a digit a channel is the text: how earlier versions noted every value, and how
/// names are noted that a line cannot hold.
constexpr std::string_view kNote = "octavo.equalized/";

constexpr char kFirst = '!';
constexpr int kDigits = kMostEqualizingSteps + 1;
constexpr int kPairs = kDigits * kDigits;  // what follows is one channel, the last of an odd number

std::string packed(const std::vector<int>& steps) {
  std::string text;
  for (std::size_t c = 0; c < steps.size(); c += 2) {
    const bool last = c + 1 == steps.size();
    text += static_cast<char>(kFirst + (last ? kPairs + steps[c] : kDigits * steps[c] + steps[c + 1]));
  }
  return text;
}

std::vector<int> unpacked(std::string_view text) {
  std::vector<int> steps;
  for (const char character : text) {
    const int code = character - kFirst;
    if (code < 0 || code >= kPairs + kDigits) return {};
    if (code < kPairs) steps.push_back(code / kDigits);
    steps.push_back(code < kPairs ? code % kDigits : code - kPairs);
  }
  return steps;
}

std::string digits(const std::vector<int>& steps) {
  std::string text;
  for (const int step : steps) text += static_cast<char>('0' + step);
  return text;
}

std::vector<int> from_digits(std::string_view text) {
  std::vector<int> steps;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return {};
    steps.push_back(digit - '0');
  }
  return steps;
}

std::optional<std::vector<int>> line_of(std::string_view notes, std::string_view value) {
  while (!notes.empty()) {
    const std::string_view line = notes.substr(0, notes.find('\n'));
    const std::size_t blank = line.rfind(' ');
    if (blank != std::string_view::npos && line.substr(0, blank) == value) return unpacked(line.substr(blank + 1));
    notes.remove_prefix(std::min(notes.size(), line.size() + 1));
  }
  return std::nullopt;
}

std::optional<std::vector<int>> note_of(const Graph& graph, std::string_view value) {
  for (const auto& [key, text] : graph.metadata) {
    if (key == kNotes) {
      if (auto steps = line_of(text, value)) return steps;
    } else if (key.starts_with(kNote) && std::string_view(key).substr(kNote.size()) == value) {
      return from_digits(text);
    }
  }
  return std::nullopt;
}

/// Whether channel c of its result is that of input 0, scaled alike: f(a·x) = a·f(x) for a > 0, or a pair and the
/// limits that come before it.
bool hands_channels_on(const Node& node) {
  static constexpr std::string_view kTypes[] = {
      "Relu", "LeakyRelu", "PRelu", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool",
      "Add",  "Sub",       "Clip",  "Max",     "Min",         "QuantizeLinear",    "DequantizeLinear"};
  return node.domain.empty() && std::find(std::begin(kTypes), std::end(kTypes), node.op_type) != std::end(kTypes);
}

bool joins_channels(const Node& node) {
  return node.domain.empty() && node.op_type == "Concat" && node.int_or("axis", 0) == 1;
}

/// Files name any graph: neither so many operators nor so many channels are followed.
constexpr int kMostOperators = 1000;
constexpr std::size_t kMostChannels = std::size_t{1} << 20;

template <typename Steps>
std::vector<int> joined(const Node& node, const Steps& steps) {
  std::vector<int> all;
  for (const ValueId input : node.inputs) {
    const std::vector<int> part = steps(input);
    if (part.empty() || all.size() + part.size() > kMostChannels) return {};
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::vector<int> followed(const Graph& graph, ValueId id, int& operators) {
  while (id != kNoValue && operators-- > 0) {
    if (auto steps = note_of(graph, graph.value(id).name)) return *std::move(steps);
    const NodeId producer = graph.producer(id);
    if (producer == kNoNode) return {};
    const Node& node = graph.node(producer);
    if (joins_channels(node)) return joined(node, [&](ValueId part) { return followed(graph, part, operators); });
    if (!hands_channels_on(node)) return {};
    id = node.input(0);
  }
  return {};
}

}  // namespace

void note_steps(Graph& graph, const std::function<std::vector<int>(ValueId)>& steps) {
  std::string lines;
  for (const ValueId id : graph.values()) {
    const NodeId producer = graph.producer(id);
    const std::vector<int> own = steps(id);
    std::vector<int> known;
    if (producer != kNoNode && joins_channels(graph.node(producer))) {
      known = joined(graph.node(producer), steps);
    } else if (producer != kNoNode && hands_channels_on(graph.node(producer))) {
      known = steps(graph.node(producer).input(0));
    }
    if (own == known) continue;
    const std::string& name = graph.value(id).name;
    const std::vector<int> said = own.empty() ? std::vector<int>(known.size(), 0) : own;
    if (name.find('\n') == std::string::npos) {
      lines += name + ' ' + packed(said) + '\n';
    } else {
      graph.metadata.emplace_back(std::string(kNote) + name, digits(said));
    }
  }
  if (!lines.empty()) graph.metadata.emplace_back(std::string(kNotes), std::move(lines));
}

std::vector<int> noted_steps(const Graph& graph, std::string_view value) {
  const auto id = graph.find_value(value);
  int operators = kMostOperators;
  if (id) return followed(graph, *id, operators);
  return note_of(graph, value).value_or(std::vector<int>{});
}

}  // namespace octavo::passes
