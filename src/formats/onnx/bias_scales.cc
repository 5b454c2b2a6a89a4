#include "onnx/bias_scales.h"

#include <bit>
#include <cstdint>
#include <optional>
#include <utility>

#include "qdq.h"

namespace octavo::formats::onnx_file {
namespace {

/// A node with its names takes about as many bytes as so many scales.
constexpr std::int64_t kFewestScales = 32;

const Tensor* floats(const Graph& graph, ValueId id) {
  const Tensor* constant = graph.constant(id);
  return constant != nullptr && constant->dtype() == DType::f32 ? constant : nullptr;
}

/// Of one scale and one or several.
std::optional<Tensor> product(const Tensor& one, const Tensor& several) {
  if (one.rank() != 0 || several.rank() > 1) return std::nullopt;
  Tensor result = several;
  for (float& scale : result.mutable_data<float>()) scale = one.data<float>()[0] * scale;
  return result;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return false;
  const auto x = a.data<float>();
  const auto y = b.data<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::bit_cast<std::uint32_t>(x[i]) != std::bit_cast<std::uint32_t>(y[i])) return false;
  }
  return true;
}

/// The scales of what a node reads, by the DequantizeLinear before it.
ValueId scale_of(const Graph& graph, ValueId input) {
  const NodeId producer = input == kNoValue ? kNoNode : graph.producer(input);
  if (producer == kNoNode || !is_standard(graph.node(producer), "DequantizeLinear")) return kNoValue;
  return graph.node(producer).input(1);
}

}  // namespace

void write_scale_products(Graph& graph) {
  for (const NodeId id : graph.nodes()) {
    const Node node = graph.node(id);
    const ValueId scale = scale_of(graph, node.input(2));
    const Tensor* written = scale == kNoValue ? nullptr : floats(graph, scale);
    if (written == nullptr || written->size() < kFewestScales || graph.use_count(scale) != 1) continue;
    const ValueId x = scale_of(graph, node.input(0));
    const ValueId w = scale_of(graph, node.input(1));
    if (x == kNoValue || w == kNoValue || floats(graph, x) == nullptr || floats(graph, w) == nullptr) continue;
    const auto computed = product(*floats(graph, x), *floats(graph, w));
    if (!computed || !same_bits(*computed, *written)) continue;
    Node mul;
    mul.op_type = "Mul";
    mul.inputs = {x, w};
    Value& value = graph.value(scale);
    value.constant.reset();
    mul.outputs = {scale};
    graph.add_node(std::move(mul));
  }
  graph.sort();
}

void read_scale_products(Graph& graph) {
  for (const NodeId id : graph.nodes()) {
    const Node& reader = graph.node(id);
    const ValueId scale = is_standard(reader, "DequantizeLinear") ? reader.input(1) : kNoValue;
    const NodeId producer = scale == kNoValue ? kNoNode : graph.producer(scale);
    if (producer == kNoNode || !is_standard(graph.node(producer), "Mul") || graph.is_output(scale)) continue;
    const Node& mul = graph.node(producer);
    const Tensor* a = floats(graph, mul.input(0));
    const Tensor* b = floats(graph, mul.input(1));
    if (a == nullptr || b == nullptr) continue;
    auto computed = product(*a, *b);
    if (!computed) continue;
    graph.remove_node(producer);
    Value& value = graph.value(scale);
    value.dtype = DType::f32;
    value.dims.emplace();
    for (const std::int64_t size : computed->shape()) value.dims->push_back(Dim{size, {}});
    value.constant = *std::move(computed);
  }
}

}  // namespace octavo::formats::onnx_file
