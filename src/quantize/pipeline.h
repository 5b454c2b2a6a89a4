#pragma once

#include <optional>
#include <string>
#include <vector>

#include "octavo/quantize.h"

/// Steps that the main job and `octavo calibrate` have in common.
namespace octavo::pipeline {

/// Throws Error(unsupported) for a model that is quantized already, in whatever form.
void require_float_model(const Graph& graph);

/// A float model made ready, and what of it becomes integers.
struct Prepared {
  Graph graph;
  Plan plan;
  std::vector<std::string> notes;
};
/// Throws Error(unsupported) for a model that is quantized already or of which nothing can become integers.
Prepared prepare_model(const Graph& model, const Recipe& recipe);

/// Throws Error(unsupported) for what the recipe's exporter will refuse once the plan's integers are in the graph: said
/// before anything is measured, with parameters that are made up.
void rehearse_export(const Graph& graph, const Plan& plan, const Recipe& recipe);

/// The samples that a recipe calibrates on: calibrate_steps batches, from the first.
class CalibrationSamples final : public DataSource {
 public:
  CalibrationSamples(const DataSource& data, const Recipe& recipe);
  std::size_t size() const override { return size_; }
  std::vector<Tensor> load(std::size_t index) const override { return data_.load(index); }
  std::string name(std::size_t index) const override { return data_.name(index); }
  std::uint64_t key(std::size_t count) const override { return data_.key(count); }

 private:
  const DataSource& data_;
  std::size_t size_;
};

/// Adds a note where the recipe asks for more batches than there are samples.
void tell_of_few_samples(const DataSource& data, const Recipe& recipe, std::vector<std::string>& notes);

CalibrateOptions options_of(const Recipe& recipe, const Progress& progress);
bool wants_inputs(const Recipe& recipe);

/// Equalizes the channels of `model` where the recipe wants that, by maxima that are known or measured now.
void equalize(Prepared& model, const DataSource& data, const Recipe& recipe, const CalibrateOptions& options,
              Calibration& begun);

/// Makes `model` and a saved calibration, of the recipe's file, fit each other: the model's channels are equalized as
/// they were. `data`, where given, must be what was calibrated on. Throws Error(invalid_argument) naming both where
/// something is not of the other.
void fit(Prepared& model, const Calibration& calibration, const Recipe& recipe, const DataSource* data);

/// Gives `recipe`, for inputs of which it says no shape, the shapes that `calibration` was measured with.
void take_input_shapes(const Calibration& calibration, Recipe& recipe);

/// Gives `recipe`, which has no samples, the preprocessing of those that `calibration` was measured on. Throws
/// Error(invalid_argument) where the recipe says otherwise, or how many samples there should be.
void take_preprocess(const Calibration& calibration, Recipe& recipe);

/// Adds a note where weights that are meant to be integers alone are written as floats.
void tell_of_written_floats(const Recipe& recipe, std::vector<std::string>& notes);

/// Adds a note on values near the outputs of which the observer cut most of the range off.
void tell_of_clipped_heads(Quantized& result);

/// Raises the graph to the opset that the plan and the recipe ask for, right before integers are inserted: a
/// calibration, which knows the graph from before, then fits whatever schemes are tried.
void raise_opset_for(Graph& graph, const Plan& plan, const Recipe& recipe, std::vector<std::string>& notes);

/// Throws Error(invalid_argument), naming both, where a calibration is not of these.
void require_model(const Calibration& calibration, const Prepared& model, const std::string& file);
void require_data(const Calibration& calibration, const DataSource& data, const std::string& file);
void require_graph(const Calibration& calibration, const Graph& equalized, const Recipe& recipe,
                   const std::string& file);

}  // namespace octavo::pipeline
