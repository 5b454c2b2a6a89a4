#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
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

constexpr std::uintmax_t kMostOfList = std::uintmax_t{64} << 20;

struct Arguments {
  std::string param;
  std::string bin;
  std::string lists;
  std::string table;
  std::vector<std::string> settings;
};

[[noreturn]] void refuse(const std::string& text) { throw Error(ErrorCode::invalid_argument, text); }

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

/// "[1,2,3],[4,5,6]": a list for each input.
std::vector<std::vector<double>> lists_of_numbers(const std::string& key, std::string_view text) {
  std::vector<std::vector<double>> lists;
  const auto fail = [&] { refuse(fmt::format("{}={}: expected lists of numbers, as in {}=[1,2,3]", key, text, key)); };
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find(']');
    if (rest.front() != '[' || end == std::string_view::npos) fail();
    std::vector<double>& numbers = lists.emplace_back();
    for (const std::string& token : split(rest.substr(1, end - 1))) {
      double number = 0.0;
      const auto [stop, code] = std::from_chars(token.data(), token.data() + token.size(), number);
      if (code != std::errc() || stop != token.data() + token.size()) fail();
      numbers.push_back(number);
    }
    rest.remove_prefix(end + 1);
    if (!rest.empty() && rest.front() == ',') rest.remove_prefix(1);
  }
  if (lists.empty()) fail();
  return lists;
}

/// One value for each input, or one for all.
template <typename Value>
const Value& of_input(const std::vector<Value>& values, std::size_t input, std::size_t inputs, const std::string& key) {
  if (values.size() != 1 && values.size() != inputs) {
    refuse(fmt::format("{}: {} for {} of the model", key, count_of(values.size(), "value"), count_of(inputs, "input")));
  }
  return values[values.size() == 1 ? 0 : input];
}

using Settings = std::map<std::string, std::string, std::less<>>;

Settings settings_of(const std::vector<std::string>& texts) {
  static constexpr std::string_view kKnown = "mean= norm= shape= pixel= thread= method= type=";
  Settings settings;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    const std::string key = text.substr(0, equals);
    if (equals == std::string::npos || kKnown.find(key + "=") == std::string_view::npos) {
      refuse(fmt::format("'{}' is no setting; there are {}", text, kKnown));
    }
    settings[key] = text.substr(equals + 1);
  }
  return settings;
}

std::string observer_of(const std::string& method) {
  if (method == "kl") return "NcnnKLObserver";
  if (method == "aciq") return "ACIQGaussObserver";
  if (method == "eq") {
    refuse(
        "method=eq: ncnn's search by cosine reads the wrong mean, norm and shape for all inputs but the first, so "
        "there "
        "are no numbers to repeat; take kl, or `octavo quantize --to ncnn-table` with an observer of its own");
  }
  refuse(fmt::format("method={}: expected kl or aciq", method));
}

/// Paths of a list file, a line each; relative ones are to the folder octavo was started in, as ncnn2table has it.
std::vector<std::filesystem::path> paths_of(const std::string& list) {
  std::error_code failed;
  if (std::filesystem::file_size(list, failed) > kMostOfList && !failed) {
    throw Error(ErrorCode::resource_limit, fmt::format("{}: a list of more than 64 MiB", list));
  }
  std::ifstream file(list);
  if (!file.is_open()) throw Error(ErrorCode::io, fmt::format("{}: the list of samples cannot be opened", list));
  std::vector<std::filesystem::path> paths;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) paths.emplace_back(line);
  }
  if (paths.empty()) throw Error(ErrorCode::bad_data, fmt::format("{}: the list names no sample", list));
  return paths;
}

void set_pixel(const std::string& pixel, Preprocess& preprocess) {
  if (pixel == "RGB") {
    preprocess.order = ChannelOrder::rgb;
  } else if (pixel == "BGR") {
    preprocess.order = ChannelOrder::bgr;
  } else if (pixel != "GRAY") {  // the model's one channel says the same
    refuse(fmt::format("pixel={}: expected RGB, BGR or GRAY", pixel));
  }
}

