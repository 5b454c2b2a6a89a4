#include "layer_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>

#include "octavo/error.h"

namespace octavo::formats::ncnn {
namespace {

constexpr std::int64_t kOpset = 13;
constexpr std::int64_t kLargestSize = 1 << 24;
/// Sizes are inferred anew for each layer that hangs on them: a file must not ask without end.
constexpr int kMostShapeRequests = 64;
constexpr std::size_t kMostInputs = 1024;

/// Sizes of Input and MemoryData, outermost first; empty where the layer names none.
std::vector<std::int64_t> sizes_of(const Params& params) {
  std::vector<std::int64_t> sizes;
  for (const int id : {2, 11, 1, 0}) {
    const std::int64_t size = checked("a size", params.int_or(id, 0), 0, kLargestSize);
    if (size > 0) sizes.push_back(size);
  }
  return sizes;
}

/// What an input without sizes must be like for the first layer that reads it: channels of a convolution, elements of
/// a linear layer.
struct Wanted {
  int dims = 3;
  std::int64_t outermost = -1;
};

Wanted wanted_by(const Layer& layer) {
  const Params& params = layer.params;
  const std::int64_t outputs = std::max(params.int_or(0, 1), 1);
  if (layer.type == "InnerProduct") return {1, params.int_or(2, 0) / outputs};
  if (!layer.type.starts_with("Convolution") || layer.type.ends_with('D')) return {};
  const std::int64_t width = std::max(params.int_or(1, 1), 1);
  const std::int64_t height = std::max<std::int64_t>(params.int_or(11, static_cast<std::int32_t>(width)), 1);
  const std::int64_t groups = layer.type == "Convolution" ? 1 : std::max(params.int_or(7, 1), 1);
  return {3, params.int_or(6, 0) / outputs / width / height * groups};
}

Wanted wanted_of(std::span<const Layer> layers, std::string_view blob) {
  for (const Layer& layer : layers) {
    if (std::find(layer.bottoms.begin(), layer.bottoms.end(), blob) == layer.bottoms.end()) continue;
    if (layer.type == "Split" && !layer.tops.empty()) {
      blob = layer.tops.front();
      continue;
    }
    return wanted_by(layer);
  }
  return {};
}

/// Operators that stand around the one that a layer is for, which has the layer's name: that finds it in ncnn's tables.
bool stands_around(const Layer& layer, std::string_view op_type) {
  static constexpr std::array<std::string_view, 5> kHelpers{"DequantizeLinear", "Flatten", "QuantizeLinear", "Reshape",
                                                            "Transpose"};
  if (layer.type == op_type || layer.type == "Permute") return false;
  return std::find(kHelpers.begin(), kHelpers.end(), op_type) != kHelpers.end();
}

const ReadRule* rule_for(std::string_view type) {
  for (const auto rules : {convolution_readers(), one_dimension_readers(), pooling_readers(), elementwise_readers(),
                           normalization_readers(), layout_readers()}) {
    const auto rule = std::find_if(rules.begin(), rules.end(), [&](const ReadRule& r) { return r.type == type; });
    if (rule != rules.end()) return &*rule;
  }
  return nullptr;
}

}  // namespace

std::int64_t checked(std::string_view what, std::int64_t size, std::int64_t least, std::int64_t most) {
  if (size >= least && size <= most) return size;
  LayerReader::contradict(fmt::format("{} is {}, expected {} to {}", what, size, least, most));
}

LayerReader::LayerReader(std::span<const std::byte> weights) : bin_(weights) {
  graph_.opsets[""] = kOpset;
  graph_.ir_version = 8;
}

void LayerReader::refuse(const std::string& what) { throw Error(ErrorCode::unsupported, what); }
void LayerReader::contradict(const std::string& what) { throw Error(ErrorCode::bad_model, what); }

Graph LayerReader::read(std::span<const Layer> layers) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    try {
      read_layer(layers, i);
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("line {}: layer '{}' ({}): {}", layers[i].line, layers[i].name,
                                            layers[i].type, error.what()));
    }
  }
  if (bin_.rest() != 0) contradict(fmt::format("{} bytes of the file of weights belong to no layer", bin_.rest()));
  set_outputs(layers);
  infer_shapes(graph_);
  return std::move(graph_);
}

