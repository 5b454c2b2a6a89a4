#include "layer_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "param_text.h"

namespace octavo::formats::ncnn {
namespace {

constexpr int kShapeHints = 30;
constexpr std::size_t kMostDims = 4;

/// A blob's dimensions as ncnn counts them, w first: parameter ids of Input, MemoryData and Reshape.
constexpr std::array<std::array<int, kMostDims>, kMostDims> kSizeIds{{{0}, {0, 1}, {0, 1, 2}, {0, 1, 11, 2}}};

void set_sizes(Params& params, const Shape& shape) {
  const auto& ids = kSizeIds.at(shape.size() - 1);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    params.set(ids.at(i), static_cast<std::int32_t>(shape[shape.size() - 1 - i]));
  }
}

/// Number of dimensions and then w, h, c, as all runtimes read them: a blob of four dimensions has no hint.
std::vector<std::int32_t> shape_hint(const Shape& shape) {
  std::vector<std::int32_t> hint{static_cast<std::int32_t>(shape.size())};
  for (auto size = shape.rbegin(); size != shape.rend(); ++size) hint.push_back(static_cast<std::int32_t>(*size));
  hint.resize(4, 1);
  return hint;
}

/// One blob has one reader: each gets a copy's name.
std::vector<Layer> with_splits(std::vector<Layer> layers, Names& layer_names, Names& blob_names) {
  std::map<std::string, std::vector<std::string*>, std::less<>> readers;
  for (Layer& layer : layers) {
    for (std::string& blob : layer.bottoms) readers[blob].push_back(&blob);
  }
  std::vector<Layer> result;
  int splits = 0;
  for (Layer& layer : layers) {
    result.push_back(std::move(layer));  // its names stay where they are
    const std::vector<std::string> tops = result.back().tops;
    for (const std::string& blob : tops) {
      const std::vector<std::string*>& places = readers[blob];
      if (places.size() <= 1) continue;
      Layer& split = result.emplace_back();
      split.type = "Split";
      split.name = layer_names.unique(fmt::format("splitncnn_{}", splits++));
      split.bottoms = {blob};
      for (std::size_t i = 0; i < places.size(); ++i) {
        split.tops.push_back(blob_names.unique(fmt::format("{}_splitncnn_{}", blob, i)));
        *places[i] = split.tops.back();
      }
    }
  }
  return result;
}

/// Where the dimension `batch` of what the node reads is in what it computes, [dims]; operators that only give other
/// dimensions to the same elements may take any of one element.
std::size_t batch_behind(const Graph& graph, const Node& node, std::size_t batch, const Dims& dims) {
  const auto is_one = [&](std::size_t i) { return i < dims.size() && dims[i].size == 1; };
  const auto& from = graph.value(node.input(0)).dims;
  if (node.op_type == "Transpose" && from && batch < dims.size()) {
    const auto order = node.ints_or("perm", {});
    const auto found = std::find(order.begin(), order.end(), static_cast<std::int64_t>(batch));
    return order.empty() ? dims.size() - 1 - batch : static_cast<std::size_t>(found - order.begin());
  }
  const bool reshapes = node.op_type == "Reshape" || node.op_type == "Squeeze" || node.op_type == "Unsqueeze" ||
                        node.op_type == "Flatten";
  if (!reshapes && from && from->size() == dims.size() && (batch == kNoBatch || is_one(batch))) return batch;
  if (dims.empty() || !dims.front().known() || is_one(0)) return 0;
  const auto one = std::find_if(dims.begin(), dims.end(), [](const Dim& dim) { return dim.size == 1; });
  return one == dims.end() ? kNoBatch : static_cast<std::size_t>(one - dims.begin());
}

}  // namespace

std::string Names::unique(std::string_view wanted) {
  constexpr std::size_t kRoom = 24;  // for numbers and what Split adds
  std::string base(wanted.substr(0, kLongestName - kRoom));
  for (char& c : base) {
    if (static_cast<unsigned char>(c) <= ' ') c = '_';
  }
  if (base.empty()) base = "unnamed";
  std::string name = base;
  for (int& next = next_[base]; !taken_.insert(name).second;) name = fmt::format("{}_{}", base, ++next);
  return name;
}

