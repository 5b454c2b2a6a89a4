#include <fmt/format.h>

#include <utility>

#include "octavo/error.h"
#include "octavo/quantize.h"
#include "pipeline.h"
#include "recipe_file.h"

namespace octavo {
namespace {

/// The other modes measure no activations: their calibration would be empty.
void require_measuring_mode(const Recipe& recipe) {
  if (recipe.mode == QuantizeMode::static_ranges) return;
  throw Error(ErrorCode::invalid_argument,
              "mode: weights_only or dynamic found, which measure nothing on samples; calibrate with mode: static");
}

/// What a run begins with: what a checkpoint holds, or the keys alone.
Calibration begin(const pipeline::Prepared& model, const DataSource& samples, const Recipe& recipe,
                  const CalibrationJob& job) {
  const std::filesystem::path checkpoint = checkpoint_path(job.output);
  std::error_code ignored;
  if (job.resume && std::filesystem::exists(checkpoint, ignored)) {
    const std::string file = checkpoint.string();
    Calibration begun = load_calibration(checkpoint);
    pipeline::require_model(begun, model, file);
    pipeline::require_data(begun, samples, file);
    const bool same_recipe = begun.share == job.share && begun.equalized == recipe.equalize_channels &&
                             begun.with_inputs == pipeline::wants_inputs(recipe);
    if (!same_recipe) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("{}: is share {} of {}, {} equalized channels and {} sums of operators' inputs; this run is "
                      "another: give the same options, or begin anew without --resume",
                      file, begun.share.index, begun.share.count, begun.equalized ? "with" : "without",
                      begun.with_inputs ? "with" : "without"));
    }
    return begun;
  }
  Calibration begun;
  begun.keys.model = graph_key(model.graph);
  begun.keys.data = samples.key(samples.size());
  begun.keys.model_name = model.graph.name;
  begun.keys.data_name = describe_samples(samples);
  begun.keys.preprocess = recipe::preprocess_of(recipe);
  return begun;
}

}  // namespace

std::filesystem::path checkpoint_path(const std::filesystem::path& output) {
  return std::filesystem::path(output) += ".partial";
}

Calibration calibrate_to_file(const Graph& model, const DataSource& data, const Recipe& recipe,
                              const CalibrationJob& job, const Progress& progress, std::vector<std::string>* notes) {
  require_measuring_mode(recipe);
  pipeline::Prepared prepared = pipeline::prepare_model(model, recipe);
  pipeline::tell_of_few_samples(data, recipe, prepared.notes);
  if (notes != nullptr) notes->insert(notes->end(), prepared.notes.begin(), prepared.notes.end());
  const pipeline::CalibrationSamples samples(data, recipe);
  CalibrateOptions options = pipeline::options_of(recipe, progress);
  options.share = job.share;
  options.for_any_observer = true;
  options.checkpoint = [&](const Calibration& so_far) { save_calibration(so_far, checkpoint_path(job.output)); };

  Calibration begun = begin(prepared, samples, recipe, job);
  pipeline::equalize(prepared, samples, recipe, options, begun);
  if (begun.done > 0) pipeline::require_graph(begun, prepared.graph, recipe, checkpoint_path(job.output).string());
  begun.keys.graph = graph_key(prepared.graph);
  Calibration calibration = calibrate(prepared.graph, prepared.plan, samples, options, std::move(begun));
  save_calibration(calibration, job.output);
  std::error_code ignored;
  std::filesystem::remove(checkpoint_path(job.output), ignored);
  return calibration;
}

Calibration calibrate_to_file(const Graph& model, const Recipe& recipe, const CalibrationJob& job,
                              const Progress& progress, std::vector<std::string>* notes) {
  pipeline::require_float_model(model);
  DataReport report;
  const auto data = open_recipe_data(model, recipe, &report);
  if (notes != nullptr) {
    notes->insert(notes->end(), report.notes.begin(), report.notes.end());
    for (const std::string& file : report.bad_files) notes->push_back(fmt::format("skipped: {}", file));
  }
  return calibrate_to_file(model, *data, recipe, job, progress, notes);
}

}  // namespace octavo
