#include "tnn/graph_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "octavo/error.h"
#include "qdq.h"

namespace octavo::formats::tnn {
namespace {

/// TNN's integers are int8 around 0; uint8 around 128 are the same ones.
bool fits(const QParams& params) {
  if (params.storage != DType::i8 && params.storage != DType::u8) return false;
  const std::int32_t zero = params.storage == DType::i8 ? 0 : 128;
  const bool at_zero =
      std::all_of(params.zero_point.begin(), params.zero_point.end(), [&](auto z) { return z == zero; });
  return at_zero && !params.per_group() && (!params.per_channel() || params.axis == 1);
}

std::string reason_of(const QParams& params) {
  if (params.per_group() || (params.per_channel() && params.axis != 1)) {
    return "TNN has one scale for a blob, or one for each channel (dimension 1)";
  }
  return fmt::format("TNN rounds to int8 with the zero point 0, not to {} with {}: quantize with symmetric activations",
                     name_of(params.storage), params.zero_point.front());
}

/// Operators whose results the view computes where their inputs are constants.
constexpr std::array<std::string_view, 4> kFolded = {"Mul", "Reshape", "Identity", "Constant"};

/// a · b, where b has a's rank and broadcasts over it.
std::optional<Tensor> product(const Tensor& a, const Tensor& b) {
  if (a.rank() != b.rank()) return std::nullopt;
  std::vector<std::size_t> strides(a.rank(), 0);
  std::size_t stride = 1;
  for (std::size_t d = a.rank(); d-- > 0;) {
    if (b.dim(d) != 1 && b.dim(d) != a.dim(d)) return std::nullopt;
    if (b.dim(d) != 1) strides[d] = stride;
    stride *= static_cast<std::size_t>(b.dim(d));
  }
  Tensor result = a;
  const auto values = result.mutable_data<float>();
  const auto factors = b.data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::size_t rest = i;
    std::size_t at = 0;
    for (std::size_t d = a.rank(); d-- > 0;) {
      at += rest % static_cast<std::size_t>(a.dim(d)) * strides[d];
      rest /= static_cast<std::size_t>(a.dim(d));
    }
    values[i] *= factors[at];
  }
  return result;
}

}  // namespace

std::string plain_name(std::string_view name) {
  std::string plain(name);
  for (char& c : plain) {
    if (static_cast<unsigned char>(c) <= ' ' || c == ',' || c == ':' || c == '"' || c == '\'') c = '_';
  }
  return plain;
}

/// An open number of pictures is one: TNN takes the file's for a default.
void GraphView::close_batch() {
  bool closed = false;
  for (const ValueId id : graph_.inputs()) {
    auto& dims = graph_.value(id).dims;
    if (!dims || dims->empty() || dims->front().known()) continue;
    dims->front() = Dim{1, {}};
    closed = true;
  }
  if (!closed) return;
  for (const NodeId id : graph_.nodes()) {  // sizes that follow from it are inferred anew
    for (const ValueId output : graph_.node(id).outputs) {
      if (output != kNoValue) graph_.value(output).dims.reset();
    }
  }
}

GraphView::GraphView(const Graph& graph) : graph_(graph) {
  close_batch();
  infer_shapes(graph_);
  store_integers(graph_);
  find_pairs();
  find_constants();
  name_blobs();
}

void GraphView::find_pairs() {
  for (const NodeId id : graph_.nodes()) {
    const Node& node = graph_.node(id);
    if (is_standard(node, "QuantizeLinear")) {
      hidden_.insert(id);
      add_pair(id);
    }
  }
  for (const NodeId id : graph_.nodes()) {
    const Node& node = graph_.node(id);
    if (!is_standard(node, "DequantizeLinear")) continue;
    hidden_.insert(id);
    if (restored(node.output(0))) continue;
    const auto behind = dequantized(graph_, node.output(0));
    if (behind && graph_.constant(behind->integers) != nullptr) {
      computed_constants_.insert(node.output(0));
    } else if (graph_.producer(node.input(0)) == kNoNode || !hidden(graph_.producer(node.input(0)))) {
      refused_.push_back({id, "it reads integers that no QuantizeLinear computes: TNN's blobs are floats outside"});
    }
  }
}

