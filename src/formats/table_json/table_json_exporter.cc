#include "table_json/table_json_exporter.h"

#include <string>

#include "table_json/table_json.h"

namespace octavo::formats {
namespace {

std::vector<std::byte> bytes(const Graph& graph) {
  const std::string text = quantization_table(graph);
  const auto characters = std::as_bytes(std::span(text));
  return {characters.begin(), characters.end()};
}

std::vector<std::filesystem::path> write(const Graph& graph, const std::filesystem::path& output,
                                         const SaveOptions& /*options*/) {
  write_whole(output, bytes(graph));
  return {output};
}

}  // namespace

const Exporter kTableJsonExporter = {.name = "json",
                                     .description = "scales, zero points and ranges of all values, as JSON",
                                     .backend = "onnxruntime",
                                     .ending = ".json",
                                     .integers_for_float_operators = true,
                                     .unsupported = nullptr,
                                     .write = write,
                                     .bytes = bytes};

}  // namespace octavo::formats
