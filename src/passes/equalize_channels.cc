#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "channel_classes.h"
#include "equalizing_notes.h"
#include "octavo/passes.h"

namespace octavo {
namespace {

using passes::ChannelClasses;

/// Half of the difference between channels is taken over by the weights (exponent 0.5), the rest is left: all
/// of it would spoil the weights, which quantization rounds as well. Channels below a sixteenth of the largest
/// one gain nothing from more.
constexpr float kSmallestShare = 1.0F / 16.0F;

/// Factors are powers of 2^(1/4), and few of them, to be noted in little space: 0 to 8 down to kSmallestShare.
constexpr float kStepsAnOctave = 4.0F;
constexpr int kMostSteps = passes::kMostEqualizingSteps;

float factor_of(int steps) { return std::exp2(static_cast<float>(steps) / kStepsAnOctave); }

/// factor_of, looked up: every weight asks for one.
class Factors {
 public:
  Factors() {
    for (int steps = -kMostSteps; steps <= kMostSteps; ++steps) by_steps_.push_back(factor_of(steps));
  }
  float of(int steps) const { return by_steps_[static_cast<std::size_t>(steps + kMostSteps)]; }

 private:
  std::vector<float> by_steps_;
};

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
    passes::note_steps(graph_, [&](ValueId id) {
      auto all = steps_of(id, classes_.channels(id));
      const bool scaled = std::any_of(all.begin(), all.end(), [](int steps) { return steps != 0; });
      return scaled ? std::move(all) : std::vector<int>{};
    });
  }

  int steps(ValueId id, std::size_t channel) const {
    return channel < classes_.channels(id) ? steps_[classes_.class_of(id, channel)] : 0;
  }

  /// Of the first `count` channels; what has no such channel is left alone.
  std::vector<int> steps_of(ValueId id, std::size_t count) const {
    std::vector<int> result(count);
    for (std::size_t c = 0; c < count; ++c) result[c] = steps(id, c);
    return result;
  }

  bool scaled(ValueId id) const {
    for (std::size_t c = 0; c < classes_.channels(id); ++c) {
      if (steps(id, c) != 0) return true;
    }
    return false;
  }

  bool absorb(NodeId id) {
    const Node node = graph_.node(id);
    if (!scaled(node.input(0)) && !scaled(node.output(0))) return false;
    const auto in = [&](std::size_t c) { return -steps(node.input(0), c); };
    const auto out = [&](std::size_t c) { return steps(node.output(0), c); };
    if (node.op_type == "BatchNormalization") {
      rewrite_channels(id, 1, [&](std::size_t c) { return in(c) + out(c); });
      rewrite_channels(id, 2, out);
      rewrite_channels(id, 3, [&](std::size_t c) { return -in(c); });
      return true;
    }
    rewrite_weight(id);
    if (node.input(2) != kNoValue) rewrite_channels(id, 2, out);
    return true;
  }

  template <typename StepsOf>
  void rewrite_channels(NodeId id, std::size_t input, const StepsOf& steps_of_channel) {
    Tensor tensor = *graph_.constant(graph_.node(id).input(input));
    const auto values = tensor.mutable_data<float>();
    for (std::size_t c = 0; c < values.size(); ++c) values[c] *= factors_.of(steps_of_channel(c));
    replace(id, input, std::move(tensor));
  }

  /// Every weight by the factors of its output channel over that of its input channel.
  void rewrite_weight(NodeId id) {
    const Node& node = graph_.node(id);
    Tensor tensor = *graph_.constant(node.input(1));
    const auto rows = static_cast<std::size_t>(tensor.dim(0));
    const auto columns = static_cast<std::size_t>(tensor.dim(1));
    const bool product = node.op_type == "Gemm";
    const auto groups = product ? 1 : static_cast<std::size_t>(node.int_or("group", 1));
    const auto values = tensor.mutable_data<float>();
    const std::size_t kernel = values.size() / (rows * columns);
    const bool outputs_first = product ? node.int_or("transB", 0) != 0 : node.op_type == "Conv";
    const auto of_rows = steps_of(outputs_first ? node.output(0) : node.input(0), rows);
    const auto of_columns = steps_of(outputs_first ? node.input(0) : node.output(0), groups * columns);
    float* value = values.data();
    for (std::size_t row = 0; row < rows; ++row) {
      const int* columns_of_group = of_columns.data() + row / (rows / groups) * columns;
      for (std::size_t column = 0; column < columns; ++column) {
        const int difference = of_rows[row] - columns_of_group[column];
        const float factor = factors_.of(outputs_first ? difference : -difference);
        for (std::size_t k = 0; k < kernel; ++k, ++value) *value *= factor;
      }
    }
    replace(id, 1, std::move(tensor));
  }

  /// Under the old name, if no other node reads the constant.
  void replace(NodeId id, std::size_t input, Tensor tensor) {
    const ValueId old = graph_.node(id).input(input);
    if (graph_.use_count(old) == 1) {
      graph_.value(old).constant = std::move(tensor);
      return;
    }
    const std::string name = graph_.unique_value_name(graph_.value(old).name);
    graph_.set_input(id, input, graph_.add_constant(name, std::move(tensor)));
  }

  Graph& graph_;
  const ChannelClasses classes_;
  const std::vector<int> steps_;
  const Factors factors_;
};

}  // namespace

int equalize_channels(Graph& graph, const Plan& plan, const ChannelMaxima& ranges) {
  const int changes = Equalizer(graph, plan, ranges).run();
  graph.remove_dead();
  return changes;
}

FactorsByValue equalizing_factors(const Graph& graph) {
  FactorsByValue factors;
  std::map<std::shared_ptr<const std::vector<int>>, std::shared_ptr<const std::vector<float>>> shared;
  for (const auto& [value, steps] : passes::noted_steps(graph)) {
    auto& of_steps = shared[steps];
    if (of_steps == nullptr) {
      std::vector<float> own;
      for (const int channel : *steps) own.push_back(factor_of(channel));
      of_steps = std::make_shared<const std::vector<float>>(std::move(own));
    }
    factors.emplace(value, of_steps);
  }
  return factors;
}

}  // namespace octavo
