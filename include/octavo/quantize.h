#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/backends.h"
#include "octavo/calibrate.h"
#include "octavo/data.h"
#include "octavo/formats.h"
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
    /// Sizes of the model's input from then on, where it leaves them open; empty: as the model has it.
    std::vector<std::int64_t> shape;
    std::string where;  ///< for messages: where the user first spoke of the input, "recipe.yaml:7: images"
  };
  std::map<std::string, Input, std::less<>> inputs;
  /// Runtime that is planned for; empty: the exporter's.
  std::string backend;
  /// Name of an exporter (formats.h); empty: the one for the ending of `output`, or else ONNX.
  std::string to;
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
  /// At least this version of the default operator set, up to 21, in a model that is written as ONNX; 0: what the model
  /// has, or its integers need.
  std::int64_t opset = 0;
  /// Nothing: as the backend has it.
  std::optional<WeightStorage> weight_storage;
  /// SaveOptions::runtime_version.
  std::string runtime_version;
  int threads = 0;
  bool skip_bad_files = false;
};

/// One setting of a recipe by key: the flag `--key` of the command, the key of octavo_options_set and, with `_` for
/// `-`, the key in a recipe file.
struct RecipeOption {
  std::string_view key;    ///< "mean"
  std::string_view value;  ///< what a value looks like, for help: "M[,M,M]"; empty for a switch
  std::string_view group;  ///< heading in help: "Preprocessing"
  std::string_view help;
  /// Its line in a recipe file: the default, or after # an example; empty where files say it another way.
  std::string_view line;
  /// Throws before it changes anything.
  void (*set)(Recipe& recipe, std::string_view input, std::string_view value);
  /// For what may be given by model input: takes out what was set.
  void (*forget)(Recipe::Input& input) = nullptr;
  /// Another name of the flag: "-o".
  std::string_view flag_alias = {};
  /// Given again, it adds to what there is; of others the command takes one, for each input where these have their own.
  bool adds = false;
};
std::span<const RecipeOption> recipe_options();

/// Sets one option; a value may be for one model input only: "input_name=value". Throws Error(invalid_argument)
/// naming the key, what was found and what is expected, and changes nothing; an unknown key names the nearest known
/// one. "config" reads a file, as read_recipe does but for the check against the backend, and replaces everything.
void set_option(Recipe& recipe, std::string_view key, std::string_view value);

/// A recipe put together from a file ("config") and options that override it, in whatever order they are given.
class RecipeBuilder {
 public:
  explicit RecipeBuilder(Extensions extensions = {});
  /// As set_option. The first samples or preprocessing step given for an input take the place of the file's, those
  /// given for all inputs also of what the file has for single ones; "skip" adds to the file's.
  void set(std::string_view key, std::string_view value);
  const Recipe& recipe() const { return recipe_; }

 private:
  using Override = std::pair<void (*)(Recipe::Input&), std::string>;
  void require_one_mode(std::string_view key, std::string_view value) const;
  void require_one_word(const RecipeOption& option, std::string_view value) const;
  void forget_file(const RecipeOption& option, std::string_view input);

  Recipe recipe_;
  std::vector<std::pair<std::string, std::string>> options_;
  std::vector<Override> overrides_;  // what the options have taken from the file, by input
};

/// Reads a recipe file, YAML or JSON; docs/recipe.md lists its keys. Names of observers, fake-quantizers and weight
/// methods are those built in and those of `extensions`, which the recipe takes along. Relative paths in it are
/// relative to the current folder, as on the command line. Throws Error(invalid_argument) with file, line and key for
/// what is no YAML, an unknown key (naming the nearest), a wrong value and what the backend cannot take; Error(io) for
/// a file that cannot be read; Error(resource_limit) above 1 MiB, 16 levels or 100,000 values.
Recipe read_recipe(const std::filesystem::path& path, const Extensions& extensions = {});
/// The same from memory; `name` stands for the file in messages.
Recipe parse_recipe(std::string_view text, std::string_view name, const Extensions& extensions = {});
/// The recipe as a file, complete: read again, with the same extensions, it is the same recipe.
std::string recipe_text(const Recipe& recipe);
/// A recipe file with every key, its meaning and its default: what `octavo config` prints.
std::string default_recipe_text();

