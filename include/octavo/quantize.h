#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/calibrate.h"
#include "octavo/data.h"
#include "octavo/graph.h"
#include "octavo/plan.h"
#include "octavo/progress.h"
#include "octavo/qconfig.h"

namespace octavo {

/// What becomes integers.
enum class QuantizeMode : std::uint8_t {
  static_ranges,  ///< weights and activations, whose ranges are measured on samples
  weights_only,   ///< weights alone, stored as integers and computed with in float: needs no samples
  dynamic,        ///< weights, and activations by ranges measured at run time (DynamicQuantizeLinear): no samples
};

/// A whole run as data: what a recipe file, the command's flags and the C ABI's options fill in.
struct Recipe {
  /// Samples and preprocessing by input name; those of "" are for every input, but what it has of its own.
  struct Input {
    std::vector<std::filesystem::path> paths;
    Preprocess preprocess;
  };
  std::map<std::string, Input, std::less<>> inputs;
  std::string backend = "onnxruntime";
  QuantizeMode mode = QuantizeMode::static_ranges;
  QConfig qconfig;
  /// At most so many batches of samples are calibrated on, from the first; 0: all.
  std::size_t calibrate_steps = 0;
  std::size_t batch_size = 1;
  /// Corrections of the default method; see passes.h and calibrate.h.
  bool equalize_channels = true;
  bool compensate_rounding = true;
  bool correct_biases = true;
  /// Statistics saved by an earlier calibration, taken instead of samples; empty: none.
  std::filesystem::path calibration;
  std::filesystem::path output;
  int threads = 0;
  bool skip_bad_files = false;
};

/// One setting of a recipe by key: the flag `--key` of the command and the key of octavo_options_set.
struct RecipeOption {
  std::string_view key;    ///< "mean"
  std::string_view value;  ///< what a value looks like, for help: "M[,M,M]"; empty for a switch
  std::string_view group;  ///< heading in help: "Preprocessing"
  std::string_view help;
  void (*set)(Recipe& recipe, std::string_view input, std::string_view value);
};
std::span<const RecipeOption> recipe_options();

/// Sets one option; a value may be for one model input only: "input_name=value". Throws Error(invalid_argument)
/// naming the key, what was found and what is expected; an unknown key names the nearest known one.
void set_option(Recipe& recipe, std::string_view key, std::string_view value);

/// Opens the recipe's samples for the inputs of `graph`.
std::unique_ptr<DataSource> open_recipe_data(const Graph& graph, const Recipe& recipe, DataReport* report = nullptr);

struct Quantized {
  Graph graph;     ///< with QuantizeLinear/DequantizeLinear and integer weights
  Graph prepared;  ///< the float graph it was made from
  Plan plan;       ///< for `prepared`
  Calibration calibration;
  std::vector<std::string> notes;  ///< what was assumed or completed, for the user to read
};

/// The main job: prepare, plan, calibrate, quantize. The result is the same to the bit for any number of
/// threads. Throws Error as each step does.
Quantized quantize(const Graph& model, const Recipe& recipe, const Progress& progress = {});
/// The same with the caller's own samples, for the inputs of `model`; the recipe's inputs are not looked at.
Quantized quantize(const Graph& model, const DataSource& data, const Recipe& recipe, const Progress& progress = {});

}  // namespace octavo
