#include "channel_classes.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>

namespace octavo::passes {
namespace {

std::size_t index(ValueId id) { return static_cast<std::size_t>(id); }

bool is_f32(const Graph& graph, ValueId id) {
  const Tensor* tensor = graph.constant(id);
  return tensor != nullptr && tensor->dtype() == DType::f32;
}

/// Channels of all values together beyond which no more are followed: sizes come from files.
constexpr std::size_t kMostChannels = std::size_t{1} << 26;

std::size_t channel_count(const Value& value) {
  if (value.is_constant() || (value.dtype != DType::f32 && value.dtype != DType::undefined)) return 0;
  if (!value.dims || value.dims->size() < 2 || !(*value.dims)[1].known()) return 0;
  return static_cast<std::size_t>((*value.dims)[1].size);
}

std::optional<std::vector<std::int64_t>> integers(const Graph& graph, ValueId id) {
  const Tensor* tensor = graph.constant(id);
  if (tensor == nullptr || tensor->dtype() != DType::i64) return std::nullopt;
  const auto values = tensor->data<std::int64_t>();
  return std::vector<std::int64_t>(values.begin(), values.end());
}

/// Elements of the dimensions behind the channels, where all are known.
std::optional<std::size_t> spatial_size(const Value& value) {
  std::size_t size = 1;
  for (std::size_t i = 2; i < value.dims->size(); ++i) {
    if (!(*value.dims)[i].known()) return std::nullopt;
    size *= static_cast<std::size_t>((*value.dims)[i].size);
  }
  return size;
}

/// Whether the bias, where there is one, holds a number for each of the channels.
bool has_plain_bias(const Graph& graph, const Node& node, std::int64_t channels) {
  if (node.input(2) == kNoValue) return true;
  return is_f32(graph, node.input(2)) && graph.constant(node.input(2))->shape() == Shape{channels};
}

/// f(a·x) = a·f(x) for a > 0, channel by channel.
bool is_homogeneous(const Graph& graph, const Node& node) {
  static constexpr std::string_view kTypes[] = {"Relu",        "LeakyRelu",         "MaxPool",
                                                "AveragePool", "GlobalAveragePool", "GlobalMaxPool"};
  if (node.op_type == "PRelu") return graph.constant(node.input(1)) != nullptr;
  return std::find(std::begin(kTypes), std::end(kTypes), node.op_type) != std::end(kTypes);
}

}  // namespace

bool absorbs_factors(const Graph& graph, const Node& node) {
  if (!node.domain.empty()) return false;
  if (node.op_type == "BatchNormalization") {
    for (std::size_t i = 1; i <= 4; ++i) {
      if (!is_f32(graph, node.input(i))) return false;
    }
    return node.outputs.size() == 1 && node.int_or("spatial", 1) == 1 && node.int_or("training_mode", 0) == 0;
  }
  const bool weighted = node.op_type == "Conv" || node.op_type == "ConvTranspose" || node.op_type == "Gemm";
  if (!weighted || !is_f32(graph, node.input(1)) || node.int_or("transA", 0) != 0) return false;
  const Tensor& weight = *graph.constant(node.input(1));
  if (weight.rank() < 2 || weight.size() == 0) return false;
  if (node.op_type == "Gemm") return has_plain_bias(graph, node, weight.dim(node.int_or("transB", 0) != 0 ? 0 : 1));
  const std::int64_t groups = node.int_or("group", 1);
  if (groups < 1 || weight.dim(0) % groups != 0) return false;
  return has_plain_bias(graph, node, node.op_type == "Conv" ? weight.dim(0) : weight.dim(1) * groups);
}

ChannelClasses::ChannelClasses(const Graph& graph) : graph_(graph) {
  const auto values = graph.values();
  const std::size_t bound = values.empty() ? 0 : index(*std::max_element(values.begin(), values.end())) + 1;
  counts_.resize(bound);
  first_.resize(bound);
  std::size_t next = 0;
  for (const ValueId id : values) {
    const std::size_t count = channel_count(graph.value(id));
    counts_[index(id)] = count <= kMostChannels - next ? count : 0;
    first_[index(id)] = next;
    next += counts_[index(id)];
  }
  parent_.resize(next);
  std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  fixed_.resize(next);
  for (const ValueId id : values) {
    if (graph.is_input(id) || graph.is_output(id) || graph.is_captured(id)) fix(id);
  }
  for (const NodeId id : graph.nodes()) visit(graph.node(id));
  // A parent's index is the smaller one, so one pass from the front shortens every chain to one step.
  for (std::size_t& parent : parent_) parent = parent_[parent];
}

void ChannelClasses::visit(const Node& node) {
  if (absorbs_factors(graph_, node)) return;
  if (node.domain.empty() &&
      (tie_elementwise(node) || tie_concat(node) || tie_flatten(node) || tie_slice(node) || tie_pad(node))) {
    return;
  }
  for (const ValueId input : node.inputs) fix(input);
  for (const ValueId output : node.outputs) fix(output);
}

bool ChannelClasses::tie_elementwise(const Node& node) {
  if (is_homogeneous(graph_, node)) return node.outputs.size() == 1 && tie_all(node.input(0), node.output(0));
  if (node.op_type != "Add" && node.op_type != "Sub") return false;
  const auto& a = graph_.value(node.input(0));
  const auto& b = graph_.value(node.input(1));
  if (a.is_constant() || b.is_constant() || !a.dims || !b.dims || *a.dims != *b.dims) return false;
  return tie_all(node.input(0), node.output(0)) && tie_all(node.input(1), node.output(0));
}

bool ChannelClasses::tie_concat(const Node& node) {
  if (node.op_type != "Concat" || node.int_or("axis", 0) != 1) return false;
  std::size_t offset = 0;
  for (const ValueId input : node.inputs) {
    if (channels(input) == 0) return false;
    offset += channels(input);
  }
  if (offset != channels(node.output(0))) return false;
  offset = 0;
  for (const ValueId input : node.inputs) {
    for (std::size_t c = 0; c < channels(input); ++c) tie(input, c, node.output(0), c + offset);
    offset += channels(input);
  }
  return true;
}

/// [N, C, h, w] as [N, C·h·w].
bool ChannelClasses::tie_flatten(const Node& node) {
  const bool flattens = node.op_type == "Reshape" || (node.op_type == "Flatten" && node.int_or("axis", 1) == 1) ||
                        node.op_type == "Squeeze";
  if (!flattens || channels(node.input(0)) == 0) return false;
  const auto spatial = spatial_size(graph_.value(node.input(0)));
  const Value& output = graph_.value(node.output(0));
  if (!spatial || !output.dims || output.dims->size() != 2) return false;
  const std::size_t count = channels(node.input(0));
  if (channels(node.output(0)) != count * *spatial) return false;
  if ((*output.dims)[0] != (*graph_.value(node.input(0)).dims)[0]) return false;
  for (std::size_t i = 0; i < count * *spatial; ++i) tie(node.input(0), i / *spatial, node.output(0), i);
  return true;
}

bool ChannelClasses::tie_slice(const Node& node) {
  if (node.op_type != "Slice" || channels(node.input(0)) == 0 || channels(node.output(0)) == 0) return false;
  const auto starts = integers(graph_, node.input(1));
  const auto axes = integers(graph_, node.input(3));
  const auto steps = integers(graph_, node.input(4));
  if (!starts || !axes || (node.input(4) != kNoValue && !steps) || axes->size() != starts->size()) return false;
  if (steps && steps->size() != axes->size()) return false;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const bool of_channels = (*axes)[i] == 1;
    if ((*axes)[i] < 0 || (of_channels && steps && (*steps)[i] != 1)) return false;
    if (of_channels) offset = (*starts)[i];
  }
  const auto count = static_cast<std::int64_t>(channels(node.input(0)));
  if (offset < 0) offset += count;
  if (offset < 0 || offset > count || offset + static_cast<std::int64_t>(channels(node.output(0))) > count)
    return false;
  for (std::size_t c = 0; c < channels(node.output(0)); ++c) {
    tie(node.input(0), c + static_cast<std::size_t>(offset), node.output(0), c);
  }
  return true;
}