void LayerReader::read_layer(std::span<const Layer> layers, std::size_t i) {
  const Layer& layer = layers[i];
  for (const std::string& top : layer.tops) {
    if (blobs_.contains(top)) contradict(fmt::format("blob '{}' is written twice", top));
  }
  if (layer.type == "Input") return read_input(layers, i);
  if (layer.tops.empty()) contradict("it writes nothing");
  const ReadRule* rule = rule_for(layer.type);
  if (rule == nullptr) refuse("octavo does not read layers of this type");
  rule->read(*this, layer);
  for (const std::string& top : layer.tops) {
    if (!blobs_.contains(top)) {
      contradict(fmt::format("it says that it writes '{}', which layers of its type do not", top));
    }
  }
}

void LayerReader::read_input(std::span<const Layer> layers, std::size_t i) {
  const Layer& layer = layers[i];
  if (layer.tops.size() != 1 || !layer.bottoms.empty()) contradict("an input writes one blob and reads none");
  if (graph_.inputs().size() == kMostInputs) contradict(fmt::format("the model has more than {} inputs", kMostInputs));
  std::vector<std::int64_t> sizes = sizes_of(layer.params);
  ReadBlob blob;
  Dims dims{Dim{1, {}}};
  if (sizes.empty()) {
    static constexpr std::array<std::string_view, 3> kSymbols{"channels", "height", "width"};
    const Wanted wanted = wanted_of(layers.subspan(i + 1), layer.tops.front());
    for (int d = 0; d < wanted.dims; ++d) {
      Dim& dim = dims.emplace_back();
      dim.symbol = kSymbols.at(static_cast<std::size_t>(d));
    }
    if (wanted.outermost > 0) dims[1] = Dim{wanted.outermost, {}};
    blob.dims = wanted.dims;
    blob.outermost = wanted.outermost > 0 ? wanted.outermost : -1;
  } else {
    for (const std::int64_t size : sizes) dims.push_back(Dim{size, {}});
    blob.dims = static_cast<int>(sizes.size());
    blob.outermost = sizes.front();
  }
  blob.value = graph_.add_value(graph_.unique_value_name(layer.tops.front()), DType::f32, std::move(dims));
  std::vector<ValueId> inputs = graph_.inputs();
  inputs.push_back(blob.value);
  graph_.set_inputs(std::move(inputs));
  finish(layer, blob);
}

const ReadBlob& LayerReader::bottom(const Layer& layer, std::size_t i) const {
  if (i >= layer.bottoms.size()) contradict(fmt::format("it reads {} blobs, too few", layer.bottoms.size()));
  const auto found = blobs_.find(layer.bottoms[i]);
  if (found == blobs_.end()) contradict(fmt::format("blob '{}' is read before a layer writes it", layer.bottoms[i]));
  return found->second;
}

ValueId LayerReader::plain(const ReadBlob& blob) {
  if (!blob.pooled) return blob.value;
  Layer layer;
  layer.name = graph_.value(blob.value).name;
  return emit(layer, "Flatten", {blob.value}, {{"axis", std::int64_t{1}}});
}

void LayerReader::require_dims(const ReadBlob& blob, int least, int most) const {
  if (blob.dims >= least && blob.dims <= most) return;
  refuse(fmt::format("'{}' has {} dimensions, octavo reads the layer with {} to {}", graph_.value(blob.value).name,
                     blob.dims == 0 ? std::string("unknown") : std::to_string(blob.dims), least, most));
}

Shape LayerReader::shape_of(const ReadBlob& blob) {
  if (!graph_.value(blob.value).static_shape() && ++shape_requests_ <= kMostShapeRequests) infer_shapes(graph_);
  const auto shape = graph_.value(blob.value).static_shape();
  if (!shape || shape->empty()) refuse(fmt::format("the sizes of '{}' are not known", graph_.value(blob.value).name));
  if (blob.pooled) return {(*shape)[1]};
  return {shape->begin() + 1, shape->end()};
}

