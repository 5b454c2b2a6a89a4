#include "octavo/quantize.h"

#include <algorithm>
#include <utility>

#include "octavo/passes.h"
#include "pipeline.h"

namespace octavo {
namespace {

using pipeline::Prepared;

/// All that follows once there is a calibration: parameters, weights, biases, nodes.
Quantized finish(Prepared model, Calibration calibration, const Recipe& recipe) {
  Quantized result;
  result.notes = std::move(model.notes);
  result.prepared = model.graph;
  result.plan = model.plan;
  result.calibration = std::move(calibration);
  Graph& graph = model.graph;
  Plan& plan = model.plan;
  result.activations = compute_parameters(graph, plan, result.calibration, recipe.threads);
  QuantizedWeights weights = round_weights(graph, plan, result.activations);
  const InputStatistics& inputs = result.calibration.inputs;
  if (recipe.compensate_rounding) compensate_rounding(graph, plan, inputs, recipe.threads, weights);
  if (recipe.correct_biases) correct_biases(graph, plan, weights, inputs);
  insert_qdq(graph, plan, result.activations, weights);
  infer_shapes(graph);
  result.graph = std::move(graph);
  return result;
}

/// From a saved calibration; `data` may be null.
Quantized quantize_from_file(const Graph& model, const DataSource* data, const Recipe& recipe) {
  Prepared prepared = pipeline::prepare_model(model, recipe);
  Calibration calibration = pipeline::load_fitting(prepared, recipe, data);
  return finish(std::move(prepared), std::move(calibration), recipe);
}

}  // namespace

bool has_samples(const Recipe& recipe) {
  return std::any_of(recipe.inputs.begin(), recipe.inputs.end(),
                     [](const auto& input) { return !input.second.paths.empty(); });
}

Quantized quantize(const Graph& model, const Recipe& recipe, const Progress& progress) {
  if (!recipe.calibration.empty() && !has_samples(recipe)) return quantize_from_file(model, nullptr, recipe);
  pipeline::require_float_model(model);
  DataReport report;
  const auto data = open_recipe_data(model, recipe, &report);
  Quantized result = quantize(model, *data, recipe, progress);
  result.notes.insert(result.notes.begin(), report.notes.begin(), report.notes.end());
  auto& bad_files = result.calibration.bad_files;
  bad_files.insert(bad_files.begin(), report.bad_files.begin(), report.bad_files.end());
  return result;
}

Quantized quantize(const Graph& model, const DataSource& data, const Recipe& recipe, const Progress& progress) {
  const pipeline::CalibrationSamples samples(data, recipe);
  if (!recipe.calibration.empty()) return quantize_from_file(model, &samples, recipe);
  Prepared prepared = pipeline::prepare_model(model, recipe);
  const CalibrateOptions options = pipeline::options_of(recipe, progress);
  Calibration begun;
  pipeline::equalize(prepared, samples, recipe, options, begun);
  Calibration calibration = calibrate(prepared.graph, prepared.plan, samples, options, std::move(begun));
  return finish(std::move(prepared), std::move(calibration), recipe);
}

}  // namespace octavo
