#include "eligibility.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace octavo::planning {
namespace {

bool is_float(const Graph& graph, ValueId id) {
  const DType dtype = graph.value(id).dtype;
  return dtype == DType::f32 || dtype == DType::undefined;
}

bool all_finite(const Tensor& tensor) {
  const auto values = tensor.data<float>();
  return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

/// Channels of the output: those of the bias. `weight` is the constant weight of `node`.
std::int64_t output_channels(const Node& node, const Tensor& weight) {
  if (node.op_type == "Conv") return weight.dim(0);
  if (node.op_type == "ConvTranspose") return weight.dim(1) * node.int_or("group", 1);
  return node.op_type == "Gemm" && node.int_or("transB", 0) != 0 ? weight.dim(0) : weight.shape().back();
}

std::string reason_against_bias(const Graph& graph, const Node& node) {
  if (node.input(2) == kNoValue) return {};
  const Tensor* bias = graph.constant(node.input(2));
  if (bias == nullptr) return "its bias is not constant";
  if (bias->dtype() != DType::f32) return fmt::format("its bias is {}, not f32", name_of(bias->dtype()));
  if (bias->shape() != Shape{output_channels(node, *graph.constant(node.input(1)))}) {
    return "its bias is not one number a channel";
  }
  return all_finite(*bias) ? "" : "its bias holds infinities or NaNs";
}

/// What a runtime gets wrong must not be handed to it.
std::string reason_against_groups(const Graph& graph, const Node& node, const OpRule& rule) {
  const std::int64_t groups = node.int_or("group", 1);
  if (rule.broken_group_outputs == 0 || groups <= 1) return {};
  const Tensor& weight = *graph.constant(node.input(1));
  const bool depthwise = weight.dim(1) == 1 && weight.dim(0) == groups;
  const std::int64_t outputs = weight.dim(0) / groups;
  if (depthwise || outputs % rule.broken_group_outputs != 0) return {};
  return fmt::format("its groups have {} outputs, and the runtime's integer kernel is broken for multiples of {}",
                     outputs, rule.broken_group_outputs);
}

std::string reason_against_weight(const Graph& graph, const Node& node, const OpRule& rule) {
  if (graph.value(node.input(0)).is_constant()) return "its data input is constant";
  const Tensor* weight = graph.constant(node.input(1));
  if (weight == nullptr) return "its weight is not constant";
  if (weight->dtype() != DType::f32) return fmt::format("its weight is {}, not f32", name_of(weight->dtype()));
  if (weight->rank() < 2 || weight->size() == 0) return "its weight has no channels";
  if (rule.weight_rank != 0 && weight->rank() != rule.weight_rank) {
    return fmt::format("its weight has {} dimensions, and only those of {} have an integer kernel", weight->rank(),
                       rule.weight_rank);
  }
  if (!all_finite(*weight)) return "its weight holds infinities or NaNs";
  if (std::string reason = reason_against_bias(graph, node); !reason.empty()) return reason;
  if (node.op_type == "Conv") return reason_against_groups(graph, node, rule);
  if (node.op_type != "Gemm") return {};
  if (node.int_or("transA", 0) != 0) return "transA is set";
  if (node.float_or("alpha", 1.0F) != 1.0F) return "alpha is not 1";
  if (node.float_or("beta", 1.0F) != 1.0F) return "beta is not 1";
  return {};
}

/// Runtimes fuse a Clip only where they can see its limits.
std::string reason_against_limits(const Graph& graph, const Node& node) {
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    if (node.input(i) != kNoValue && graph.constant(node.input(i)) == nullptr) return "its limits are not constant";
  }
  return {};
}

/// Padding with anything but zero does not keep the range of its input.
std::string reason_against_padding(const Graph& graph, const Node& node) {
  if (node.string_or("mode", "constant") != "constant" || node.input(2) == kNoValue) return {};
  const Tensor* fill = graph.constant(node.input(2));
  if (fill != nullptr && fill->dtype() == DType::f32 && fill->size() == 1 && fill->data<float>()[0] == 0.0F) return {};
  return "it pads with a value other than zero";
}

/// Cubic interpolation leaves the range of its input.
std::string reason_against_resize(const Node& node) {
  return node.string_or("mode", "nearest") == "cubic" ? "cubic interpolation leaves its input's range" : "";
}

}  // namespace

std::optional<int> weight_channel_axis(const Graph& graph, const Node& node) {
  const Tensor* weight = graph.constant(node.input(1));
  if (weight == nullptr) return std::nullopt;
  if (node.op_type == "Conv") return 0;
  if (node.op_type == "ConvTranspose" && node.int_or("group", 1) == 1) return 1;
  if (node.op_type == "Gemm") return node.int_or("transB", 0) != 0 ? 0 : 1;
  if (node.op_type == "MatMul" && weight->rank() == 2) return 1;
  return std::nullopt;
}

std::optional<int> weight_input_axis(const Graph& graph, const Node& node) {
  const Tensor* weight = graph.constant(node.input(1));
  if (weight == nullptr) return std::nullopt;
  if (node.op_type == "Gemm") return node.int_or("transB", 0) != 0 ? 1 : 0;
  if (node.op_type == "MatMul" && weight->rank() == 2) return 0;
  const bool point =
      std::all_of(weight->shape().begin() + 2, weight->shape().end(), [](auto size) { return size == 1; });
  if (node.op_type == "Conv" && point && node.int_or("group", 1) == 1) return 1;
  return std::nullopt;
}

std::string reason_against(const Graph& graph, const Node& node, const OpRule& rule) {
  if (node.op_type != rule.op_type || !node.domain.empty()) return "it is another operator of the same name";
  if (node.input(0) == kNoValue || node.output(0) == kNoValue) return "it has no input or no output";
  if (!is_float(graph, node.input(0)) || !is_float(graph, node.output(0))) return "it does not compute in f32";
  if (rule.role == OpRole::weighted) return reason_against_weight(graph, node, rule);
  if (rule.role == OpRole::computes || rule.role == OpRole::joins || rule.role == OpRole::residual) {
    for (const ValueId input : node.inputs) {
      if (input != kNoValue && graph.value(input).is_constant()) return "one of its operands is constant";
    }
  }
  if (node.op_type == "Clip") return reason_against_limits(graph, node);
  if (node.op_type == "Pad") return reason_against_padding(graph, node);
  if (node.op_type == "Resize") return reason_against_resize(node);
  if (node.op_type == "MaxPool" && node.output(1) != kNoValue) return "it has an output of indices";
  return {};
}

}  // namespace octavo::planning
