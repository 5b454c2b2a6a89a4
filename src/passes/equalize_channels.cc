#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "channel_classes.h"
#include "octavo/passes.h"

namespace octavo {
namespace {

using passes::ChannelClasses;

/// Half of the difference between channels is taken over by the weights (exponent 0.5), the rest is left: all
/// of it would spoil the weights, which quantization rounds as well. Channels below a sixteenth of the largest
/// one gain nothing from more.
constexpr float kSmallestShare = 1.0F / 16.0F;

/// Factors are powers of 2^(1/4), so that one digit a channel can note them: 0 to 8 down to kSmallestShare.
constexpr float kStepsAnOctave = 4.0F;
constexpr std::string_view kNote = "octavo.equalized/";

float factor_of(int steps) { return std::exp2(static_cast<float>(steps) / kStepsAnOctave); }

/// By class, how many steps its channels are multiplied by.
std::vector<int> steps_of_classes(const ChannelClasses& classes, const Graph& graph, const Plan& plan,
                                  const ChannelMaxima& ranges) {
  std::vector<float> share(classes.size(), 0.0F);
  for (const ActivationPlan& activation : plan.activations) {
    const auto found = ranges.find(graph.value(activation.value).name);
    if (found == ranges.end() || found->second.empty()) continue;
    const std::vector<float>& range = found->second;
    if (range.size() != classes.channels(activation.value)) continue;
    const float largest = *std::max_element(range.begin(), range.end());
    if (!(largest > 0.0F) || !std::isfinite(largest)) continue;
    for (std::size_t c = 0; c < range.size(); ++c) {
      float& own = share[classes.class_of(activation.value, c)];
      own = std::max(own, std::max(range[c] / largest, kSmallestShare));
    }
  }
  std::vector<int> result(classes.size(), 0);
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (!classes.fixed(i) && share[i] > 0.0F) {
      result[i] = static_cast<int>(std::lround(-0.5F * kStepsAnOctave * std::log2(share[i])));
    }
  }
  return result;
}

/// Looks the factors of one graph up and writes them into its weights.
class Equalizer {
 public:
  Equalizer(Graph& graph, const Plan& plan, const ChannelMaxima& ranges)
      : graph_(graph), classes_(graph), steps_(steps_of_classes(classes_, graph, plan, ranges)) {}

  int run() {
    int changes = 0;
    for (const NodeId id : graph_.nodes()) {
      if (passes::absorbs_factors(graph_, graph_.node(id)) && absorb(id)) ++changes;
    }
    if (changes > 0) note_factors();
    return changes;
  }

 private:
  /// A value is no longer what the float model calls by its name: who compares the two needs the factors.
  void note_factors() {
    for (const ValueId id : graph_.values()) {
      std::string digits;
      for (std::size_t c = 0; c < classes_.channels(id); ++c) digits += static_cast<char>('0' + steps(id, c));
      const bool scaled = digits.find_first_not_of('0') != std::string::npos;
      if (scaled) graph_.metadata.emplace_back(std::string(kNote) + graph_.value(id).name, std::move(digits));
    }
  }

  int steps(ValueId id, std::size_t channel) const {
    return channel < classes_.channels(id) ? steps_[classes_.class_of(id, channel)] : 0;
  }

  bool absorb(NodeId id) {
    const Node node = graph_.node(id);
    const auto scaled = [&](ValueId value) {
      for (std::size_t c = 0; c < classes_.channels(value); ++c) {
        if (steps(value, c) != 0) return true;
      }
      return false;
    };
    if (!scaled(node.input(0)) && !scaled(node.output(0))) return false;
    const auto in = [&](std::size_t c) { return -steps(node.input(0), c); };
    const auto out = [&](std::size_t c) { return steps(node.output(0), c); };
    if (node.op_type == "BatchNormalization") {
      rewrite(id, 1, [&](std::size_t c) { return in(c) + out(c); });
      rewrite(id, 2, out);
      rewrite(id, 3, [&](std::size_t c) { return -in(c); });
      return true;
    }
    rewrite(id, 1, [&](std::size_t i) {
      const auto [input, output] = channels_of(node, i);
      return in(input) + out(output);
    });
    if (node.input(2) != kNoValue) rewrite(id, 2, out);
    return true;
  }

  /// Input and output channel of the weight's element at flat index `i`.
  std::pair<std::size_t, std::size_t> channels_of(const Node& node, std::size_t i) const {
    const Tensor& weight = *graph_.constant(node.input(1));
    const auto dim = [&](std::size_t axis) { return static_cast<std::size_t>(weight.dim(axis)); };
    const std::size_t kernel = static_cast<std::size_t>(weight.size()) / (dim(0) * dim(1));
    const std::size_t row = i / (dim(1) * kernel);
    const std::size_t column = i / kernel % dim(1);
    const auto groups = static_cast<std::size_t>(node.int_or("group", 1));
    if (node.op_type == "Conv") return {row / (dim(0) / groups) * dim(1) + column, row};
    if (node.op_type == "ConvTranspose") return {row, row / (dim(0) / groups) * dim(1) + column};
    return node.int_or("transB", 0) != 0 ? std::pair{column, row} : std::pair{row, column};
  }

  void rewrite(NodeId id, std::size_t input, const std::function<int(std::size_t)>& steps_of) {
    const ValueId old = graph_.node(id).input(input);
    Tensor tensor = *graph_.constant(old);
    const auto values = tensor.mutable_data<float>();
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = values[i] * factor_of(steps_of(i));
    graph_.set_input(id, input,
                     graph_.add_constant(graph_.unique_value_name(graph_.value(old).name), std::move(tensor)));
  }

  Graph& graph_;
  const ChannelClasses classes_;
  const std::vector<int> steps_;
};

}  // namespace

int equalize_channels(Graph& graph, const Plan& plan, const ChannelMaxima& ranges) {
  const int changes = Equalizer(graph, plan, ranges).run();
  graph.remove_dead();
  return changes;
}

std::vector<float> equalizing_factors(const Graph& graph, std::string_view value) {
  std::vector<float> factors;
  for (const auto& [key, digits] : graph.metadata) {
    if (!key.starts_with(kNote) || std::string_view(key).substr(kNote.size()) != value) continue;
    for (const char digit : digits) {
      if (digit < '0' || digit > '9') return {};
      factors.push_back(factor_of(digit - '0'));
    }
  }
  return factors;
}

}  // namespace octavo
