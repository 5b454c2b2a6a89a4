#include "equalizing_notes.h"

#include <algorithm>
#include <map>
#include <memory>
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

using SharedSteps = std::shared_ptr<const std::vector<int>>;

/// What is said of values that the graph has; of several notes the first. Empty where a note cannot be read.
std::map<ValueId, SharedSteps> read_notes(const Graph& graph) {
  std::map<ValueId, SharedSteps> notes;
  const auto take = [&](std::string_view name, std::string_view text, std::vector<int> (*read)(std::string_view)) {
    const auto id = graph.find_value(name);
    if (id && !notes.contains(*id)) notes.emplace(*id, std::make_shared<const std::vector<int>>(read(text)));
  };
  for (const auto& [key, text] : graph.metadata) {
    if (key.starts_with(kNote)) take(std::string_view(key).substr(kNote.size()), text, from_digits);
    std::string_view lines = key == kNotes ? std::string_view(text) : std::string_view{};
    while (!lines.empty()) {
      const std::string_view line = lines.substr(0, lines.find('\n'));
      const std::size_t blank = line.rfind(' ');
      if (blank != std::string_view::npos) take(line.substr(0, blank), line.substr(blank + 1), unpacked);
      lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    }
  }
  return notes;
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

/// Files name any graph: concatenations are followed while they have no more channels than this together.
constexpr std::size_t kMostJoinedChannels = std::size_t{1} << 22;

template <typename Steps>
std::vector<int> joined(const Node& node, const Steps& steps) {
  std::vector<int> all;
  for (const ValueId input : node.inputs) {
    const std::vector<int> part = steps(input);
    if (part.empty() || all.size() + part.size() > kMostJoinedChannels) return {};
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
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

StepsByValue noted_steps(const Graph& graph) {
  Graph sorted = graph;
  sorted.sort();
  std::map<ValueId, SharedSteps> steps = read_notes(sorted);
  const auto known = [&](ValueId id) {
    const auto found = steps.find(id);
    return found == steps.end() ? nullptr : found->second;
  };
  std::size_t joined_channels = 0;
  for (const NodeId id : sorted.nodes()) {
    const Node& node = sorted.node(id);
    const ValueId output = node.output(0);
    if (output == kNoValue || steps.contains(output)) continue;
    if (joins_channels(node)) {
      std::vector<int> all = joined(node, [&](ValueId part) {
        const SharedSteps of_part = known(part);
        return of_part ? *of_part : std::vector<int>{};
      });
      joined_channels += all.size();
      if (joined_channels > kMostJoinedChannels) break;
      if (!all.empty()) steps.emplace(output, std::make_shared<const std::vector<int>>(std::move(all)));
    } else if (hands_channels_on(node)) {
      if (SharedSteps same = known(node.input(0))) steps.emplace(output, std::move(same));
    }
  }
  StepsByValue by_name;
  for (auto& [id, of_value] : steps) {
    if (!of_value->empty()) by_name.emplace(sorted.value(id).name, std::move(of_value));
  }
  return by_name;
}

}  // namespace octavo::passes
