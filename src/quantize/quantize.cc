#include "octavo/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "octavo/passes.h"
#include "pipeline.h"

namespace octavo {
namespace {

using pipeline::Prepared;

/// All that follows once there is a calibration: parameters, weights, biases, nodes.
Quantized finish(Prepared model, Calibration calibration, const Recipe& recipe) {
  Quantized result;
  result.recipe = recipe;
  result.notes = std::move(model.notes);
  result.prepared = model.graph;
  result.plan = model.plan;
  result.calibration = std::move(calibration);
  Graph& graph = model.graph;
  Plan& plan = model.plan;
  result.activations = compute_parameters(graph, plan, result.calibration, recipe.threads);
  pipeline::tell_of_clipped_heads(result);
  QuantizedWeights weights = round_weights(graph, plan, result.activations);
  const InputStatistics& inputs = result.calibration.inputs;
  if (recipe.compensate_rounding) compensate_rounding(graph, plan, inputs, recipe.threads, weights);
  if (recipe.correct_biases) correct_biases(graph, plan, weights, inputs);
  pipeline::raise_opset_for(graph, plan, recipe, result.notes);
  insert_qdq(graph, plan, result.activations, weights);
  infer_shapes(graph);
  result.graph = std::move(graph);
  return result;
}

/// From a saved calibration; `data` may be null.
Quantized quantize_from_file(const Graph& model, const DataSource* data, Calibration calibration, Recipe recipe) {
  pipeline::take_input_shapes(calibration, recipe);
  Prepared prepared = pipeline::prepare_model(model, recipe);
  pipeline::fit(prepared, calibration, recipe, data);
  if (data == nullptr) pipeline::take_preprocess(calibration, recipe);
  return finish(std::move(prepared), std::move(calibration), recipe);
}

constexpr std::string_view kWithoutSamples =
    "no samples were looked at: weights are rounded to the nearest, because what rounding does to this model's "
    "outputs, "
    "which channels could be balanced and where biases should move cannot be known; {}; `octavo verify` with samples "
    "shows what it cost";

/// What the recipe says of activations and samples, which only ranges that are measured beforehand take up.
void tell_of_unused(const Recipe& recipe, std::string_view mode, std::vector<std::string>& notes) {
  const auto says = [](const TensorQConfig& tensor) {
    return tensor.observer || tensor.fake_quant || tensor.scheme || tensor.granularity == Granularity::per_channel;
  };
  const auto& overrides = recipe.qconfig.overrides;
  if (says(recipe.qconfig.activation) || std::any_of(overrides.begin(), overrides.end(), [&](const QOverride& over) {
        return over.activation && says(*over.activation);
      })) {
    notes.push_back(fmt::format("a_observer, a_fake_quant and a_qscheme have no effect in mode {}", mode));
  }
  if (has_samples(recipe) || !recipe.calibration.empty()) {
    notes.push_back(fmt::format("images and calibration have no effect in mode {}", mode));
  }
}

/// What mode dynamic could not do.
std::string in_float_note(const std::vector<std::string>& nodes, bool others) {
  constexpr std::size_t kShown = 4;
  const std::size_t shown = std::min(nodes.size(), kShown);
  return fmt::format(
      "{} computed in float with integer weights, because ranges at run time are for MatMul and Gemm with weights "
      "of up to 8 bits, a scale for each column or one in all: {}{}",
      others ? "some operators are" : "no activation is measured at run time: every operator is",
      fmt::join(nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
      nodes.size() > shown ? fmt::format(" and {} more", nodes.size() - shown) : "");
}

/// Weights alone, or with activations measured at run time.
Quantized quantize_without_samples(const Graph& model, const Recipe& recipe) {
  Prepared prepared = pipeline::prepare_model(model, recipe);
  Quantized result;
  result.recipe = recipe;
  result.prepared = prepared.graph;
  result.notes = std::move(prepared.notes);
  const bool dynamic = recipe.mode == QuantizeMode::dynamic;
  const QuantizedWeights weights = round_weights(prepared.graph, prepared.plan, {});
  pipeline::raise_opset_for(prepared.graph, prepared.plan, recipe, result.notes);
  std::vector<std::string> in_float;
  if (dynamic) {
    in_float = insert_dynamic(prepared.graph, prepared.plan, weights);
  } else {
    insert_weights_only(prepared.graph, prepared.plan, weights);
  }
  const bool measures = dynamic && in_float.size() < prepared.plan.weights.size();
  result.notes.push_back(fmt::format(
      kWithoutSamples, measures ? "activations get their range from each run" : "activations stay in float"));
  if (!in_float.empty()) result.notes.push_back(in_float_note(in_float, measures));
  pipeline::tell_of_written_floats(recipe, result.notes);
  tell_of_unused(recipe, dynamic ? "dynamic" : "weights_only", result.notes);
  infer_shapes(prepared.graph);
  result.graph = std::move(prepared.graph);
  result.plan = std::move(prepared.plan);
  return result;
}

}  // namespace

bool has_samples(const Recipe& recipe) {
  return std::any_of(recipe.inputs.begin(), recipe.inputs.end(),
                     [](const auto& input) { return !input.second.paths.empty(); });
}

Quantized quantize(const Graph& model, const Recipe& recipe, const Progress& progress) {
  if (recipe.mode != QuantizeMode::static_ranges) return quantize_without_samples(model, recipe);
  pipeline::require_float_model(model);
  Recipe with_shapes = recipe;
  if (!recipe.calibration.empty()) {
    Calibration calibration = load_calibration(recipe.calibration);
    if (!has_samples(recipe)) return quantize_from_file(model, nullptr, std::move(calibration), recipe);
    pipeline::take_input_shapes(calibration, with_shapes);
  }
  DataReport report;
  const auto data = open_recipe_data(model, with_shapes, &report);
  Quantized result = quantize(model, *data, with_shapes, progress);
  result.notes.insert(result.notes.begin(), report.notes.begin(), report.notes.end());
  auto& bad_files = result.calibration.bad_files;
  bad_files.insert(bad_files.begin(), report.bad_files.begin(), report.bad_files.end());
  return result;
}

Quantized quantize(const Graph& model, const DataSource& data, const Recipe& recipe, const Progress& progress) {
  if (recipe.mode != QuantizeMode::static_ranges) return quantize_without_samples(model, recipe);
  const pipeline::CalibrationSamples samples(data, recipe);
  if (!recipe.calibration.empty()) {
    return quantize_from_file(model, &samples, load_calibration(recipe.calibration), recipe);
  }
  Prepared prepared = pipeline::prepare_model(model, recipe);
  pipeline::tell_of_few_samples(data, recipe, prepared.notes);
  const CalibrateOptions options = pipeline::options_of(recipe, progress);
  Calibration begun;
  pipeline::equalize(prepared, samples, recipe, options, begun);
  Calibration calibration = calibrate(prepared.graph, prepared.plan, samples, options, std::move(begun));
  return finish(std::move(prepared), std::move(calibration), recipe);
}

}  // namespace octavo