Recipe recipe_of(const Graph& model, const Arguments& arguments, const Settings& settings) {
  Recipe recipe;
  recipe.backend = "ncnn";
  recipe.to = "ncnn-table";
  recipe.equalize_channels = false;
  recipe.compensate_rounding = false;
  recipe.correct_biases = false;
  const auto value = [&](const char* key, const char* fallback) {
    const auto found = settings.find(key);
    return found == settings.end() ? std::string(fallback) : found->second;
  };
  recipe.qconfig.activation.observer.emplace().type = observer_of(value("method", "kl"));
  const std::string threads = value("thread", "0");
  const auto [end, code] = std::from_chars(threads.data(), threads.data() + threads.size(), recipe.threads);
  if (code != std::errc() || end != threads.data() + threads.size())
    refuse(fmt::format("thread={}: no number", threads));
  const auto lists = split(arguments.lists);
  const std::size_t inputs = model.inputs().size();
  if (lists.size() != inputs)
    refuse(fmt::format("{} for {} of the model", count_of(lists.size(), "list"), count_of(inputs, "input")));
  for (std::size_t i = 0; i < inputs; ++i) {
    Recipe::Input& input = recipe.inputs[model.value(model.inputs()[i]).name];
    input.paths = paths_of(lists[i]);
    if (value("type", "0") == "1") continue;  // .npy, as it is
    input.preprocess.layout = Layout::nchw;
    input.preprocess.interpolation = Interpolation::opencv_bilinear;
    set_pixel(of_input(split(value("pixel", "BGR")), i, inputs, "pixel"), input.preprocess);
    if (settings.contains("mean")) {
      input.preprocess.mean = of_input(lists_of_numbers("mean", value("mean", "")), i, inputs, "mean");
    }
    if (settings.contains("norm")) {
      input.preprocess.scale = of_input(lists_of_numbers("norm", value("norm", "")), i, inputs, "norm");
    }
    if (!settings.contains("shape")) continue;
    const auto shape = of_input(lists_of_numbers("shape", value("shape", "")), i, inputs, "shape");
    if (shape.size() != 3)
      refuse(fmt::format("shape: {}, expected [width,height,channels]", count_of(shape.size(), "number")));
    input.preprocess.resize = std::pair(static_cast<int>(shape[0]), static_cast<int>(shape[1]));
  }
  return recipe;
}

void run(const Arguments& arguments) {
  const Settings settings = settings_of(arguments.settings);
  require_ending(exporter_named("ncnn-table"), arguments.table);
  require_writable(arguments.table, arguments.param, "the table");
  ProgressDisplay display(/*quiet=*/false);
  const Graph model = load_model(arguments.param, arguments.bin);
  const Quantized result = quantize(model, recipe_of(model, arguments, settings), display.callback());
  const auto written = export_model(result.graph, exporter_named("ncnn-table"), arguments.table);
  for (const std::string& note : result.notes) fmt::print("note: {}\n", note);
  fmt::print("Calibrated on {}.\n", count_of(result.calibration.samples, "sample"));
  for (const auto& file : written) fmt::print("Wrote {}\n", file.string());
}

}  // namespace

void add_ncnn2table_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("ncnn2table", "Make the table of scales for ncnn2int8 by ncnn2table's own arguments");
  command->footer(wrapped(
      "Example:\n"
      "  octavo ncnn2table in.param in.bin list.txt out.table mean=[104,117,123] norm=[0.017,0.017,0.017] "
      "shape=[224,224,3] pixel=BGR thread=8 method=kl\n"
      "The same when octavo is called by the name ncnn2table, through a link. A model with several inputs takes a list "
      "file for each, and may take settings for each: a.txt,b.txt mean=[1,2,3],[0]. type=1: the lists are of .npy "
      "files.",
      kHelpColumns));
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("param", arguments->param, "the float model's .param")->required();
  command->add_option("bin", arguments->bin, "its .bin")->required();
  command->add_option("list", arguments->lists, "file of paths, a line each; one for each input, with commas")
      ->required();
  command->add_option("table", arguments->table, "file to write, .table")->required();
  command->add_option("settings", arguments->settings, "mean= norm= shape= pixel= thread= method= type=");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace octavo::cli
