#include "model_writer.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "layer_writer.h"
#include "qdq.h"

namespace octavo::formats::ncnn {
namespace {

/// ncnn runs one sample at a time: a batch of any size is one of 1.
void set_batch(Graph& graph) {
  for (const ValueId input : graph.inputs()) {
    auto& dims = graph.value(input).dims;
    if (dims && !dims->empty() && !dims->front().known()) dims->front() = Dim{1, {}};
  }
}

}  // namespace

Written layers_of(const Graph& graph) {
  Written written;
  const auto integers = integer_layers(graph, written.unsupported);
  Graph floats = without_pairs(graph);
  set_batch(floats);
  infer_shapes(floats);
  LayerWriter writer(floats, integers);
  writer.write_inputs();
  for (const NodeId id : floats.nodes()) {
    try {
      writer.write(id);
    } catch (const NoLayer& refused) {
      auto& node = written.unsupported.emplace_back();
      node.node = id;
      node.reason = refused.reason;
    }
  }
  written.layers = writer.finish();
  return written;
}

std::vector<Layer> require_layers(const Graph& graph) {
  Written written = layers_of(graph);
  if (written.unsupported.empty()) return std::move(written.layers);
  std::string text =
      fmt::format("ncnn's format cannot hold {} operators of '{}':", written.unsupported.size(), graph.name);
  for (const UnsupportedNode& refused : written.unsupported) {
    text += fmt::format("\n  {}: {}", describe(graph, refused.node), refused.reason);
  }
  throw Error(ErrorCode::unsupported, text);
}

}  // namespace octavo::formats::ncnn
