#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "command.h"
#include "console.h"
#include "octavo/backends.h"
#include "octavo/formats.h"
#include "octavo/quantize.h"
#include "octavo/report.h"
#include "octavo/verify.h"
#include "wrap.h"
#include "write_file.h"

namespace octavo::cli {
namespace {

struct Arguments {
  std::string reference;
  std::string quantized;
  std::string labels;
  std::string json;
  Recipe recipe;
  std::int64_t classes = 0;
  std::int64_t ignored = 255;
  int samples = 0;
  bool quiet = false;
};

/// Classes or masks, by what the file's first line has.
void read_labels_into(const Arguments& arguments, const DataSource& data, VerifyOptions& options) {
  if (arguments.labels.empty()) return;
  const auto labels = read_labels(arguments.labels);
  if (labels.front().mask.empty()) {
    options.labels = labels_for(data, labels);
  } else {
    options.masks = {masks_for(data, labels), arguments.classes, arguments.ignored};
  }
}

ReportSubject subject_of(const Arguments& arguments, const Graph& quantized, const BackendSpec& backend,
                         const DataReport& report) {
  ReportSubject subject;
  subject.reference = arguments.reference;
  subject.quantized = arguments.quantized;
  subject.backend = backend.name;
  subject.work = work_share(quantized);
  for (const auto& [name, input] : arguments.recipe.inputs) subject.preprocessing.emplace_back(name, input.preprocess);
  subject.notes = report.notes;
  return subject;
}

void run(const Arguments& arguments) {
  for (const std::string& model : {arguments.reference, arguments.quantized}) {
    if (!arguments.json.empty()) require_writable(arguments.json, model, "--json");
  }
  const BackendSpec& backend = backend_of(arguments.recipe);
  ProgressDisplay display(arguments.quiet);
  const Graph reference = load_model(arguments.reference);
  const Graph quantized = load_model(arguments.quantized);
  DataReport report;
  const auto data = open_recipe_data(reference, arguments.recipe, &report);

  VerifyOptions options;
  options.threads = arguments.recipe.threads;
  options.max_samples = static_cast<std::size_t>(arguments.samples);
  options.skip_bad_files = arguments.recipe.skip_bad_files;
  read_labels_into(arguments, *data, options);
  options.arithmetic = backend.arithmetic;
  options.progress = display.callback();
  Comparison comparison = compare(reference, quantized, *data, options);
  comparison.bad_files.insert(comparison.bad_files.begin(), report.bad_files.begin(), report.bad_files.end());

  const ReportSubject subject = subject_of(arguments, quantized, backend, report);
  if (!arguments.json.empty()) write_file(arguments.json, to_json(comparison, subject));
  if (arguments.quiet) return;
  for (const std::string& note : report.notes) fmt::print("note: {}\n", note);
  for (const std::string& file : comparison.bad_files) fmt::print("skipped: {}\n", file);
  if (!comparison.layers.empty()) fmt::print("Layers:\n{}", layer_table(comparison.layers));
  fmt::print("{}{}", summary_text(comparison), work_text(subject.work));
  if (!arguments.json.empty()) fmt::print("Wrote {}\n", arguments.json);
}

}  // namespace

void add_verify_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("verify", "Run a float model and its quantized one on the same samples and compare");
  command->footer(wrapped(
      "Example:\n"
      "  octavo verify squeezenet.onnx squeezenet.int8.onnx --images eval --labels eval_labels.txt --resize "
      "227x227 --bgr --mean 104,117,123\n"
      "Give the same preprocessing and backend as for quantize, whose arithmetic is used for the quantized model: "
      "--config with the recipe that it wrote does.",
      kHelpColumns));
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("float", arguments->reference, "float model: .onnx, .param or .tnnproto")->required();
  command->add_option("quantized", arguments->quantized, "quantized model, in the same or another form")->required();
  command
      ->add_option("--labels", arguments->labels,
                   "lines `path label`, paths relative to this file; gives top-1 and top-5, or for labels that "
                   "are masks (pictures, .npy) mIoU")
      ->type_name("FILE")
      ->group("Data");
  command->add_option("--classes", arguments->classes, "of masks: the first N scores count; default 0: all")
      ->type_name("N")
      ->check(CLI::Range(0, 1 << 16))
      ->group("Data");
  command->add_option("--ignore-label", arguments->ignored, "of masks: pixels of this label count for nothing")
      ->type_name("N")
      ->capture_default_str()
      ->group("Data");
  command->add_option("--samples", arguments->samples, "compare on this many, spread evenly; default 0: all")
      ->type_name("N")
      ->check(CLI::Range(0, 1 << 30))
      ->group("Data");
  command->add_option("--json", arguments->json, "write the report here (docs/report.md)")
      ->type_name("FILE")
      ->group("Run");
  add_recipe_flags(*command, arguments->recipe,
                   {"Method", "batch-size", "calibrate-steps", "calibration", "output", "to", "opset", "weight-storage",
                    "runtime-version"},
                   {"backend"});
  command->add_flag("--quiet", arguments->quiet, "print nothing but errors")->group("Run");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace octavo::cli