/// Whether the recipe fits a model: inputs and nodes that it names, and all that the planner looks at; no samples are
/// opened. Throws what quantize would throw.
void check_recipe(const Recipe& recipe, const Graph& model);

/// Gives the inputs of `graph` the shapes that the recipe fixes them to, and what they compute. Throws
/// Error(invalid_argument) where the model has other sizes.
void fix_input_shapes(Graph& graph, const Recipe& recipe);

/// Opens the recipe's samples for the inputs of `graph`.
std::unique_ptr<DataSource> open_recipe_data(const Graph& graph, const Recipe& recipe, DataReport* report = nullptr);

/// What the recipe's model is written by; ONNX where neither `to` nor the ending of `output` says it.
const Exporter& exporter_of(const Recipe& recipe);
/// What the recipe is planned for. Throws Error(invalid_argument) where what it writes wants another backend.
const BackendSpec& backend_of(const Recipe& recipe);
/// Throws Error(invalid_argument) where the recipe gives what nothing reads that it writes or is planned for: an
/// operator set beside --to tnn.
void require_settings_read(const Recipe& recipe);

/// Whether the recipe names any samples; one with a saved calibration may do without.
bool has_samples(const Recipe& recipe);

struct Quantized {
  Graph graph;     ///< with QuantizeLinear/DequantizeLinear and integer weights
  Graph prepared;  ///< the float graph it was made from
  Plan plan;       ///< for `prepared`
  Calibration calibration;
  QParamsByName activations;       ///< what `graph` holds of it
  Recipe recipe;                   ///< as followed: with the preprocessing that a saved calibration knows of
  std::vector<std::string> notes;  ///< what was assumed or completed, for the user to read
};

/// The main job: prepare, plan, calibrate, quantize. The result is the same to the bit for any number of
/// threads. Throws Error as each step does.
Quantized quantize(const Graph& model, const Recipe& recipe, const Progress& progress = {});
/// The same with the caller's own samples, for the inputs of `model`; the recipe's inputs are not looked at.
Quantized quantize(const Graph& model, const DataSource& data, const Recipe& recipe, const Progress& progress = {});

/// One run of `octavo calibrate`.
struct CalibrationJob {
  std::filesystem::path output;
  Share share;
  /// Goes on from the checkpoint of an interrupted run, where there is one.
  bool resume = false;
};
/// The file that an unfinished run leaves beside its output.
std::filesystem::path checkpoint_path(const std::filesystem::path& output);

/// Measures all that a quantization needs to know of the samples, for any observer, and writes it to a file that
/// Recipe::calibration can name. What was read of the recipe's data is added to `notes`. Throws Error as quantize does,
/// and Error(invalid_argument) for a checkpoint of another model, data or recipe.
Calibration calibrate_to_file(const Graph& model, const Recipe& recipe, const CalibrationJob& job,
                              const Progress& progress = {}, std::vector<std::string>* notes = nullptr);
/// The same with the caller's own samples.
Calibration calibrate_to_file(const Graph& model, const DataSource& data, const Recipe& recipe,
                              const CalibrationJob& job, const Progress& progress = {},
                              std::vector<std::string>* notes = nullptr);

/// What TNN's quantization_cmd is told, but for files.
struct TnnJob {
  int blob_method = 0;    ///< 0 MIN_MAX, 2 KL_DIVERGENCE, 4 ACIQ_GAUS, 5 ACIQ_LAPLACE
  int weight_method = 0;  ///< 0 MIN_MAX, 1 ADMM
  int merge_type = 0;     ///< 0 per channel, 1 mix, 2 per tensor
  std::vector<std::string> skipped_layers;
  int threads = 0;
  bool skip_bad_files = false;
  Progress progress;
};

struct TnnResult {
  Graph graph;  ///< with pairs and integers, for the exporter
  std::size_t samples = 0;
  std::size_t integer_layers = 0;
  std::vector<std::string> notes;
};

/// Quantizes a float model as quantization_cmd does, number for number: weights are rounded after multiplication by the
/// scale of their input, half away from zero, biases towards zero, and ReLU and max pooling hand their scale to what
/// they read (TNN, tools/quantization/calibration.cc). Throws Error(invalid_argument) for methods that are none, or
/// that TNN's kernels cannot run, and what the steps of a quantization throw.
TnnResult quantize_as_tnn(const Graph& model, const DataSource& data, const TnnJob& job);

}  // namespace octavo
