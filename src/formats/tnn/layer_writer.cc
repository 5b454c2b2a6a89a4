#include "tnn/layer_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "octavo/error.h"

namespace octavo::formats::tnn {
namespace {

/// Zero points, scales and a bias of zeros that nobody reads, as TNN's packer writes them.
Resource blob_scale(const std::string& blob, const QParams& params) {
  const auto count = static_cast<std::int64_t>(params.scale.size());
  Resource resource;
  resource.type = kBlobScale;
  resource.name = blob + std::string(kBlobScaleSuffix);
  resource.buffers.resize(3);
  resource.buffers[0].data = Tensor(DType::i8, {count});
  resource.buffers[1].data = Tensor::from<float>({count}, std::span<const float>(params.scale));
  resource.buffers[2].data = Tensor(DType::i32, {count});
  return resource;
}

bool is_activation(const Node& node) {
  return node.domain.empty() && (node.op_type == "Relu" || node.op_type == "Clip");
}

}  // namespace

std::string text_of(float number) { return fmt::format("{}", number); }

std::vector<std::string> texts_of(const std::vector<std::int64_t>& numbers) {
  std::vector<std::string> texts;
  for (const std::int64_t number : numbers) texts.push_back(fmt::format("{}", number));
  return texts;
}

// --- the model -----------------------------------------------------------------------------------------------------

ModelWriter::ModelWriter(const Graph& graph, Version version) : view_(graph) {
  proto_.version = version;
  write_inputs();
}

void ModelWriter::write_inputs() {
  const Graph& graph = view_.graph();
  for (const ValueId id : graph.inputs()) {
    const Value& value = graph.value(id);
    const auto shape = value.static_shape();
    if (!shape || shape->empty()) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("input '{}' has an open dimension beside its batch, where a file of TNN holds the sizes "
                              "of its inputs: give them with --input-shape",
                              value.name));
    }
    if (value.dtype != DType::f32) {
      throw Error(ErrorCode::unsupported, fmt::format("input '{}' is {}, where TNN's integer models read f32",
                                                      value.name, name_of(value.dtype)));
    }
    auto& input = proto_.inputs.emplace_back();
    input.name = view_.blob(id);
    input.dims = *shape;
  }
  for (const ValueId id : graph.outputs()) proto_.outputs.push_back(view_.blob(view_.source(id)));
}

void ModelWriter::write_node(NodeId id) {
  LayerWriter out(*this, id);
  write_layer(out);
}

std::vector<UnsupportedNode> ModelWriter::write_layers() {
  std::vector<UnsupportedNode> refused = view_.refused();
  for (const NodeId id : view_.graph().nodes()) {
    if (view_.hidden(id) || fused_.contains(id)) continue;
    try {
      write_node(id);
    } catch (const Refusal& refusal) {
      auto& entry = refused.emplace_back();
      entry.node = id;
      entry.reason = refusal.reason;
    }
  }
  if (refused.empty()) check_outputs(refused);
  return refused;
}

/// What the graph gives out, TNN must compute as the graph says: rounded or not.
void ModelWriter::check_outputs(std::vector<UnsupportedNode>& refused) const {
  const Graph& graph = view_.graph();
  for (const ValueId id : graph.outputs()) {
    const ValueId source = view_.source(id);
    const bool rounded = view_.restored(id);
    if (graph.is_input(source) || graph.value(source).is_constant()) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("output '{}' is an input or a constant, which no layer computes", graph.value(id).name));
    }
    if (rounded == integer_.contains(source)) continue;
    auto& entry = refused.emplace_back();
    entry.node = graph.producer(source);
    entry.reason = rounded ? "the graph rounds what it gives out, but TNN computes it in float"
                           : "the graph gives out what TNN computes in integers";
  }
}

std::vector<Resource> ModelWriter::resources() const {
  std::vector<Resource> all;
  std::set<std::string, std::less<>> written;
  const auto add_scales = [&](const std::vector<std::string>& blobs) {
    for (const std::string& blob : blobs) {
      const auto found = scales_.find(blob);
      if (found != scales_.end() && written.insert(blob).second) all.push_back(found->second);
    }
  };
  for (const Layer& layer : proto_.layers) {
    if (layer.quantized) add_scales(layer.inputs);
    if (const auto found = by_layer_.find(layer.name); found != by_layer_.end()) all.push_back(found->second);
    if (layer.quantized) add_scales(layer.outputs);
  }
  return all;
}

// --- one node ------------------------------------------------------------------------------------------------------

Shape LayerWriter::shape(ValueId value) const {
  if (auto shape = graph().value(value).static_shape()) return *std::move(shape);
  refuse(fmt::format("the shape of '{}' is not known, where a file of TNN needs it", graph().value(value).name));
}

Tensor LayerWriter::floats(ValueId value, const char* what) const {
  if (auto tensor = view().floats(value)) return *std::move(tensor);
  refuse(fmt::format("{} is no float constant", what));
}

