#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "octavo/error.h"
#include "octavo/passes.h"

namespace octavo {
namespace {

std::size_t count(const Tensor& tensor, std::size_t axis) { return static_cast<std::size_t>(tensor.dim(axis)); }

/// All dimensions 1 but one.
Tensor along(std::span<const float> values, std::size_t rank, std::size_t axis) {
  Shape shape(rank, 1);
  shape[axis] = static_cast<std::int64_t>(values.size());
  return Tensor::from<float>(std::move(shape), values);
}

/// The channels that output channel o of a grouped convolution sums over are those of its group.
std::optional<Tensor> conv_steps(const Tensor& weight, std::size_t groups, std::span<const float> steps) {
  const std::size_t outputs = count(weight, 0);
  const std::size_t inputs = count(weight, 1);
  if (groups == 1) return along(steps, weight.rank(), 1);
  if (inputs == 1) return std::nullopt;  // depthwise
  Shape shape(weight.rank(), 1);
  shape[0] = weight.dim(0);
  shape[1] = weight.dim(1);
  Tensor factors(DType::f32, std::move(shape));
  const auto values = factors.mutable_data<float>();
  for (std::size_t o = 0; o < outputs; ++o) {
    const std::size_t group = o / (outputs / groups);
    for (std::size_t i = 0; i < inputs; ++i) values[o * inputs + i] = steps[group * inputs + i];
  }
  return factors;
}

}  // namespace

std::optional<Tensor> input_steps(const Graph& graph, NodeId id, const QParams& input) {
  if (!input.per_channel()) return std::nullopt;
  const Node& node = graph.node(id);
  const Tensor* weight = graph.constant(node.input(1));
  const std::size_t channels = input.scale.size();
  if (weight != nullptr && weight->rank() >= 2 && input.axis == 1) {
    const auto groups = static_cast<std::size_t>(std::max<std::int64_t>(node.int_or("group", 1), 1));
    const bool transposed = node.op_type == "ConvTranspose";
    if (node.op_type == "Conv" && count(*weight, 1) * groups == channels && count(*weight, 0) % groups == 0) {
      return conv_steps(*weight, groups, input.scale);
    }
    if (transposed && count(*weight, 0) == channels) {
      return groups == channels ? std::nullopt : std::optional(along(input.scale, weight->rank(), 0));
    }
    const std::size_t inner = node.op_type == "Gemm" && node.int_or("transB", 0) != 0 ? 1 : 0;
    const auto& dims = graph.value(node.input(0)).dims;
    const bool product = node.op_type == "Gemm" || (node.op_type == "MatMul" && dims && dims->size() == 2);
    if (product && weight->rank() == 2 && count(*weight, inner) == channels) return along(input.scale, 2, inner);
  }
  throw Error(
      ErrorCode::unsupported,
      fmt::format("{}: its input has {} scales along dimension {}, which its weight cannot take in; give '{}' one "
                  "scale",
                  describe(graph, id), channels, input.axis, graph.value(node.input(0)).name));
}

Tensor multiplied_by_steps(const Tensor& weight, const Tensor& steps) {
  Tensor result = weight;
  const auto values = result.mutable_data<float>();
  const auto by = steps.data<float>();
  std::vector<std::size_t> strides(weight.rank(), 0);
  std::size_t stride = 1;
  for (std::size_t d = weight.rank(); d-- > 0;) {
    if (steps.dim(d) != 1) strides[d] = stride;
    stride *= count(steps, d);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::size_t rest = i;
    std::size_t at = 0;
    for (std::size_t d = weight.rank(); d-- > 0;) {
      at += rest % count(weight, d) * strides[d];
      rest /= count(weight, d);
    }
    values[i] *= by[at];
  }
  return result;
}

}  // namespace octavo
