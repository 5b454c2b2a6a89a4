#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "pipeline.h"

namespace octavo::pipeline {
namespace {

/// What is kept of the largest magnitude, below which a head's scores are no longer told apart.
constexpr double kLeastKept = 1.0 / 3.0;

/// The values from which the model's outputs are computed without another weight in between.
std::set<ValueId> head_values(const Graph& graph, const Plan& plan) {
  std::set<NodeId> weighted;
  for (const WeightPlan& weight : plan.weights) weighted.insert(weight.node);
  std::set<ValueId> heads(graph.outputs().begin(), graph.outputs().end());
  const auto order = graph.nodes();
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    const Node& node = graph.node(*it);
    if (weighted.contains(*it)) continue;
    if (std::none_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) { return heads.contains(id); })) {
      continue;
    }
    heads.insert(node.inputs.begin(), node.inputs.end());
  }
  return heads;
}

/// The largest magnitude that any of the scales reaches.
double reach_of(const QParams& params) {
  double reach = 0.0;
  for (std::size_t i = 0; i < params.scale.size(); ++i) {
    const double scale = params.scale[i];
    const double below = static_cast<double>(params.zero_point[i]) - params.quant_min;
    const double above = static_cast<double>(params.quant_max) - params.zero_point[i];
    reach = std::max({reach, below * scale, above * scale});
  }
  return reach;
}

double largest_of(const ValueStatistics& value) {
  double largest = 0.0;
  for (const TensorStatistics& tensor : value.tensors) {
    const Range& range = tensor.histogram().range();
    if (!range.empty()) largest = std::max({largest, double{std::fabs(range.min)}, double{std::fabs(range.max)}});
  }
  return largest;
}

}  // namespace

void tell_of_clipped_heads(Quantized& result) {
  const Graph& graph = result.prepared;
  const std::set<ValueId> heads = head_values(graph, result.plan);
  std::vector<std::string> clipped;
  for (const ActivationPlan& activation : result.plan.activations) {
    if (!heads.contains(activation.value)) continue;
    const std::string& name = graph.value(activation.value).name;
    const auto statistics = result.calibration.values.find(name);
    const auto params = result.activations.find(name);
    if (statistics == result.calibration.values.end() || params == result.activations.end()) continue;
    const double largest = largest_of(statistics->second);
    const double reach = reach_of(params->second);
    if (largest == 0.0 || reach >= kLeastKept * largest) continue;
    clipped.push_back(fmt::format("'{}' at {:.3g} of {:.3g} ({})", name, reach, largest, activation.observer.name));
  }
  if (clipped.empty()) return;
  result.notes.push_back(
      fmt::format("values next to the outputs are clipped below a third of the largest that was seen, which may make "
                  "scores equal: {}; an override with a_observer: MinMaxObserver keeps them whole",
                  fmt::join(clipped, ", ")));
}

}  // namespace octavo::pipeline
