#include "tnn/tnn_format.h"

#include <fmt/format.h>

#include <cctype>
#include <cstring>
#include <string_view>
#include <utility>

#include "octavo/error.h"
#include "tnn/layer_reader.h"
#include "tnn/layer_writer.h"
#include "tnn/proto.h"
#include "tnn/resources.h"

namespace octavo::formats {
namespace {

using tnn::Version;

/// Larger texts and networks would only cost time: TNN refuses 10,000 resources.
constexpr std::size_t kMostText = std::size_t{64} << 20;
constexpr std::size_t kMostLayers = 20000;

/// The first record: "1 <blobs> 1 <magic>.
bool sniff(std::span<const std::byte> head) {
  std::string text(head.size(), '\0');
  if (!text.empty()) std::memcpy(text.data(), head.data(), head.size());
  return text.find("4206624770") != std::string::npos || text.find("4206624772") != std::string::npos;
}

std::vector<tnn::Resource> resources_of(const Source& source) {
  try {
    return tnn::read_resources(source.weights);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", source.weights_name, error.what()));
  }
}

Graph read(const Source& source) {
  if (source.bytes.size() > kMostText) {
    throw Error(ErrorCode::resource_limit,
                fmt::format("its text has {} bytes, where {} are read", source.bytes.size(), kMostText));
  }
  std::string text(source.bytes.size(), '\0');
  if (!text.empty()) std::memcpy(text.data(), source.bytes.data(), source.bytes.size());
  const tnn::Proto proto = tnn::parse_proto(text);
  if (proto.layers.size() > kMostLayers) {
    throw Error(ErrorCode::resource_limit,
                fmt::format("it has {} layers, where {} are read", proto.layers.size(), kMostLayers));
  }
  tnn::GraphBuilder builder(resources_of(source));
  for (const tnn::Input& input : proto.inputs) builder.add_input(input);
  for (const tnn::Layer& layer : proto.layers) {
    tnn::LayerReader reader(builder, layer);
    try {
      tnn::read_layer(reader);
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("line {}: {}", layer.line, error.what()));
    }
  }
  return builder.finish(proto.outputs);
}

void require_none(const Graph& graph, const std::vector<UnsupportedNode>& refused) {
  if (refused.empty()) return;
  std::string list;
  for (const UnsupportedNode& node : refused)
    list += fmt::format("\n  {}: {}", describe(graph, node.node), node.reason);
  throw Error(ErrorCode::unsupported, fmt::format("TNN's files cannot hold this model:{}", list));
}

std::vector<UnsupportedNode> unsupported(const Graph& graph) {
  return tnn::ModelWriter(graph, Version::v2).write_layers();
}

std::vector<UnsupportedNode> unsupported_v1(const Graph& graph) {
  return tnn::ModelWriter(graph, Version::v1).write_layers();
}

std::vector<std::filesystem::path> write_version(const Graph& graph, const std::filesystem::path& output,
                                                 Version version) {
  tnn::ModelWriter writer(graph, version);
  require_none(graph, writer.write_layers());
  const std::string text = tnn::proto_text(writer.proto());
  std::vector<FileContent> files(2);
  files[0].path = output;
  files[0].bytes.resize(text.size());
  std::memcpy(files[0].bytes.data(), text.data(), text.size());
  files[1].path = std::filesystem::path(output).replace_extension(kTnnFormat.weights_ending);
  files[1].bytes = tnn::resource_bytes(writer.resources(), version);
  write_whole(files);
  return {files[0].path, files[1].path};
}

std::vector<std::filesystem::path> write(const Graph& graph, const std::filesystem::path& output, const SaveOptions&) {
  return write_version(graph, output, Version::v2);
}

std::vector<std::filesystem::path> write_v1(const Graph& graph, const std::filesystem::path& output,
                                            const SaveOptions&) {
  return write_version(graph, output, Version::v1);
}

}  // namespace

const Format kTnnFormat = {
    .name = "tnn", .ending = ".tnnproto", .weights_ending = ".tnnmodel", .sniff = sniff, .read = read};

const Exporter kTnnExporter = {.name = "tnn",
                               .description = "TNN: .tnnproto and .tnnmodel, version 2",
                               .backend = "tnn",
                               .ending = ".tnnproto",
                               .only_for_backend = true,
                               .unsupported = unsupported,
                               .write = write,
                               .bytes = nullptr};

const Exporter kTnnV1Exporter = {.name = "tnn-v1",
                                 .description = "TNN: .tnnproto and .tnnmodel, version 1, for older runtimes",
                                 .backend = "tnn",
                                 .ending = ".tnnproto",
                                 .only_for_backend = true,
                                 .unsupported = unsupported_v1,
                                 .write = write_v1,
                                 .bytes = nullptr};

}  // namespace octavo::formats