LayerWriter::LayerWriter(const Graph& graph, const std::map<NodeId, IntegerLayer>& integers)
    : graph_(graph), integers_(integers) {
  find_batches();
}

void LayerWriter::find_batches() {
  for (const NodeId id : graph_.nodes()) {
    const Node& node = graph_.node(id);
    const auto reads = std::find_if(node.inputs.begin(), node.inputs.end(), [&](ValueId value) {
      return value != kNoValue && !graph_.value(value).is_constant();
    });
    if (reads == node.inputs.end()) continue;
    Node seen = node;
    seen.inputs.front() = *reads;
    for (const ValueId output : node.outputs) {
      if (output == kNoValue || !graph_.value(output).dims) continue;
      const std::size_t batch = batch_behind(graph_, seen, batch_of(*reads), *graph_.value(output).dims);
      if (batch != 0) batches_[output] = batch;
    }
  }
}

std::size_t LayerWriter::batch_of(ValueId value) const {
  const auto found = batches_.find(value);
  return found == batches_.end() ? 0 : found->second;
}

Shape LayerWriter::without_batch(ValueId value, const Shape& shape) const {
  Shape result = shape;
  const std::size_t batch = batch_of(value);
  if (batch < result.size()) result.erase(result.begin() + static_cast<std::ptrdiff_t>(batch));
  return result;
}

std::string LayerWriter::name_of_value(ValueId value) {
  std::string& name = blobs_[value];
  if (!name.empty()) return name;
  name = blob_names_.unique(graph_.value(value).name);
  const auto shape = graph_.value(value).static_shape();
  if (!shape) return name;
  Shape sizes = without_batch(value, *shape);
  if (!sizes.empty() && sizes.size() <= kMostDims) shapes_[name] = std::move(sizes);
  return name;
}

std::string LayerWriter::blob(ValueId value) {
  if (graph_.value(value).is_constant()) return constant_blob(value, blob_rank(value));
  return name_of_value(value);
}

std::string LayerWriter::constant_blob(ValueId value, std::size_t rank, std::size_t batch) {
  const Tensor* tensor = graph_.constant(value);
  if (tensor == nullptr || tensor->dtype() != DType::f32 || tensor->size() == 0) {
    throw NoLayer{fmt::format("the constant '{}' is not of f32", graph_.value(value).name)};
  }
  Shape shape = tensor->shape();
  // Dimensions are aligned at their ends; that of the batch is one from there.
  const std::size_t behind = batch == kNoBatch ? kNoBatch : rank - std::min(batch, rank);
  if (behind < shape.size()) {
    const auto place = shape.end() - static_cast<std::ptrdiff_t>(behind) - 1;
    if (*place != 1) throw NoLayer{fmt::format("the constant '{}' differs along the batch", graph_.value(value).name)};
    shape.erase(place);
  }
  while (shape.size() > rank && shape.front() == 1) shape.erase(shape.begin());
  if (shape.size() > rank || rank < 1 || rank > kMostDims) {
    throw NoLayer{fmt::format("the constant '{}' has more dimensions than what it meets", graph_.value(value).name)};
  }
  shape.insert(shape.begin(), rank - shape.size(), 1);
  Layer& layer = layers_.emplace_back();
  layer.type = "MemoryData";
  layer.name = layer_names_.unique(graph_.value(value).name);
  layer.tops = {blob_names_.unique(graph_.value(value).name)};
  set_sizes(layer.params, shape);
  layer.weights.push_back({Blob::Kind::plain, *tensor});
  return layer.tops.front();
}

Shape LayerWriter::blob_shape(ValueId value) const {
  blob_rank(value);
  const auto shape = graph_.value(value).static_shape();
  if (!shape) throw NoLayer{fmt::format("the sizes of '{}' are not all known", graph_.value(value).name)};
  return without_batch(value, *shape);
}