std::vector<ValueId> LayerReader::emit_several(const Layer& layer, std::string_view op_type,
                                               std::vector<ValueId> inputs, std::size_t outputs,
                                               Attributes attributes) {
  Node node;
  node.name =
      graph_.unique_node_name(stands_around(layer, op_type) ? fmt::format("{}_{}", layer.name, op_type) : layer.name);
  node.op_type = op_type;
  node.inputs = std::move(inputs);
  for (const auto& [name, value] : attributes) node.attributes[std::string(name)] = value;
  for (std::size_t i = 0; i < outputs; ++i) {
    node.outputs.push_back(
        graph_.add_value(graph_.unique_value_name(fmt::format("{}_{}", layer.name, op_type)), DType::f32));
  }
  std::vector<ValueId> results = node.outputs;
  graph_.add_node(std::move(node));
  return results;
}

ValueId LayerReader::emit(const Layer& layer, std::string_view op_type, std::vector<ValueId> inputs,
                          Attributes attributes) {
  return emit_several(layer, op_type, std::move(inputs), 1, attributes).front();
}

ValueId LayerReader::constant(const Layer& layer, std::string_view suffix, Tensor tensor) {
  return graph_.add_constant(graph_.unique_value_name(fmt::format("{}_{}", layer.name, suffix)), std::move(tensor));
}

ValueId LayerReader::ints(const Layer& layer, std::string_view suffix, const std::vector<std::int64_t>& values) {
  return constant(layer, suffix,
                  Tensor::from<std::int64_t>({static_cast<std::int64_t>(values.size())}, std::span(values)));
}

void LayerReader::finish(const Layer& layer, ReadBlob blob, std::size_t i) {
  if (i >= layer.tops.size()) contradict(fmt::format("it writes {} blobs, too few", layer.tops.size()));
  const std::string& top = layer.tops[i];
  if (named_.insert(blob.value).second && graph_.value(blob.value).name != top) {
    // A name that octavo gave makes way for the file's.
    if (const auto taken = graph_.find_value(top)) graph_.rename_value(*taken, graph_.unique_value_name(top));
    graph_.rename_value(blob.value, top);
  }
  blobs_[top] = blob;
}

void LayerReader::finish_like(const Layer& layer, const ReadBlob& input, ValueId value) {
  ReadBlob blob = input;
  blob.value = value;
  blob.integer = false;
  finish(layer, blob);
}

ValueId LayerReader::pair(const Layer& layer, ValueId value, float scale) {
  const auto known = pairs_.find({value, scale});
  if (known != pairs_.end()) return known->second;
  if (!(scale > 0.0F) || !std::isfinite(scale) || !std::isfinite(1.0F / scale)) {
    contradict(fmt::format("the scale {} of its integers is not above zero and finite", scale));
  }
  const ValueId step = constant(layer, "scale", Tensor::scalar(1.0F / scale));
  const ValueId zero = constant(layer, "zero_point", Tensor::scalar(std::int8_t{0}));
  const ValueId integers = emit(layer, "QuantizeLinear", {value, step, zero});
  graph_.value(integers).dtype = DType::i8;
  const ValueId restored = emit(layer, "DequantizeLinear", {integers, step, zero});
  pairs_[{value, scale}] = restored;
  return restored;
}

/// What no layer reads leaves the graph.
void LayerReader::set_outputs(std::span<const Layer> layers) {
  std::set<std::string_view> read;
  for (const Layer& layer : layers) read.insert(layer.bottoms.begin(), layer.bottoms.end());
  std::vector<ValueId> outputs;
  for (const Layer& layer : layers) {
    for (const std::string& top : layer.tops) {
      if (read.contains(top) || layer.type == "Split") continue;
      const ReadBlob& blob = blobs_.at(top);
      ValueId value = blob.value;
      if (blob.pooled) {
        value = plain(blob);
        graph_.rename_value(blob.value, graph_.unique_value_name(top + "_pooled"));
        graph_.rename_value(value, top);
      }
      if (graph_.value(value).is_constant()) continue;
      if (std::find(outputs.begin(), outputs.end(), value) == outputs.end()) outputs.push_back(value);
    }
  }
  if (outputs.empty() || graph_.inputs().empty()) contradict("the model has no input or no output");
  graph_.set_outputs(std::move(outputs));
}

}  // namespace octavo::formats::ncnn
