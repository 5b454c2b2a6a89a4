#include "onnx/subgraph.h"

#include <string_view>

// Recursion here is bounded: protobuf refuses messages that are nested deeper than 100.
namespace octavo::formats::onnx_file {
namespace {

using onnx::AttributeProto;
using onnx::GraphProto;

std::set<std::string_view> names_defined(const GraphProto& graph) {
  std::set<std::string_view> names;
  for (const auto& input : graph.input()) names.insert(input.name());
  for (const auto& initializer : graph.initializer()) names.insert(initializer.name());
  for (const auto& initializer : graph.sparse_initializer()) names.insert(initializer.values().name());
  for (const auto& node : graph.node()) names.insert(node.output().begin(), node.output().end());
  return names;
}

void collect_outer_reads(const GraphProto& graph, std::set<std::string>& names) {
  std::set<std::string> read;
  for (const auto& node : graph.node()) {
    read.insert(node.input().begin(), node.input().end());
    for (const auto& attribute : node.attribute()) onnx_file::collect_outer_reads(attribute, read);
  }
  for (const auto& output : graph.output()) read.insert(output.name());
  const std::set<std::string_view> defined = names_defined(graph);
  for (const std::string& name : read) {
    if (!name.empty() && !defined.contains(name)) names.insert(name);
  }
}

void embed_external_data(GraphProto& graph, ExternalData& external) {
  for (auto& tensor : *graph.mutable_initializer()) onnx_file::embed_external_data(tensor, external);
  for (auto& node : *graph.mutable_node()) {
    for (auto& attribute : *node.mutable_attribute()) onnx_file::embed_external_data(attribute, external);
  }
}

}  // namespace

void collect_outer_reads(const AttributeProto& attribute, std::set<std::string>& names) {
  if (attribute.has_g()) collect_outer_reads(attribute.g(), names);
  for (const auto& graph : attribute.graphs()) collect_outer_reads(graph, names);
}

void embed_external_data(AttributeProto& attribute, ExternalData& external) {
  if (attribute.has_t()) embed_external_data(*attribute.mutable_t(), external);
  for (auto& tensor : *attribute.mutable_tensors()) embed_external_data(tensor, external);
  if (attribute.has_g()) embed_external_data(*attribute.mutable_g(), external);
  for (auto& graph : *attribute.mutable_graphs()) embed_external_data(graph, external);
}

}  // namespace octavo::formats::onnx_file