std::size_t LayerWriter::blob_rank(ValueId value) const {
  const Value& info = graph_.value(value);
  if (!info.dims) throw NoLayer{fmt::format("the number of dimensions of '{}' is not known", info.name)};
  const std::size_t batch = batch_of(value);
  const std::size_t all = info.dims->size();
  const std::size_t rank = batch == kNoBatch ? all : all - std::min<std::size_t>(all, 1);
  if (rank < 1 || rank > kMostDims) {
    throw NoLayer{
        fmt::format("'{}' has {} dimensions, ncnn takes a batch of 1 and one to four behind it", info.name, all)};
  }
  if (batch == kNoBatch) return rank;
  const Dim& samples = (*info.dims)[batch];
  if (samples.known() && samples.size != 1) {
    throw NoLayer{
        fmt::format("'{}' has {} as its first dimension, ncnn runs one sample at a time", info.name, samples.size)};
  }
  return rank;
}

int LayerWriter::blob_axis(ValueId value, std::int64_t axis) const {
  const std::size_t batch = batch_of(value);
  const auto rank = static_cast<std::int64_t>(blob_rank(value)) + (batch == kNoBatch ? 0 : 1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank || static_cast<std::size_t>(axis) == batch) {
    throw NoLayer{"it works along the batch, which ncnn has not"};
  }
  return static_cast<int>(static_cast<std::size_t>(axis) < batch ? axis : axis - 1);
}

const Tensor* LayerWriter::optional_constant(NodeId id, std::size_t input) const {
  return node(id).input(input) == kNoValue ? nullptr : &constant(id, input);
}

const Tensor& LayerWriter::constant(NodeId id, std::size_t input) const {
  const Tensor* tensor = graph_.constant(node(id).input(input));
  if (tensor == nullptr || tensor->dtype() != DType::f32) {
    throw NoLayer{fmt::format("its input {} is no constant of f32, which ncnn's layer needs", input)};
  }
  return *tensor;
}

std::vector<std::int64_t> LayerWriter::ints(NodeId id, std::size_t input, std::string_view attribute) const {
  const ValueId value = node(id).input(input);
  if (value == kNoValue) return node(id).ints_or(attribute, {});
  const Tensor* tensor = graph_.constant(value);
  if (tensor != nullptr && tensor->dtype() == DType::i64) {
    return {tensor->data<std::int64_t>().begin(), tensor->data<std::int64_t>().end()};
  }
  if (tensor != nullptr && tensor->dtype() == DType::i32) {
    return {tensor->data<std::int32_t>().begin(), tensor->data<std::int32_t>().end()};
  }
  throw NoLayer{fmt::format("its input {} ({}) is no constant", input, attribute)};
}

Layer& LayerWriter::add(std::string_view type, NodeId id) {
  const std::array inputs{node(id).input(0)};
  const std::array outputs{node(id).output(0)};
  return add(type, id, inputs, outputs);
}

Layer& LayerWriter::add(std::string_view type, NodeId id, std::span<const ValueId> inputs,
                        std::span<const ValueId> outputs) {
  Layer layer;
  layer.type = type;
  for (const ValueId input : inputs) layer.bottoms.push_back(blob(input));
  layer.name = layer_names_.unique(node(id).name.empty() ? graph_.value(node(id).output(0)).name : node(id).name);
  for (const ValueId output : outputs) layer.tops.push_back(name_of_value(output));
  return layers_.emplace_back(std::move(layer));
}

std::string LayerWriter::add_before(Layer layer, NodeId id, std::vector<std::string> bottoms) {
  const std::string& base = graph_.value(node(id).output(0)).name;
  layer.name = layer_names_.unique(fmt::format("{}_{}", base, layer.type));
  layer.bottoms = std::move(bottoms);
  layer.tops = {blob_names_.unique(layer.name)};
  return layers_.emplace_back(std::move(layer)).tops.front();
}

std::string LayerWriter::rename_top(Layer& layer) {
  layer.tops = {blob_names_.unique(fmt::format("{}_{}", layer.name, layer.type))};
  return layer.tops.front();
}