/// Channels that padding adds hold zeros: any factor suits them.
bool ChannelClasses::tie_pad(const Node& node) {
  if (node.op_type != "Pad" || node.string_or("mode", "constant") != "constant" || node.input(3) != kNoValue)
    return false;
  const auto pads = integers(graph_, node.input(1));
  const Tensor* fill = graph_.constant(node.input(2));
  const bool zero = node.input(2) == kNoValue || (fill != nullptr && fill->dtype() == DType::f32 && fill->size() == 1 &&
                                                  fill->data<float>()[0] == 0.0F);
  if (!pads || !zero || pads->size() < 4 || (*pads)[1] < 0 || (*pads)[pads->size() / 2 + 1] < 0) return false;
  const auto offset = static_cast<std::size_t>((*pads)[1]);
  if (channels(node.input(0)) == 0 || offset + channels(node.input(0)) > channels(node.output(0))) return false;
  for (std::size_t c = 0; c < channels(node.input(0)); ++c) tie(node.input(0), c, node.output(0), c + offset);
  return true;
}

bool ChannelClasses::tie_all(ValueId a, ValueId b) {
  if (a == kNoValue || b == kNoValue || channels(a) == 0 || channels(a) != channels(b)) return false;
  for (std::size_t c = 0; c < channels(a); ++c) tie(a, c, b, c);
  return true;
}

void ChannelClasses::tie(ValueId a, std::size_t channel_a, ValueId b, std::size_t channel_b) {
  const std::size_t first = class_of(a, channel_a);
  const std::size_t second = class_of(b, channel_b);
  fixed_[first] = fixed_[second] = fixed_[first] || fixed_[second];
  parent_[std::max(first, second)] = std::min(first, second);
}

std::size_t ChannelClasses::class_of(ValueId id, std::size_t channel) const {
  std::size_t klass = first_[index(id)] + channel;
  while (parent_[klass] != klass) klass = parent_[klass];
  return klass;
}

void ChannelClasses::fix(ValueId id) {
  if (id == kNoValue) return;
  for (std::size_t c = 0; c < channels(id); ++c) fixed_[class_of(id, c)] = true;
}

}  // namespace octavo::passes
