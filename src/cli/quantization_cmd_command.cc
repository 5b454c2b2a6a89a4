#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "command.h"
#include "console.h"
#include "octavo/core/names.h"
#include "octavo/error.h"
#include "octavo/formats.h"
#include "octavo/quantize.h"
#include "wrap.h"
#include "write_file.h"

namespace octavo::cli {
namespace {

struct Arguments {
  std::string proto;
  std::string model;
  std::vector<std::string> inputs;
  std::string bias;
  std::string scale;
  int reverse_channel = 0;
  std::string output = "model";
  bool document_names = false;
  bool quiet = false;
  TnnJob job;
};

/// Numbers as the recipe's option `key` takes them; none where the option of the tool is not given.
Preprocess steps_of(std::string_view key, const std::string& text, std::string_view option) {
  Recipe recipe;
  if (text.empty()) return {};
  const auto options = recipe_options();
  const auto found = std::find_if(options.begin(), options.end(), [&](const RecipeOption& o) { return o.key == key; });
  try {
    found->set(recipe, {}, text);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", option, error.what()));
  }
  return recipe.inputs[""].preprocess;
}

/// TNN takes as many as the input has channels and leaves the others.
std::vector<double> for_channels(std::vector<double> numbers, const Graph& graph, ValueId input) {
  const auto shape = graph.value(input).static_shape();
  if (!shape || shape->size() != 4 || (*shape)[1] < 1) return numbers;
  if (numbers.size() > static_cast<std::size_t>((*shape)[1])) numbers.resize(static_cast<std::size_t>((*shape)[1]));
  return numbers;
}

/// "name=folder", where an input has this name; else the folder of all inputs.
Recipe recipe_of(const Graph& graph, const Arguments& arguments) {
  Recipe recipe;
  recipe.threads = arguments.job.threads;
  recipe.skip_bad_files = arguments.job.skip_bad_files;
  const auto bias = steps_of("mean", arguments.bias, "--bias").mean;
  const auto scale = steps_of("scale", arguments.scale, "--scale").scale;
  for (const ValueId id : graph.inputs()) {
    const std::string& name = graph.value(id).name;
    Preprocess& preprocess = recipe.inputs[name].preprocess;
    preprocess.mean = for_channels(bias, graph, id);
    preprocess.scale = for_channels(scale, graph, id);
    preprocess.layout = Layout::nchw;
    if (arguments.reverse_channel == 1) preprocess.order = ChannelOrder::bgr;
  }
  for (const std::string& text : arguments.inputs) {
    const std::size_t equals = text.find('=');
    const auto named = recipe.inputs.find(std::string_view(text).substr(0, equals));
    const bool has_name = equals != std::string::npos && named != recipe.inputs.end();
    if (has_name) {
      named->second.paths.emplace_back(text.substr(equals + 1));
      continue;
    }
    for (auto& [name, input] : recipe.inputs) input.paths.emplace_back(text);
  }
  return recipe;
}

void run(const Arguments& arguments) {
  const std::filesystem::path output =
      arguments.output + (arguments.document_names ? "_quantized.tnnproto" : ".quantized.tnnproto");
  require_writable(output.string(), arguments.proto);
  ProgressDisplay display(arguments.quiet);
  const Graph model = load_model(arguments.proto, arguments.model);
  DataReport report;
  const auto data = open_recipe_data(model, recipe_of(model, arguments), &report);
  TnnJob job = arguments.job;
  job.progress = display.callback();
  const TnnResult result = quantize_as_tnn(model, *data, job);
  const auto written = export_model(result.graph, exporter_named("tnn"), output);
  if (arguments.quiet) return;
  for (const std::string& note : report.notes) fmt::print("note: {}\n", note);
  for (const std::string& file : report.bad_files) fmt::print("skipped: {}\n", file);
  for (const std::string& note : result.notes) fmt::print("note: {}\n", note);
  fmt::print("Calibrated on {}; {} in integers.\n", count_of(result.samples, "sample"),
             count_of(result.integer_layers, "layer runs", "layers run"));
  for (const auto& file : written) fmt::print("Wrote {}\n", file.string());
}

void add_own_options(CLI::App& command, Arguments& arguments) {
  const char* const group = "Beyond TNN's";
  command.add_option("--skip_layers", arguments.job.skipped_layers, "layers that stay in float, by name or glob")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->group(group);
  command.add_option("--threads", arguments.job.threads, "threads; default: all cores")->group(group);
  command.add_flag("--skip_bad_files", arguments.job.skip_bad_files, "go on without files that cannot be read")
      ->group(group);
  command
      .add_flag("--document_names", arguments.document_names,
                "write NAME_quantized.tnnproto, as TNN's document says, where its tool writes NAME.quantized.tnnproto")
      ->group(group);
  command.add_flag("--quiet", arguments.quiet, "print nothing but errors")->group(group);
}

}  // namespace

void add_quantization_cmd_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "quantization_cmd", "Quantize a TNN model by TNN's own options, number for number as its quantization_cmd");
  command->footer(wrapped(
      "Example:\n"
      "  octavo quantization_cmd -p m.tnnproto -m m.tnnmodel -i folder -b 2 -w 1 -n 0.0,0.0,0.0 -s 1.0,1.0,1.0 -r 0 -t "
      "1 "
      "-o name\n"
      "The same when octavo is called by the name quantization_cmd, through a link. Every .txt (one number a line, "
      "NCHW), .npy, .jpg, .jpeg, .png and .bmp of the folder is a sample; folders in it are not looked into.",
      kHelpColumns));
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("-p,--proto", arguments->proto, "the model's .tnnproto")->required();
  command->add_option("-m,--model", arguments->model, "the model's .tnnmodel")->required();
  command
      ->add_option("-i,--input_path", arguments->inputs,
                   "folder of samples; for a model with several inputs one for each: -i input=folder")
      ->allow_extra_args(false)
      ->required();
  command->add_option("-b,--blob_method", arguments->job.blob_method,
                      "0 MIN_MAX (default), 2 KL_DIVERGENCE, 4 ACIQ_GAUS, 5 ACIQ_LAPLACE");
  command->add_option("-w,--weight_method", arguments->job.weight_method, "0 MIN_MAX (default), 1 ADMM");
  command->add_option("-n,--bias", arguments->bias, "of pictures: y = (x - bias) * scale; default 0.0,0.0,0.0");
  command->add_option("-s,--scale", arguments->scale, "default 1.0,1.0,1.0");
  command->add_option("-r,--reverse_channel", arguments->reverse_channel, "0: the network reads RGB (default), 1: BGR")
      ->check(CLI::Range(0, 1));
  command->add_option("-t,--merge_type", arguments->job.merge_type,
                      "0: a scale for each channel of blobs and weights (default), 1: of weights alone, 2: of neither");
  command->add_option("-o,--output", arguments->output, "NAME of the files written; default: model");
  add_own_options(*command, *arguments);
  command->callback([arguments] { run(*arguments); });
}

}  // namespace octavo::cli
