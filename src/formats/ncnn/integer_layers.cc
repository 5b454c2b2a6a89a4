#include "integer_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

#include "qdq.h"

namespace octavo::formats::ncnn {
namespace {

/// Smaller steps than a float has a reciprocal for are as good as zero.
float scale_of(float step) { return std::min(1.0F / step, std::numeric_limits<float>::max()); }

bool has_zero_points(const QParams& params) {
  return std::any_of(params.zero_point.begin(), params.zero_point.end(), [](std::int32_t zero) { return zero != 0; });
}

bool is_byte(DType dtype) { return dtype == DType::i8 || dtype == DType::i4; }

std::string reason_against(const Dequantized& input, const Dequantized& weight, const Tensor& integers) {
  constexpr std::string_view kAdvice = "quantize the float model with --backend ncnn";
  if (input.params.storage != DType::i8 || has_zero_points(input.params) || input.params.scale.size() != 1) {
    return fmt::format(
        "its input is quantized to {} with zero point {} and {} scales, ncnn takes int8 with zero point 0 "
        "and one scale: {}",
        name_of(input.params.storage), input.params.zero_point.front(), input.params.scale.size(), kAdvice);
  }
  if (!is_byte(weight.params.storage) || has_zero_points(weight.params) || weight.params.per_group()) {
    return fmt::format("its weight is stored as {}{}{}, ncnn takes int8 with zero points 0 and a scale a channel: {}",
                       name_of(weight.params.storage), has_zero_points(weight.params) ? " with zero points" : "",
                       weight.params.per_group() ? " with scales per group" : "", kAdvice);
  }
  const auto* const bytes = reinterpret_cast<const std::int8_t*>(integers.bytes());
  if (std::count(bytes, bytes + integers.byte_size(), std::int8_t{-128}) != 0) {
    return fmt::format("its weight holds -128, ncnn's kernels compute with -127 to 127: {}", kAdvice);
  }
  return {};
}

/// The pair around an activation: nothing where its halves differ or there is none.
std::optional<Dequantized> pair_before(const Graph& graph, ValueId value) {
  auto restored = dequantized(graph, value);
  if (!restored) return std::nullopt;
  const NodeId quantizer = graph.producer(restored->integers);
  if (quantizer == kNoNode || !is_standard(graph.node(quantizer), "QuantizeLinear")) return std::nullopt;
  if (linear_params(graph, graph.node(quantizer)) != restored->params) return std::nullopt;
  return restored;
}

Tensor as_bytes(const Tensor& integers) {
  Tensor bytes(DType::i8, integers.shape(), true);
  if (integers.byte_size() > 0) std::memcpy(bytes.mutable_bytes(), integers.bytes(), integers.byte_size());
  return bytes;
}

}  // namespace

std::map<NodeId, IntegerLayer> integer_layers(const Graph& graph, std::vector<UnsupportedNode>& unsupported) {
  Graph stored = graph;
  store_integers(stored);
  std::map<NodeId, IntegerLayer> layers;
  for (const NodeId id : stored.nodes()) {
    const Node& node = stored.node(id);
    if (!is_standard(node, "Conv") && !is_standard(node, "Gemm") && !is_standard(node, "MatMul")) continue;
    const auto input = pair_before(stored, node.input(0));
    const auto weight = dequantized(stored, node.input(1));
    const Tensor* integers = weight ? stored.constant(weight->integers) : nullptr;
    if (!input || integers == nullptr) continue;
    if (std::string reason = reason_against(*input, *weight, *integers); !reason.empty()) {
      auto& refused = unsupported.emplace_back();
      refused.node = id;
      refused.reason = std::move(reason);
      continue;
    }
    IntegerLayer& layer = layers[id];
    layer.input_scale = scale_of(input->params.scale.front());
    layer.weight = as_bytes(*integers);
    for (const float step : weight->params.scale) layer.weight_scales.push_back(scale_of(step));
  }
  return layers;
}

}  // namespace octavo::formats::ncnn
