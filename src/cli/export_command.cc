#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "command.h"
#include "octavo/backends.h"
#include "octavo/error.h"
#include "octavo/formats.h"
#include "octavo/graph.h"
#include "octavo/passes.h"
#include "octavo/quantize.h"
#include "wrap.h"
#include "write_file.h"

namespace octavo::cli {
namespace {

struct Arguments {
  std::string model;
  std::string weights;
  std::string output;
  Recipe settings;
  bool quiet = false;
};

const Exporter& exporter_of(const Arguments& arguments) {
  if (!arguments.settings.to.empty()) return exporter_named(arguments.settings.to);
  if (const Exporter* exporter = exporter_for(arguments.output)) return *exporter;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("--output: nothing is written with the ending of '{}'; these are:\n{}", arguments.output,
                          wrapped(exporter_list(), kHelpColumns)));
}

void run(const Arguments& arguments) {
  const Exporter& exporter = exporter_of(arguments);
  require_ending(exporter, arguments.output);
  require_writable(arguments.output, arguments.model);
  Recipe settings = arguments.settings;
  settings.to = exporter.name;
  require_settings_read(settings);
  Graph graph =
      arguments.weights.empty() ? load_model(arguments.model) : load_model(arguments.model, arguments.weights);
  fix_input_shapes(graph, settings);
  infer_shapes(graph);
  restore_qdq(graph);
  // Not every form can say what ONNX can: these get the graph as `quantize` gives it to them.
  if (exporter.unsupported != nullptr) {
    for (const std::string& note : prepare_for(graph, backend_named(exporter.backend))) {
      if (!arguments.quiet) fmt::print("note: {}\n", note);
    }
  }
  require_supported(exporter, graph);
  SaveOptions options;
  options.runtime_version = settings.runtime_version;
  const auto written = export_model(graph, exporter, arguments.output, options);
  if (arguments.quiet) return;
  for (const auto& file : written) fmt::print("Wrote {}\n", file.string());
}

}  // namespace

void add_export_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("export", "Write a model, float or quantized, as another runtime reads it");
  command->footer(wrapped(fmt::format("Example:\n"
                                      "  octavo export squeezenet.int8.onnx --to ncnn -o squeezenet.int8.param\n"
                                      "What --to takes:\n{}",
                                      exporter_list()),
                          kHelpColumns));
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("model", arguments->model, "model to read: .onnx, .param or .tnnproto")->required();
  command->add_option("-w,--weights", arguments->weights, "its file of weights; default: the one beside it")
      ->type_name("FILE");
  command->add_option("-o,--output", arguments->output, "file to write; whole or not at all")
      ->type_name("FILE")
      ->required();
  add_recipe_flags(*command, arguments->settings, {"Recipe", "Data", "Preprocessing", "Method", "Run"},
                   {"to", "runtime-version", "input-shape"});
  command->add_flag("--quiet", arguments->quiet, "print nothing but errors");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace octavo::cli
