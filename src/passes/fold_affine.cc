#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "bypass.h"
#include "f32_constant.h"
#include "octavo/graph.h"
#include "prepare_passes.h"

namespace octavo::passes {
namespace {

/// y = factor · x + offset, one of each a channel. Doubles: several may be folded into one weight.
struct Affine {
  std::vector<double> factor;
  std::vector<double> offset;
};

/// The weighted operator that takes the affine map in.
struct Host {
  std::size_t rank = 0;     ///< of its output
  std::size_t channel = 1;  ///< dimension of its output that counts channels
  std::int64_t channels = 0;
};

std::optional<Host> host_of(const Graph& graph, const Node& node) {
  const Tensor* weight = f32_constant(graph, node.input(1));
  if (!node.domain.empty() || weight == nullptr || weight->size() == 0) return std::nullopt;
  if (node.op_type == "Conv" && weight->rank() >= 3) return Host{weight->rank(), 1, weight->dim(0)};
  if (node.op_type == "ConvTranspose" && weight->rank() >= 3) {
    const std::int64_t groups = node.int_or("group", 1);
    if (groups < 1 || weight->dim(0) % groups != 0) return std::nullopt;
    return Host{weight->rank(), 1, weight->dim(1) * groups};
  }
  const bool plain_gemm = node.op_type == "Gemm" && weight->rank() == 2 && node.float_or("alpha", 1.0F) == 1.0F &&
                          node.float_or("beta", 1.0F) == 1.0F;
  if (plain_gemm) return Host{2, 1, weight->dim(node.int_or("transB", 0) != 0 ? 0 : 1)};
  return std::nullopt;
}

/// Whether the host has no bias, or one that can be rewritten: one number a channel.
bool has_plain_bias(const Graph& graph, const Node& node, const Host& host) {
  if (node.input(2) == kNoValue) return true;
  const Tensor* bias = f32_constant(graph, node.input(2));
  return bias != nullptr && bias->rank() == 1 && bias->dim(0) == host.channels;
}

bool is_finite(const Affine& affine) {
  const auto finite = [](double value) { return std::isfinite(value); };
  return std::all_of(affine.factor.begin(), affine.factor.end(), finite) &&
         std::all_of(affine.offset.begin(), affine.offset.end(), finite);
}

/// One number a channel where the constant broadcasts over everything else.
std::optional<std::vector<double>> per_channel(const Tensor& tensor, const Host& host) {
  const auto values = tensor.data<float>();
  if (tensor.rank() > host.rank) return std::nullopt;
  if (tensor.size() == 1) return std::vector<double>(static_cast<std::size_t>(host.channels), values[0]);
  const std::size_t from_end = host.rank - host.channel;
  if (tensor.rank() < from_end || tensor.dim(tensor.rank() - from_end) != host.channels) return std::nullopt;
  if (tensor.size() != host.channels) return std::nullopt;
  return std::vector<double>(values.begin(), values.end());
}

std::optional<Affine> affine_of_batchnorm(const Graph& graph, const Node& node, const Host& host) {
  if (node.int_or("training_mode", 0) != 0 || node.int_or("spatial", 1) != 1) return std::nullopt;
  for (std::size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.output(i) != kNoValue && (graph.use_count(node.output(i)) > 0)) return std::nullopt;
  }
  const auto channels = static_cast<std::size_t>(host.channels);
  std::vector<std::span<const float>> parameters;
  for (std::size_t i = 1; i <= 4; ++i) {
    const Tensor* tensor = f32_constant(graph, node.input(i));
    if (tensor == nullptr || static_cast<std::size_t>(tensor->size()) != channels) return std::nullopt;
    parameters.push_back(tensor->data<float>());
  }
  const double epsilon = node.float_or("epsilon", 1e-5F);
  Affine affine;
  for (std::size_t c = 0; c < channels; ++c) {
    const double factor = parameters[0][c] / std::sqrt(parameters[3][c] + epsilon);
    affine.factor.push_back(factor);
    affine.offset.push_back(parameters[1][c] - parameters[2][c] * factor);
  }
  return affine;
}

std::optional<Affine> affine_of_arithmetic(const Graph& graph, const Node& node, ValueId input, const Host& host) {
  const bool input_first = node.input(0) == input;
  const Tensor* tensor = f32_constant(graph, node.input(input_first ? 1 : 0));
  if (tensor == nullptr) return std::nullopt;
  const auto values = per_channel(*tensor, host);
  if (!values) return std::nullopt;
  const std::size_t channels = values->size();
  Affine affine{std::vector<double>(channels, 1.0), std::vector<double>(channels, 0.0)};
  for (std::size_t c = 0; c < channels; ++c) {
    const double value = (*values)[c];
    if (node.op_type == "Add") {
      affine.offset[c] = value;
    } else if (node.op_type == "Mul") {
      affine.factor[c] = value;
    } else if (node.op_type == "Sub") {
      affine.factor[c] = input_first ? 1.0 : -1.0;
      affine.offset[c] = input_first ? -value : value;
    } else if (node.op_type == "Div" && input_first && value != 0.0) {
      affine.factor[c] = 1.0 / value;
    } else {
      return std::nullopt;
    }
  }
  return affine;
}

std::optional<Affine> affine_of(const Graph& graph, const Node& node, ValueId input, const Host& host) {
  if (!node.domain.empty()) return std::nullopt;
  if (node.op_type == "BatchNormalization") {
    return node.input(0) == input ? affine_of_batchnorm(graph, node, host) : std::nullopt;
  }
  return affine_of_arithmetic(graph, node, input, host);
}

/// Output channel of the weight's element at flat index `i`.
std::size_t channel_of(const Node& node, const Tensor& weight, std::size_t i) {
  const auto dim = [&](std::size_t axis) { return static_cast<std::size_t>(weight.dim(axis)); };
  if (node.op_type == "Gemm") return node.int_or("transB", 0) != 0 ? i / dim(1) : i % dim(1);
  const std::size_t inner = static_cast<std::size_t>(weight.size()) / dim(0);
  if (node.op_type == "Conv") return i / inner;
  // ConvTranspose: [input channel, output channel within the group, kernel …]
  const std::size_t kernel = inner / dim(1);
  const std::size_t inputs_a_group = dim(0) / static_cast<std::size_t>(node.int_or("group", 1));
  return (i / inner) / inputs_a_group * dim(1) + (i / kernel) % dim(1);
}

ValueId add_folded(Graph& graph, const std::string& base, Tensor tensor) {
  return graph.add_constant(graph.unique_value_name(base + "_folded"), std::move(tensor));
}

void absorb(Graph& graph, NodeId id, const Host& host, const Affine& affine) {
  const Node node = graph.node(id);
  Tensor weight = *graph.constant(node.input(1));
  const auto weights = weight.mutable_data<float>();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<float>(weights[i] * affine.factor[channel_of(node, weight, i)]);
  }
  Tensor bias(DType::f32, {host.channels});
  const Tensor* before = graph.constant(node.input(2));
  const auto biases = bias.mutable_data<float>();
  for (std::size_t c = 0; c < biases.size(); ++c) {
    const double old = before == nullptr ? 0.0 : before->data<float>()[c];
    biases[c] = static_cast<float>(old * affine.factor[c] + affine.offset[c]);
  }
  const std::string weight_name = graph.value(node.input(1)).name;
  const std::string bias_name = before != nullptr ? graph.value(node.input(2)).name : weight_name + "_bias";
  graph.set_inputs_of(id, {node.input(0), add_folded(graph, weight_name, std::move(weight)),
                           add_folded(graph, bias_name, std::move(bias))});
}

}  // namespace

int fold_affine(Graph& graph) {
  int changes = 0;
  for (const NodeId id : graph.nodes()) {
    if (!graph.contains_node(id)) continue;  // folded into the one before
    const auto host = host_of(graph, graph.node(id));
    if (!host || !has_plain_bias(graph, graph.node(id), *host) || !has_single_reader(graph, id)) continue;
    const ValueId output = graph.node(id).output(0);
    const NodeId reader = graph.consumers(output).front();
    const auto affine = affine_of(graph, graph.node(reader), output, *host);
    if (!affine || !is_finite(*affine)) continue;
    absorb(graph, id, *host, *affine);
    const ValueId result = graph.node(reader).output(0);
    graph.remove_node(reader);
    graph.set_outputs_of(id, {result});
    ++changes;
  }
  return changes;
}

}  // namespace octavo::passes
