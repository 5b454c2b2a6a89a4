#include "octavo/quantize.h"

#include <fmt/format.h>

#include "octavo/backends.h"
#include "octavo/error.h"
#include "octavo/passes.h"

namespace octavo {
namespace {

void require_float_model(const Graph& graph) {
  for (const NodeId id : graph.nodes()) {
    const std::string& type = graph.node(id).op_type;
    const bool integer = type == "QuantizeLinear" || type == "DequantizeLinear" || type == "DynamicQuantizeLinear" ||
                         type == "ConvInteger" || type == "MatMulInteger" || type.starts_with("QLinear");
    if (!integer) continue;
    throw Error(
        ErrorCode::unsupported,
        fmt::format("{}: the model is quantized already; give the float model it was made from", describe(graph, id)));
  }
}

void require_weights(const Graph& graph, const Plan& plan, const BackendSpec& backend) {
  if (!plan.weights.empty()) return;
  for (const NodeSupport& support : explain_plan(graph, backend)) {
    const OpRule* rule = backend.rule_for(graph.node(support.node).op_type);
    if (rule == nullptr || rule->role != OpRole::weighted) continue;
    throw Error(ErrorCode::unsupported, fmt::format("no operator can run in integers with {}: {}: {}", backend.name,
                                                    describe(graph, support.node), support.reason));
  }
  throw Error(
      ErrorCode::unsupported,
      fmt::format("nothing in the model '{}' can run in integers with {}: it has no Conv, Gemm or MatMul with a "
                  "constant float weight; `octavo inspect` says why for each operator",
                  graph.name, backend.name));
}

}  // namespace

Quantized quantize(const Graph& model, const Recipe& recipe, const Progress& progress) {
  require_float_model(model);
  DataReport report;
  const auto data = open_recipe_data(model, recipe, &report);
  Quantized result = quantize(model, *data, recipe, progress);
  result.notes.insert(result.notes.begin(), report.notes.begin(), report.notes.end());
  auto& bad_files = result.calibration.bad_files;
  bad_files.insert(bad_files.begin(), report.bad_files.begin(), report.bad_files.end());
  return result;
}

Quantized quantize(const Graph& model, const DataSource& data, const Recipe& recipe, const Progress& progress) {
  const BackendSpec& backend = backend_named(recipe.backend);
  require_float_model(model);
  Quantized result;
  Graph graph = model;
  prepare(graph);
  if (graph.opset() < backend.min_opset) {
    result.notes.push_back(
        fmt::format("opset raised from {} to {}, which per-channel weights need", graph.opset(), backend.min_opset));
    upgrade_opset(graph, backend.min_opset);
    prepare(graph);
  }
  Plan plan = make_plan(graph, backend);
  require_weights(graph, plan, backend);

  const CalibrateOptions options{recipe.threads, recipe.skip_bad_files, progress};
  equalize_channels(graph, plan, survey_channels(graph, plan, data, options));
  result.prepared = graph;
  result.plan = plan;
  result.calibration = calibrate(graph, plan, data, options);
  QuantizedWeights weights = round_weights(graph, plan, result.calibration.activations);
  const InputStatistics inputs = survey_inputs(graph, plan, result.calibration.activations, data, options);
  compensate_rounding(graph, plan, inputs, options.threads, weights);
  correct_biases(graph, plan, weights, inputs);
  insert_qdq(graph, plan, result.calibration.activations, weights);
  infer_shapes(graph);

  result.graph = std::move(graph);
  return result;
}

}  // namespace octavo
