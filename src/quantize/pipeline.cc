#include "pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "octavo/backends.h"
#include "octavo/core/names.h"
#include "octavo/error.h"
#include "octavo/execute.h"
#include "octavo/passes.h"
#include "recipe_file.h"

namespace octavo::pipeline {
namespace {

void require_weights(const Graph& graph, const Plan& plan, const BackendSpec& backend, const QConfig& config) {
  if (!plan.weights.empty()) return;
  for (const NodeSupport& support : explain_plan(graph, backend, config)) {
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

/// Operators that only a quantized model has, in ONNX and in the domains of runtimes.
constexpr std::array<std::string_view, 7> kQuantizedOperators{
    "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger",
    "QGemm",          "FakeQuantize"};

bool is_quantized(std::string_view op_type) {
  return op_type.starts_with("QLinear") ||
         std::find(kQuantizedOperators.begin(), kQuantizedOperators.end(), op_type) != kQuantizedOperators.end();
}

/// Before any sample is read. The other modes run nothing.
void require_runnable(const Graph& graph) {
  try {
    const Executor tried(graph);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unsupported) throw;
    throw Error(error.code(),
                fmt::format("mode: static found, which runs the model on samples, and {}; take weights_only or dynamic",
                            error.what()));
  }
}

[[noreturn]] void refuse(const std::string& text) { throw Error(ErrorCode::invalid_argument, text); }

}  // namespace

void require_float_model(const Graph& graph) {
  for (const NodeId id : graph.nodes()) {
    if (!is_quantized(graph.node(id).op_type)) continue;
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: the model is quantized already; give the float model that it was made from. What it "
                            "holds `octavo inspect` shows, `octavo verify` compares it with its float model, `octavo "
                            "export` writes it in another form",
                            describe(graph, id)));
  }
}

Prepared prepare_model(const Graph& model, const Recipe& recipe) {
  require_float_model(model);
  recipe::require_mode_of_backend(recipe);
  require_settings_read(recipe);
  BackendSpec backend = backend_of(recipe);
  // Integers that overflow in a kernel of their own do not where operators compute in float.
  if (recipe.mode != QuantizeMode::static_ranges) backend.narrow_weights = {};
  Prepared prepared;
  Graph& graph = prepared.graph;
  graph = model;
  fix_input_shapes(graph, recipe);
  prepared.notes = prepare_for(graph, backend);
  prepared.plan = make_plan(graph, backend, recipe.qconfig);
  prepared.notes.insert(prepared.notes.end(), prepared.plan.notes.begin(), prepared.plan.notes.end());
  require_weights(graph, prepared.plan, backend, recipe.qconfig);
  if (recipe.mode != QuantizeMode::static_ranges) {
    prepared.plan.integer_nodes.clear();
    prepared.plan.activations.clear();
    prepared.plan.biases.clear();
  }
  if (recipe.weight_storage) {
    for (WeightPlan& weight : prepared.plan.weights) weight.storage = *recipe.weight_storage;
  }
  require_supported(exporter_of(recipe), graph);
  if (recipe.mode == QuantizeMode::static_ranges) {
    rehearse_export(graph, prepared.plan, recipe);
    require_runnable(graph);
  }
  return prepared;
}

void raise_opset_for(Graph& graph, const Plan& plan, const Recipe& recipe, std::vector<std::string>& notes) {
  constexpr std::int64_t kOpsetOfDynamic = 11;
  const std::int64_t least = recipe.mode == QuantizeMode::dynamic ? kOpsetOfDynamic : 0;
  const bool four_bits = !backend_of(recipe).weight_limits.whole_bytes;
  const auto raised = raise_opset(graph, plan, std::max(recipe.opset, least), four_bits);
  // Of a file that is no ONNX nobody need know.
  if (exporter_of(recipe).reads_opset) notes.insert(notes.end(), raised.begin(), raised.end());
}

CalibrationSamples::CalibrationSamples(const DataSource& data, const Recipe& recipe) : data_(data), size_(data.size()) {
  const std::size_t batch = std::max<std::size_t>(recipe.batch_size, 1);
  // Not steps * batch, which may overflow.
  if (recipe.calibrate_steps != 0 && recipe.calibrate_steps <= size_ / batch) size_ = recipe.calibrate_steps * batch;
}

