#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "octavo/core/qparams.h"
#include "octavo/core/quantize.h"
#include "octavo/formats.h"
#include "octavo/passes.h"
#include "pipeline.h"

namespace octavo::pipeline {
namespace {

/// Parameters of a tensor whose every part reaches from -1 to 1; nothing where it is not known how many these are.
std::optional<QParams> made_up(const QScheme& scheme, const std::optional<Dims>& dims) {
  std::size_t parts = 1;
  if (scheme.axis != QScheme::kPerTensor) {
    if (!dims || static_cast<std::size_t>(scheme.axis) >= dims->size()) return std::nullopt;
    Shape shape;
    for (const Dim& dim : *dims) shape.push_back(dim.known() ? dim.size : 1);
    if (!(*dims)[static_cast<std::size_t>(scheme.axis)].known()) return std::nullopt;
    const Shape grouped = scheme.per_group() ? grouped_shape(shape, scheme.axis, scheme.group_size)
                                             : Shape{shape[static_cast<std::size_t>(scheme.axis)]};
    parts = element_count(grouped);
  }
  return qparams_from_ranges(std::vector<Range>(parts, Range{-1.0F, 1.0F}), scheme);
}

}  // namespace

void rehearse_export(const Graph& graph, const Plan& plan, const Recipe& recipe) {
  const Exporter& exporter = exporter_of(recipe);
  if (exporter.unsupported == nullptr) return;
  Graph rehearsed = graph;
  QParamsByName activations;
  for (const ActivationPlan& activation : plan.activations) {
    const Value& value = graph.value(activation.value);
    auto params = made_up(activation.scheme, value.dims);
    if (!params) return;
    activations[value.name] = *std::move(params);
  }
  QuantizedWeights weights;
  for (const WeightPlan& weight : plan.weights) {
    const Value& value = graph.value(graph.node(weight.node).input(weight.input));
    auto params = made_up(weight.scheme, value.dims);
    if (!params) return;
    QuantizedTensor& rounded = weights[weight.node];
    rounded.integers = Tensor(params->storage, value.constant->shape());
    rounded.params = *std::move(params);
  }
  std::vector<std::string> unsaid;
  raise_opset_for(rehearsed, plan, recipe, unsaid);
  insert_qdq(rehearsed, plan, activations, weights);
  infer_shapes(rehearsed);
  require_supported(exporter, rehearsed);
}

}  // namespace octavo::pipeline
