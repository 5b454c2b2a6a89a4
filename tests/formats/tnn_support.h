#pragma once

#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/graph.h"
#include "tnn/layer_writer.h"
#include "tnn/proto.h"
#include "tnn/resources.h"
#include "tnn/tnn_format.h"

namespace octavo::formats_test {

/// The two files of a model.
struct TnnFiles {
  std::string proto;
  std::string model;
};

inline std::string tnn_golden_file(const std::string& name) {
  std::ifstream file(std::filesystem::path(OCTAVO_SOURCE_DIR) / "tests" / "formats" / "golden" / "tnn" / name,
                     std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What golden/tnn/make.py has made.
inline TnnFiles tnn_golden(const std::string& name) {
  return {tnn_golden_file(name + ".tnnproto"), tnn_golden_file(name + ".tnnmodel")};
}

inline Graph read_tnn(const TnnFiles& files) {
  formats::Source source;
  source.bytes = std::as_bytes(std::span(files.proto));
  source.weights = std::as_bytes(std::span(files.model));
  Graph graph = formats::kTnnFormat.read(source);
  graph.check();
  return graph;
}

inline TnnFiles written_tnn(const Graph& graph, formats::tnn::Version version = formats::tnn::Version::v2) {
  formats::tnn::ModelWriter writer(graph, version);
  if (!writer.write_layers().empty()) return {};
  const auto bytes = formats::tnn::resource_bytes(writer.resources(), version);
  TnnFiles files{formats::tnn::proto_text(writer.proto()), std::string(bytes.size(), '\0')};
  if (!bytes.empty()) std::memcpy(files.model.data(), bytes.data(), bytes.size());
  return files;
}

/// A graph of opset 13 with its shapes, whose output is y.
inline Graph tnn_graph(const std::string& body) {
  Graph graph = parse_graph("graph opset 13 { " + body + " output y }");
  infer_shapes(graph);
  return graph;
}

}  // namespace octavo::formats_test