void tell_of_few_samples(const DataSource& data, const Recipe& recipe, std::vector<std::string>& notes) {
  const std::size_t batch = std::max<std::size_t>(recipe.batch_size, 1);
  const std::size_t batches = data.size() / batch + (data.size() % batch == 0 ? 0 : 1);
  if (recipe.calibrate_steps <= batches) return;
  notes.push_back(fmt::format("calibrate_steps: {} of {} found, and there {} {}: all are taken",
                              count_of(recipe.calibrate_steps, "batch", "batches"), count_of(batch, "sample"),
                              data.size() == 1 ? "is" : "are", count_of(data.size(), "sample")));
}

CalibrateOptions options_of(const Recipe& recipe, const Progress& progress) {
  CalibrateOptions options;
  options.threads = recipe.threads;
  options.skip_bad_files = recipe.skip_bad_files;
  options.progress = progress;
  options.input_statistics = wants_inputs(recipe);
  return options;
}

void tell_of_written_floats(const Recipe& recipe, std::vector<std::string>& notes) {
  const Exporter& exporter = exporter_of(recipe);
  if (recipe.mode == QuantizeMode::static_ranges || exporter.integers_for_float_operators) return;
  notes.push_back(
      fmt::format("weights are written as the floats that their integers stand for, so that the file grows no smaller: "
                  "what is written as {} holds no integers for operators that compute in float",
                  exporter.name));
}

bool wants_inputs(const Recipe& recipe) { return recipe.compensate_rounding || recipe.correct_biases; }

void equalize(Prepared& model, const DataSource& data, const Recipe& recipe, const CalibrateOptions& options,
              Calibration& begun) {
  begun.equalized = recipe.equalize_channels;
  if (!recipe.equalize_channels) return;
  if (begun.channel_maxima.empty()) {
    begun.channel_maxima = survey_channels(model.graph, model.plan, data, options);
  }
  equalize_channels(model.graph, model.plan, begun.channel_maxima);
}

void require_model(const Calibration& calibration, const Prepared& model, const std::string& file) {
  const std::uint64_t key = graph_key(model.graph);
  if (key == calibration.keys.model) return;
  refuse(fmt::format(
      "{}: was measured on model '{}' (key {:016x}), this is model '{}' (key {:016x}): give the model it is "
      "of, or calibrate this one",
      file, calibration.keys.model_name, calibration.keys.model, model.graph.name, key));
}

void require_data(const Calibration& calibration, const DataSource& data, const std::string& file) {
  const std::uint64_t key = data.key(data.size());
  if (key == calibration.keys.data && data.size() == calibration.all_samples) return;
  refuse(
      fmt::format("{}: was measured on {} (key {:016x}), these are {} (key {:016x}), or preprocessed in another way: "
                  "give the same, or calibrate on these",
                  file, calibration.keys.data_name, calibration.keys.data, describe_samples(data), key));
}

void require_graph(const Calibration& calibration, const Graph& equalized, const Recipe& recipe,
                   const std::string& file) {
  if (calibration.equalized != recipe.equalize_channels) {
    refuse(fmt::format("{}: was measured {} equalized channels, and the recipe wants it {}: calibrate with this recipe",
                       file, calibration.equalized ? "with" : "without",
                       recipe.equalize_channels ? "with" : "without"));
  }
  if (wants_inputs(recipe) && !calibration.with_inputs) {
    refuse(
        fmt::format("{}: was measured without what compensate_rounding and correct_biases need: calibrate with this "
                    "recipe, or switch both off",
                    file));
  }
  if (graph_key(equalized) == calibration.keys.graph) return;
  refuse(
      fmt::format("{}: was measured for a recipe that quantizes other values of model '{}' (other operators or another "
                  "backend), whose channels were equalized accordingly: calibrate with this recipe",
                  file, calibration.keys.model_name));
}

void fit(Prepared& model, const Calibration& calibration, const Recipe& recipe, const DataSource* data) {
  const std::string file = recipe.calibration.string();
  if (calibration.share.count != 1) {
    refuse(fmt::format("{}: is share {} of {}: join all shares with `octavo merge` first", file,
                       calibration.share.index, calibration.share.count));
  }
  if (calibration.done != calibration.positions) {
    refuse(
        fmt::format("{}: is a checkpoint of a calibration that was interrupted: finish it with `octavo calibrate "
                    "--resume`",
                    file));
  }
  require_model(calibration, model, file);
  if (data != nullptr) require_data(calibration, *data, file);
  if (recipe.equalize_channels && calibration.equalized) {
    equalize_channels(model.graph, model.plan, calibration.channel_maxima);
  }
  require_graph(calibration, model.graph, recipe, file);
  if (wants_inputs(recipe)) require_fitting_inputs(model.graph, model.plan, calibration.inputs);
}

}  // namespace octavo::pipeline
