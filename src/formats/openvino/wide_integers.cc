#include "openvino/wide_integers.h"

#include <fmt/format.h>

#include "qdq.h"

namespace octavo::formats::openvino {

std::vector<UnsupportedNode> wide_integers(const Graph& graph) {
  std::vector<UnsupportedNode> nodes;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (!is_standard(node, "QuantizeLinear") || node.output(0) == kNoValue) continue;
    if (node.input(0) != kNoValue && graph.value(node.input(0)).is_constant()) continue;
    const auto params = linear_params(graph, node);
    if (!params || (params->storage != DType::i16 && params->storage != DType::u16)) continue;
    nodes.push_back({id, fmt::format("its integers are {}, and OpenVINO computes with 8 bits at most: quantize with "
                                     "activations of 8 bits",
                                     name_of(params->storage))});
  }
  return nodes;
}

}  // namespace octavo::formats::openvino
