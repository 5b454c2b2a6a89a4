#include "ncnn_format.h"

#include <string>
#include <string_view>
#include <utility>

#include "bin.h"
#include "calibration_table.h"
#include "layer_reader.h"
#include "model_writer.h"
#include "octavo/error.h"
#include "onnx/onnx_format.h"
#include "param_text.h"
#include "qdq.h"

namespace octavo::formats {
namespace {

constexpr std::string_view kMagic = "7767517";

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::byte> as_bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

bool sniff(std::span<const std::byte> head) { return as_text(head).starts_with(kMagic); }

Graph read(const Source& source) {
  const std::vector<ncnn::Layer> layers = ncnn::parse_param(as_text(source.bytes));
  return ncnn::LayerReader(source.weights).read(layers);
}

std::vector<UnsupportedNode> unsupported(const Graph& graph) { return ncnn::layers_of(graph).unsupported; }

FileContent file(std::filesystem::path path, std::vector<std::byte> bytes) {
  return {.path = std::move(path), .bytes = std::move(bytes)};
}

std::filesystem::path with_ending(std::filesystem::path path, std::string_view ending) {
  return path.replace_extension(ending);
}

/// What mmdeploy's tool writes before ncnn2int8 runs: the float model with its weights on the steps of the integers,
/// and the table, named after the int8 model: "end2end_int8.param" has "end2end_quant.onnx" and "end2end.table".
void add_source_files(const Graph& graph, const std::filesystem::path& output, std::span<const ncnn::Layer> layers,
                      std::vector<FileContent>& files) {
  constexpr std::string_view kIntegers = "_int8";
  std::string stem = output.stem().string();
  if (!stem.ends_with(kIntegers)) return;
  stem.resize(stem.size() - kIntegers.size());
  const std::string table = ncnn::calibration_table(layers);
  if (table.empty()) return;  // a float model
  const std::filesystem::path folder = output.parent_path();
  files.push_back(file(folder / (stem + "_quant.onnx"), kOnnxExporter.bytes(without_pairs(graph))));
  files.push_back(file(folder / (stem + ".table"), as_bytes(table)));
}

std::vector<std::filesystem::path> write(const Graph& graph, const std::filesystem::path& output,
                                         const SaveOptions& /*options*/) {
  const std::vector<ncnn::Layer> layers = ncnn::require_layers(graph);
  std::vector<FileContent> files;
  files.push_back(file(output, as_bytes(ncnn::param_text(layers))));
  files.push_back(file(with_ending(output, ".bin"), ncnn::bin_bytes(layers)));
  add_source_files(graph, output, layers, files);
  write_whole(files);
  std::vector<std::filesystem::path> paths;
  for (const FileContent& written : files) paths.push_back(written.path);
  return paths;
}

/// The table holds for the float model of this graph, whose channels may be equalized, not for the one it was made
/// from: that model lies beside it.
std::vector<std::filesystem::path> write_table(const Graph& graph, const std::filesystem::path& output,
                                               const SaveOptions& /*options*/) {
  const std::string table = ncnn::calibration_table(ncnn::require_layers(graph));
  if (table.empty()) {
    throw Error(ErrorCode::unsupported,
                "no convolution or linear operator of the model runs in integers, so there is no table to write: "
                "quantize it with --backend ncnn");
  }
  const std::vector<ncnn::Layer> floats = ncnn::require_layers(without_pairs(graph));
  const std::filesystem::path model = output.parent_path() / (output.stem().string() + "_float.param");
  const std::vector<FileContent> files{file(output, as_bytes(table)), file(model, as_bytes(ncnn::param_text(floats))),
                                       file(with_ending(model, ".bin"), ncnn::bin_bytes(floats))};
  write_whole(files);
  return {files[0].path, files[1].path, files[2].path};
}

}  // namespace

const Format kNcnnFormat{.name = "ncnn", .ending = ".param", .weights_ending = ".bin", .sniff = &sniff, .read = &read};

const Exporter kNcnnExporter{.name = "ncnn",
                             .description =
                                 "ncnn's .param and .bin; NAME_int8.param has NAME_quant.onnx and NAME.table "
                                 "beside it, what ncnn2int8 would make the same of",
                             .backend = "ncnn",
                             .ending = ".param",
                             .only_for_backend = true,
                             .unsupported = &unsupported,
                             .write = &write,
                             .bytes = nullptr};

const Exporter kNcnnTableExporter{
    .name = "ncnn-table",
    .description = "the table of scales for ncnn2int8, and NAME_float.param, the model that it is of",
    .backend = "ncnn",
    .ending = ".table",
    .only_for_backend = true,
    .unsupported = &unsupported,
    .write = &write_table,
    .bytes = nullptr};

}  // namespace octavo::formats
