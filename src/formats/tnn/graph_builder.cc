#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "octavo/error.h"
#include "tnn/layer_reader.h"

namespace octavo::formats::tnn {
namespace {

constexpr std::int64_t kOpset = 13;

}  // namespace

GraphBuilder::GraphBuilder(std::vector<Resource> resources) : resources_(std::move(resources)) {
  graph_.opsets[""] = kOpset;
  graph_.producer_name = "TNN";
  for (std::size_t i = 0; i < resources_.size(); ++i) resource_by_name_[resources_[i].name] = i;
}

void GraphBuilder::add_input(const Input& input) {
  if (blobs_.contains(input.name)) {
    throw Error(ErrorCode::bad_model, fmt::format("there are two inputs '{}'", input.name));
  }
  if (input.dtype != 0) {
    throw Error(ErrorCode::unsupported,
                fmt::format("input '{}' is of TNN's type {}, where Octavo reads 0, float", input.name, input.dtype));
  }
  Dims dims;
  for (const std::int64_t size : input.dims) dims.emplace_back().size = size;
  const ValueId id = graph_.add_value(input.name, DType::f32, std::move(dims));
  blobs_[input.name].value = id;
  auto inputs = graph_.inputs();
  inputs.push_back(id);
  graph_.set_inputs(std::move(inputs));
}

GraphBuilder::Blob& GraphBuilder::find(const std::string& name) {
  const auto found = blobs_.find(name);
  if (found != blobs_.end()) return found->second;
  throw Error(ErrorCode::bad_model, fmt::format("nothing before it computes blob '{}'", name));
}

ValueId GraphBuilder::blob(const std::string& name, bool quantized) {
  Blob& blob = find(name);
  if (!quantized && !blob.integer) return blob.value;
  if (blob.restored == kNoValue) blob.restored = add_pair(blob.value, blob_scale(name));
  return blob.restored;
}

void GraphBuilder::set_blob(const std::string& name, ValueId value, bool quantized) {
  if (!graph_.find_value(name)) graph_.rename_value(value, name);
  Blob& blob = blobs_[name];
  blob.value = value;
  blob.restored = kNoValue;
  blob.integer = quantized;
}

const Resource* GraphBuilder::resource(const std::string& name) const {
  const auto found = resource_by_name_.find(name);
  return found == resource_by_name_.end() ? nullptr : &resources_[found->second];
}

BlobScale GraphBuilder::blob_scale(const std::string& blob) const {
  const Resource* const found = resource(blob + std::string(kBlobScaleSuffix));
  if (found == nullptr || found->type != kBlobScale) {
    throw Error(ErrorCode::bad_model, fmt::format("blob '{}' is read or computed in integers, but has no scale", blob));
  }
  const auto zero_points = found->buffers[0].data.data<std::int8_t>();
  const auto scales = found->buffers[1].data.data<float>();
  BlobScale result;
  result.zero_point.assign(zero_points.begin(), zero_points.end());
  for (const float scale : scales) {
    if (!(scale >= 0.0F) || scale > std::numeric_limits<float>::max()) {
      throw Error(ErrorCode::bad_model, fmt::format("blob '{}' has a scale of {}", blob, scale));
    }
    // TNN gives what is never above zero a scale of 0, and computes zeros with it.
    result.scale.push_back(scale > 0.0F ? scale : 1.0F);
  }
  if (result.scale.empty()) throw Error(ErrorCode::bad_model, fmt::format("blob '{}' has no scale", blob));
  return result;
}

std::string GraphBuilder::numbered(const std::string& base) {
  const std::size_t earlier = names_[base]++;
  return earlier == 0 ? base : fmt::format("{}_{}", base, earlier);
}

ValueId GraphBuilder::constant(const std::string& base, Tensor tensor) {
  return graph_.add_constant(graph_.unique_value_name(numbered(base + "_constant")), std::move(tensor));
}

/// By a graph of this node alone, so that the time a file takes does not grow with its square.
void GraphBuilder::infer(ValueId output, const Node& node) {
  Graph alone;
  alone.opsets = graph_.opsets;
  std::map<ValueId, ValueId> ids;
  std::vector<ValueId> inputs;
  Node copy = node;
  for (ValueId& id : copy.inputs) {
    if (id == kNoValue) continue;
    const auto [entry, added] = ids.try_emplace(id);
    if (added) {
      const Value& value = graph_.value(id);
      if (value.constant) {
        entry->second = alone.add_constant(value.name, *value.constant);
      } else {
        entry->second = alone.add_value(value.name, value.dtype, value.dims);
        inputs.push_back(entry->second);
      }
    }
    id = entry->second;
  }
  const ValueId result = alone.add_value(graph_.value(output).name);
  copy.outputs = {result};
  alone.set_inputs(std::move(inputs));
  alone.add_node(std::move(copy));
  alone.set_outputs({result});
  infer_shapes(alone);
  graph_.value(output).dtype = alone.value(result).dtype;
  graph_.value(output).dims = alone.value(result).dims;
}

ValueId GraphBuilder::add(const std::string& name, std::string_view op_type, std::vector<ValueId> inputs,
                          Attributes attributes) {
  Node node;
  node.name = graph_.unique_node_name(numbered(name));
  node.op_type = op_type;
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  const ValueId output = graph_.add_value(graph_.unique_value_name(numbered(name + "_value")));
  infer(output, node);
  node.outputs = {output};
  graph_.add_node(std::move(node));
  return output;
}

ValueId GraphBuilder::add_pair(ValueId value, const BlobScale& scale) {
  const std::string base = graph_.value(value).name;
  const Shape shape = scale.per_channel() ? Shape{static_cast<std::int64_t>(scale.scale.size())} : Shape{};
  const ValueId step = constant(base + "_scale", Tensor::from<float>(shape, std::span<const float>(scale.scale)));
  const ValueId zero =
      constant(base + "_zero_point", Tensor::from<std::int8_t>(shape, std::span<const std::int8_t>(scale.zero_point)));
  Attributes attributes;
  if (scale.per_channel()) attributes["axis"] = std::int64_t{1};
  const ValueId integers = add(base + "_QuantizeLinear", "QuantizeLinear", {value, step, zero}, attributes);
  return add(base + "_DequantizeLinear", "DequantizeLinear", {integers, step, zero}, attributes);
}

ValueId GraphBuilder::add_dequantized(const std::string& base, Tensor integers, const std::vector<float>& scale,
                                      std::int64_t axis) {
  const DType dtype = integers.dtype();
  const bool several = scale.size() > 1;
  const Shape shape = several ? Shape{static_cast<std::int64_t>(scale.size())} : Shape{};
  const ValueId stored = constant(base + "_quantized", std::move(integers));
  const ValueId step = constant(base + "_scale", Tensor::from<float>(shape, std::span<const float>(scale)));
  const ValueId zero = constant(base + "_zero_point", Tensor(dtype, shape));
  Attributes attributes;
  if (several) attributes["axis"] = axis;
  return add(base + "_DequantizeLinear", "DequantizeLinear", {stored, step, zero}, attributes);
}

Graph GraphBuilder::finish(const std::vector<std::string>& outputs) {
  std::vector<ValueId> ids;
  for (const std::string& name : outputs) {
    ValueId id = blob(name, /*quantized=*/false);
    if (graph_.is_input(id)) id = add(name + "_copy", "Identity", {id}, {});
    if (std::find(ids.begin(), ids.end(), id) != ids.end()) {
      throw Error(ErrorCode::bad_model, fmt::format("blob '{}' is an output twice", name));
    }
    ids.push_back(id);
  }
  // Outputs keep their blobs' names, under which callers know them.
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (graph_.value(ids[i]).name == outputs[i]) continue;
    if (const auto taken = graph_.find_value(outputs[i]); taken && !graph_.is_input(*taken)) {
      graph_.rename_value(*taken, graph_.unique_value_name(outputs[i] + "_float"));
    }
    if (!graph_.find_value(outputs[i])) graph_.rename_value(ids[i], outputs[i]);
  }
  graph_.set_outputs(std::move(ids));
  graph_.remove_dead();
  return std::move(graph_);
}

}  // namespace octavo::formats::tnn