void LayerWriter::add_behind(Layer layer, NodeId id, const std::string& between, const std::string& result) {
  const std::string& base = graph_.value(node(id).output(0)).name;
  layer.name = layer_names_.unique(fmt::format("{}_{}", base, layer.type));
  layer.bottoms = {between};
  layer.tops = {result};
  layers_.push_back(std::move(layer));
}

const IntegerLayer* LayerWriter::integer(NodeId id) const {
  const auto found = integers_.find(id);
  return found == integers_.end() ? nullptr : &found->second;
}

float LayerWriter::common_scale(ValueId value) const {
  if (graph_.is_output(value)) return 0.0F;
  float scale = 0.0F;
  for (const NodeId reader : graph_.consumers(value)) {
    const IntegerLayer* layer = integer(reader);
    if (layer == nullptr || node(reader).op_type != "Conv") return 0.0F;
    if (scale != 0.0F && layer->input_scale != scale) return 0.0F;
    scale = layer->input_scale;
  }
  return scale;
}

NodeId LayerWriter::fusable_reader(NodeId id) const {
  const ValueId output = node(id).output(0);
  if (graph_.use_count(output) != 1 || graph_.is_output(output)) return kNoNode;
  const NodeId reader = graph_.consumers(output).front();
  const bool reads_first = node(reader).input(0) == output;
  return reads_first && activation_of(graph_, node(reader)).type != 0 ? reader : kNoNode;
}

ValueId LayerWriter::result_of(NodeId id) const {
  const NodeId reader = fusable_reader(id);
  return node(reader == kNoNode ? id : reader).output(0);
}

void LayerWriter::fuse_activation(NodeId id, Layer& layer) {
  const NodeId reader = fusable_reader(id);
  if (reader == kNoNode) return;
  const Activation activation = activation_of(graph_, node(reader));
  layer.params.set(9, static_cast<std::int32_t>(activation.type));
  if (!activation.params.empty()) layer.params.set(10, activation.params);
  layer.tops = {name_of_value(node(reader).output(0))};
  fused_.insert(reader);
}

void LayerWriter::write_inputs() {
  for (const ValueId input : graph_.inputs()) {
    Layer& layer = layers_.emplace_back();
    layer.type = "Input";
    layer.tops = {name_of_value(input)};
    layer.name = layer_names_.unique(graph_.value(input).name);
    if (const auto shape = shapes_.find(layer.tops.front()); shape != shapes_.end()) {
      set_sizes(layer.params, shape->second);
    }
  }
}

void LayerWriter::require_blobs(NodeId id) const {
  std::vector<ValueId> values = node(id).outputs;
  values.insert(values.end(), node(id).inputs.begin(), node(id).inputs.end());
  for (const ValueId value : values) {
    if (value != kNoValue && !graph_.value(value).is_constant()) blob_rank(value);
  }
}

void LayerWriter::write(NodeId id) {
  if (fused_.contains(id)) return;
  const std::string& type = node(id).op_type;
  if (node(id).domain.empty()) {
    for (const auto rules :
         {convolution_rules(), pooling_rules(), elementwise_rules(), normalization_rules(), layout_rules()}) {
      for (const WriteRule& rule : rules) {
        if (rule.op_type != type) continue;
        require_blobs(id);
        rule.write(*this, id);
        return;
      }
    }
  }
  throw NoLayer{fmt::format("octavo knows no layer of ncnn for {}{}{}", node(id).domain,
                            node(id).domain.empty() ? "" : "::", type)};
}

std::vector<Layer> LayerWriter::finish() {
  std::vector<Layer> layers = with_splits(std::move(layers_), layer_names_, blob_names_);
  for (Layer& layer : layers) {
    std::vector<std::int32_t> hints;
    for (const std::string& blob : layer.tops) {
      const auto shape = shapes_.find(layer.type == "Split" ? layer.bottoms.front() : blob);
      if (shape == shapes_.end() || shape->second.size() == kMostDims) continue;
      const auto hint = shape_hint(shape->second);
      hints.insert(hints.end(), hint.begin(), hint.end());
    }
    if (!hints.empty() && hints.size() == 4 * layer.tops.size()) layer.params.set(kShapeHints, std::move(hints));
  }
  return layers;
}

}  // namespace octavo::formats::ncnn