void GraphView::add_pair(NodeId quantize) {
  const Node& node = graph_.node(quantize);
  const ValueId real = node.input(0);
  const auto params = linear_params(graph_, node);
  const auto refuse = [&](std::string reason) {
    auto& entry = refused_.emplace_back();
    entry.node = quantize;
    entry.reason = std::move(reason);
  };
  if (!params || !fits(*params)) refuse(params ? reason_of(*params) : "its scale and zero point are no constants");
  if (params) {
    const auto [entry, added] = scales_.try_emplace(real, *params);
    if (!added && !(entry->second == *params))
      refuse("the value is rounded in two ways, where a blob of TNN has one scale");
  }
  if (graph_.is_output(node.output(0))) refuse("the graph gives integers out, where TNN gives floats");
  for (const NodeId reader : graph_.consumers(node.output(0))) {
    const Node& dequantize = graph_.node(reader);
    if (!is_standard(dequantize, "DequantizeLinear")) {
      refuse(fmt::format("{} reads its integers themselves", describe(graph_, reader)));
    } else {
      sources_[dequantize.output(0)] = real;
      if (params && linear_params(graph_, dequantize) != params) {
        refuse("its DequantizeLinear has another scale or zero point");
      }
    }
  }
}

bool GraphView::constant_like(ValueId value) const {
  return value == kNoValue || graph_.value(value).is_constant() || computed_constants_.contains(value);
}

void GraphView::find_constants() {
  for (const NodeId id : graph_.nodes()) {
    const Node& node = graph_.node(id);
    if (std::find(kFolded.begin(), kFolded.end(), node.op_type) == kFolded.end() || !node.domain.empty()) continue;
    if (!std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return constant_like(v); })) continue;
    if (graph_.is_output(node.output(0))) continue;
    hidden_.insert(id);
    computed_constants_.insert(node.output(0));
  }
}

void GraphView::name_blobs() {
  std::set<std::string> taken;
  const auto name = [&](ValueId value, const std::string& wanted) {
    const std::string base = plain_name(wanted);
    std::string unique = base;
    for (int i = 1; !taken.insert(unique).second; ++i) unique = fmt::format("{}_{}", base, i);
    blobs_[value] = unique;
  };
  for (const ValueId id : graph_.inputs()) name(id, graph_.value(id).name);
  for (const ValueId id : graph_.outputs()) {
    if (!blobs_.contains(source(id))) name(source(id), graph_.value(id).name);
  }
  for (const ValueId id : graph_.values()) {
    if (!restored(id) && !graph_.value(id).is_constant() && !blobs_.contains(id)) name(id, graph_.value(id).name);
  }
}

ValueId GraphView::source(ValueId value) const {
  const auto found = sources_.find(value);
  return found == sources_.end() ? value : found->second;
}

const QParams* GraphView::scale(ValueId source) const {
  const auto found = scales_.find(source);
  return found == scales_.end() ? nullptr : &found->second;
}

bool GraphView::only_quantized(ValueId value) const {
  return scale(value) != nullptr && !graph_.is_output(value) &&
         quantizers_of(graph_, value).size() == graph_.consumers(value).size();
}

NodeId GraphView::only_reader(ValueId value) const {
  return graph_.use_count(value) == 1 && !graph_.is_output(value) ? graph_.consumers(value).front() : kNoNode;
}

std::optional<Tensor> GraphView::floats(ValueId value) const {
  if (value == kNoValue) return std::nullopt;
  if (const Tensor* constant = graph_.constant(value)) {
    return constant->dtype() == DType::f32 ? std::optional(*constant) : std::nullopt;
  }
  if (!computed_constants_.contains(value)) return std::nullopt;
  const Node& node = graph_.node(graph_.producer(value));
  if (node.op_type == "DequantizeLinear") {
    const auto behind = dequantized(graph_, value);
    return dequantized_constant(*graph_.constant(behind->integers), behind->params);
  }
  if (node.op_type == "Constant") {
    const Tensor* const tensor = node.tensor("value");
    return tensor != nullptr && tensor->dtype() == DType::f32 ? std::optional(*tensor) : std::nullopt;
  }
  auto first = floats(node.input(0));
  if (!first || node.op_type == "Identity") return first;
  if (node.op_type == "Reshape") {
    const auto shape = graph_.value(value).static_shape();
    return shape && element_count(*shape) == first->size() ? std::optional(first->reshaped(*shape)) : std::nullopt;
  }
  const auto second = floats(node.input(1));
  if (!second) return std::nullopt;
  auto result = product(*first, *second);
  return result ? result : product(*second, *first);
}

std::optional<std::vector<std::int64_t>> GraphView::integers(const Node& node, std::size_t input,
                                                             std::string_view attribute) const {
  if (node.has(attribute)) return node.ints_or(attribute, {});
  const Tensor* const tensor = graph_.constant(node.input(input));
  if (tensor == nullptr) return std::nullopt;
  if (tensor->dtype() == DType::i32) {
    const auto values = tensor->data<std::int32_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  if (tensor->dtype() != DType::i64) return std::nullopt;
  const auto values = tensor->data<std::int64_t>();
  return std::vector<std::int64_t>(values.begin(), values.end());
}

}  // namespace octavo::formats::tnn
