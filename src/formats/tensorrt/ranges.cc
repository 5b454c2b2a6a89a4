#include "tensorrt/ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <set>
#include <utility>

#include "json_text.h"
#include "qdq.h"

namespace octavo::formats::tensorrt {
namespace {

/// What both writers put where no version is known.
constexpr std::string_view kAnyVersion = "8XXX";

bool is_activation(const Graph& graph, const Node& node) {
  return is_standard(node, "QuantizeLinear") && node.input(0) != kNoValue && !graph.value(node.input(0)).is_constant();
}

std::string reason_against(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (float_name(graph, id).find('\n') != std::string_view::npos) return "its tensor's name has a line break in it";
  const auto params = linear_params(graph, node);
  if (!params) return "its parameters are no constants";
  if (params->storage != DType::i8) return fmt::format("its integers are {}, not i8", name_of(params->storage));
  if (params->scale.size() != 1) return "it has a scale for each channel";
  return params->zero_point[0] == 0 ? "" : fmt::format("its zero point is {}, not 0", params->zero_point[0]);
}

}  // namespace

std::vector<UnsupportedNode> unsupported(const Graph& graph) {
  std::vector<UnsupportedNode> nodes;
  for (const NodeId id : graph.nodes()) {
    if (!is_activation(graph, graph.node(id))) continue;
    std::string reason = reason_against(graph, id);
    if (!reason.empty()) nodes.push_back({id, std::move(reason)});
  }
  return nodes;
}

std::vector<TensorScale> activation_scales(const Graph& graph) {
  std::vector<TensorScale> tensors;
  std::set<std::string, std::less<>> seen;
  for (const NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (!is_activation(graph, node)) continue;
    const auto params = linear_params(graph, node);
    const std::string name(float_name(graph, id));
    if (params && seen.insert(name).second) tensors.push_back({name, params->scale.front()});
  }
  return tensors;
}

std::string calibration_cache(const std::vector<TensorScale>& tensors, std::string_view version) {
  std::string text = fmt::format("TRT-{}-EntropyCalibration2\n", version.empty() ? kAnyVersion : version);
  for (const TensorScale& tensor : tensors) {
    text += fmt::format("{}: {:08x}\n", tensor.name, std::bit_cast<std::uint32_t>(tensor.scale));
  }
  return text;
}

std::string dynamic_ranges(const std::vector<TensorScale>& tensors) {
  constexpr float kSteps = 127.0F;
  std::string text = "{\"act_quant_info\": {";
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    text += fmt::format("{}\n  {}: {}", i == 0 ? "" : ",", json_string(tensors[i].name),
                        json_number(tensors[i].scale * kSteps));
  }
  return text + (tensors.empty() ? "}}\n" : "\n}}\n");
}

}  // namespace octavo::formats::tensorrt