std::vector<std::int64_t> LayerWriter::integers(std::size_t input, std::string_view attribute, const char* what) const {
  if (auto values = view().integers(node(), input, attribute)) return *std::move(values);
  refuse(fmt::format("{} are no constants", what));
}

std::int64_t LayerWriter::axis(std::int64_t axis, std::size_t rank) const {
  const auto dims = static_cast<std::int64_t>(rank);
  const std::int64_t from_front = axis < 0 ? axis + dims : axis;
  if (from_front < 0 || from_front > dims) refuse(fmt::format("axis {} of {} dimensions", axis, rank));
  return from_front;
}

bool LayerWriter::reads_integers(const std::vector<ValueId>& values) const {
  return !values.empty() && std::all_of(values.begin(), values.end(), [&](ValueId v) { return view().restored(v); });
}

std::optional<IntegerEnd> LayerWriter::integer_end(ValueId output) const {
  if (view().only_quantized(output)) return IntegerEnd{output, kNoNode};
  const NodeId reader = view().only_reader(output);
  if (reader == kNoNode || !is_activation(graph().node(reader)) || graph().node(reader).input(0) != output) {
    return std::nullopt;
  }
  const ValueId activated = graph().node(reader).output(0);
  return view().only_quantized(activated) ? std::optional(IntegerEnd{activated, reader}) : std::nullopt;
}

std::string LayerWriter::layer_name(std::string_view suffix) {
  const std::string own = node().name.empty() ? graph().value(output()).name : node().name;
  const std::string base = plain_name(own) + std::string(suffix);
  std::string unique = base;
  for (int i = 1; !model_.layer_names_.insert(unique).second; ++i) unique = fmt::format("{}_{}", base, i);
  return unique;
}

std::string LayerWriter::add_float(std::string_view type, const std::vector<std::string>& inputs,
                                   std::vector<std::string> params, ValueId output, std::optional<Resource> resource,
                                   std::string_view suffix) {
  Layer& layer = model_.proto_.layers.emplace_back();
  layer.type = type;
  layer.name = layer_name(suffix);
  layer.inputs = inputs;
  layer.outputs = {output == kNoValue ? layer.name : view().blob(output)};
  layer.params = std::move(params);
  if (resource) {
    resource->type = type;
    resource->name = layer.name;
    model_.by_layer_[layer.name] = *std::move(resource);
  }
  return layer.outputs.front();
}

void LayerWriter::add(std::string_view type, const std::vector<ValueId>& inputs, std::vector<std::string> params,
                      std::optional<Resource> resource) {
  std::vector<std::string> blobs;
  for (const ValueId input : inputs) blobs.push_back(float_blob(input));
  add_float(type, blobs, std::move(params), output(), std::move(resource));
}

void LayerWriter::add_integer(std::string_view type, const std::vector<std::string>& inputs,
                              std::vector<std::string> params, const IntegerEnd& end,
                              std::optional<Resource> resource) {
  const QParams& scale = *view().scale(end.value);
  const bool fused = end.activation != kNoNode && model_.fused_.contains(end.activation);
  const ValueId computed = end.activation == kNoNode || fused ? end.value : output();
  add_float(type, inputs, std::move(params), computed, std::move(resource));
  model_.proto_.layers.back().quantized = true;
  set_scale(view().blob(computed), scale);
  model_.integer_.insert(computed);
  if (computed != end.value) model_.before_activation_.insert(computed);
}

std::string LayerWriter::float_blob(ValueId value) const {
  const ValueId source = view().source(value);
  if (view().floats(value) || graph().value(source).is_constant()) {
    refuse(fmt::format("it reads the constant '{}', which TNN's layer cannot hold", graph().value(value).name));
  }
  const bool integer = model_.integer_.contains(source);
  if (view().restored(value) && !integer) {
    const NodeId producer = graph().producer(source);
    refuse(fmt::format("it runs in float in TNN and reads '{}' rounded, which TNN rounds for integer layers alone{}",
                       graph().value(source).name,
                       producer == kNoNode ? ""
                                           : fmt::format(": quantize the float model with {} skipped (--skip)",
                                                         describe(graph(), producer))));
  }
  if (!view().restored(value) && integer && !reads_before_activation(source)) {
    refuse(fmt::format("it reads '{}' not rounded, which TNN computes in integers", graph().value(source).name));
  }
  return view().blob(source);
}

std::string LayerWriter::integer_blob(ValueId value) {
  const ValueId source = view().source(value);
  if (graph().value(source).is_constant()) {
    refuse(fmt::format("it reads the constant '{}', which TNN's layer cannot hold", graph().value(source).name));
  }
  const std::string& blob = view().blob(source);
  if (const QParams* scale = view().scale(source)) set_scale(blob, *scale);
  return blob;
}

void LayerWriter::set_scale(const std::string& blob, const QParams& params) {
  model_.scales_.try_emplace(blob, blob_scale(blob, params));
}

}  // namespace octavo::formats::tnn
