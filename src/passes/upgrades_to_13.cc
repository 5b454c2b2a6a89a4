#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "octavo/error.h"
#include "opset_upgrades.h"

namespace octavo::passes {
namespace {

/// A number of the type of the node's data.
ValueId add_number(Graph& graph, NodeId id, std::string_view input, float value) {
  const std::string name = graph.unique_value_name(base_name(graph, id, input));
  const DType dtype = graph.value(graph.node(id).input(0)).dtype;
  if (dtype == DType::f64) return graph.add_constant(name, Tensor::scalar(double{value}));
  if (dtype == DType::f32 || dtype == DType::undefined) return graph.add_constant(name, Tensor::scalar(value));
  throw Error(ErrorCode::unsupported, fmt::format("{}: cannot be converted for data of type {}; f32 and f64 can",
                                                  describe(graph, id), name_of(dtype)));
}

void clip_to_11(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  std::vector<ValueId> inputs{node.input(0), kNoValue, kNoValue};
  if (node.has("min")) inputs[1] = add_number(graph, id, "min", node.float_or("min", 0.0F));
  if (node.has("max")) inputs[2] = add_number(graph, id, "max", node.float_or("max", 0.0F));
  graph.set_inputs_of(id, std::move(inputs));
  erase_attribute(graph, id, "min");
  erase_attribute(graph, id, "max");
}

void pad_to_11(Graph& graph, NodeId id) {
  const float value = graph.node(id).float_or("value", 0.0F);
  list_to_input(graph, id, "pads", 1);
  erase_attribute(graph, id, "value");
  if (value == 0.0F) return;
  std::vector<ValueId> inputs = graph.node(id).inputs;
  inputs.resize(2, kNoValue);
  inputs.push_back(add_number(graph, id, "value", value));
  graph.set_inputs_of(id, std::move(inputs));
}

void slice_to_10(Graph& graph, NodeId id) {
  list_to_input(graph, id, "starts", 1);
  list_to_input(graph, id, "ends", 2);
  list_to_input(graph, id, "axes", 3);
}

void topk_to_10(Graph& graph, NodeId id) {
  const std::int64_t k = graph.node(id).int_or("k", 1);
  graph.set_inputs_of(id, {graph.node(id).input(0), add_integers(graph, base_name(graph, id, "k"), {k})});
  erase_attribute(graph, id, "k");
}

void axes_to_13(Graph& graph, NodeId id) { list_to_input(graph, id, "axes", 1); }
void split_to_13(Graph& graph, NodeId id) { list_to_input(graph, id, "split", 1); }

/// Whether all dimensions behind `axis` are 1, as far as is known.
bool is_last_but_ones(const std::optional<Dims>& dims, std::int64_t axis) {
  if (!dims) return false;
  const auto rank = static_cast<std::int64_t>(dims->size());
  const std::int64_t first = axis < 0 ? axis + rank : axis;
  if (first < 0 || first >= rank) return false;
  return std::all_of(dims->begin() + first + 1, dims->end(), [](const Dim& dim) { return dim.size == 1; });
}

/// Adds a node before `next`; its result is called after `base`.
ValueId add_step(Graph& graph, NodeId next, std::string op_type, std::vector<ValueId> inputs, const std::string& base) {
  const ValueId output = graph.add_value(graph.unique_value_name(base));
  Node node;
  node.op_type = std::move(op_type);
  node.inputs = std::move(inputs);
  node.outputs = {output};
  graph.add_node(std::move(node), next);
  return output;
}

/// Before 13, Softmax and its kin worked on the dimensions from `axis` (default 1) on as if they were one. Where
/// they are not, they become one: Flatten before it, Reshape behind.
void softmax_to_13(Graph& graph, NodeId id) {
  const std::int64_t axis = graph.node(id).int_or("axis", 1);
  const ValueId input = graph.node(id).input(0);
  const ValueId output = graph.node(id).output(0);
  if (is_last_but_ones(graph.value(input).dims, axis)) {
    graph.mutable_node(id).attributes["axis"] = axis;
    return;
  }
  const std::string base = graph.value(output).name;
  const ValueId flat = add_step(graph, id, "Flatten", {input}, base + "_flat");
  graph.mutable_node(graph.producer(flat)).attributes["axis"] = axis;
  graph.mutable_node(id).attributes["axis"] = std::int64_t{-1};
  const ValueId shape = add_step(graph, id, "Shape", {input}, base + "_shape");
  const ValueId scores = graph.add_value(graph.unique_value_name(base + "_rows"));
  graph.set_inputs_of(id, {flat});
  graph.set_outputs_of(id, {scores});
  Node reshape;
  reshape.op_type = "Reshape";
  reshape.inputs = {scores, shape};
  reshape.outputs = {output};
  graph.add_node(std::move(reshape));
}

/// The mask of opset 7 has the data's type, that of 12 is boolean.
void dropout_to_12(Graph& graph, NodeId id) {
  const ValueId mask = graph.node(id).output(1);
  if (mask != kNoValue && graph.use_count(mask) > 0 && graph.opset() < 10) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: its mask is used, which has another type from opset 10 on; export the model anew",
                            describe(graph, id)));
  }
  erase_attribute(graph, id, "ratio");
}

void scatter_to_11(Graph& graph, NodeId id) { graph.mutable_node(id).op_type = "ScatterElements"; }

void resize_to_13(Graph& graph, NodeId id) {
  if (graph.node(id).string_or("coordinate_transformation_mode", "") != "tf_half_pixel_for_nn") return;
  throw Error(ErrorCode::unsupported,
              fmt::format("{}: coordinate_transformation_mode 'tf_half_pixel_for_nn' is gone from opset 13 on; export "
                          "the model anew",
                          describe(graph, id)));
}

void batchnorm_to_9(Graph& graph, NodeId id) {
  if (graph.node(id).int_or("spatial", 1) == 1) return erase_attribute(graph, id, "spatial");
  throw Error(ErrorCode::unsupported,
              fmt::format("{}: spatial=0 has no counterpart after opset 8", describe(graph, id)));
}

/// Before 11, nearest neighbours were those to the left when enlarging and to the right when shrinking.
std::string nearest_mode_before_11(const Graph& graph, NodeId id, ValueId scales) {
  const Tensor* tensor = graph.constant(scales);
  if (graph.node(id).op_type == "Upsample" && tensor == nullptr) return "floor";
  if (tensor != nullptr && tensor->dtype() == DType::f32) {
    const auto values = tensor->data<float>();
    if (std::all_of(values.begin(), values.end(), [](float scale) { return scale >= 1.0F; })) return "floor";
    if (std::all_of(values.begin(), values.end(), [](float scale) { return scale <= 1.0F; })) return "ceil";
  }
  throw Error(ErrorCode::unsupported,
              fmt::format("{}: finds nearest neighbours by scales that are computed, or both above and below 1, which "
                          "opset 11 and later cannot say; export the model anew",
                          describe(graph, id)));
}

/// Upsample scales by an attribute (7) or an input (9), Resize of opset 10 by an input; both are asymmetric.
void upsample_to_11(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const std::string mode = node.string_or("mode", "nearest");
  ValueId scales = node.input(1);
  if (scales == kNoValue) {
    const auto values = node.floats_or("scales", {});
    scales = graph.add_constant(
        graph.unique_value_name(base_name(graph, id, "scales")),
        Tensor::from<float>({static_cast<std::int64_t>(values.size())}, std::span<const float>(values)));
  }
  const std::string nearest = mode == "nearest" ? nearest_mode_before_11(graph, id, scales) : "";
  const ValueId roi = graph.add_constant(graph.unique_value_name(base_name(graph, id, "roi")), Tensor(DType::f32, {0}));
  graph.set_inputs_of(id, {node.input(0), roi, scales});
  Node& changed = graph.mutable_node(id);
  changed.op_type = "Resize";
  changed.attributes.clear();
  changed.attributes["mode"] = std::string(mode == "bilinear" ? "linear" : mode);
  changed.attributes["coordinate_transformation_mode"] = std::string("asymmetric");
  if (mode == "nearest") changed.attributes["nearest_mode"] = nearest;
}

constexpr std::array kUpgrades{
    OpsetUpgrade{"BatchNormalization", 9, &batchnorm_to_9},
    OpsetUpgrade{"Slice", 10, &slice_to_10},
    OpsetUpgrade{"TopK", 10, &topk_to_10},
    OpsetUpgrade{"Resize", 11, &upsample_to_11},
    OpsetUpgrade{"Upsample", 11, &upsample_to_11},  // which makes a Resize of 11
    OpsetUpgrade{"Clip", 11, &clip_to_11},
    OpsetUpgrade{"Pad", 11, &pad_to_11},
    OpsetUpgrade{"Scatter", 11, &scatter_to_11},
    OpsetUpgrade{"Dropout", 12, &dropout_to_12},
    OpsetUpgrade{"Resize", 13, &resize_to_13},
    OpsetUpgrade{"Split", 13, &split_to_13},
    OpsetUpgrade{"Squeeze", 13, &axes_to_13},
    OpsetUpgrade{"Unsqueeze", 13, &axes_to_13},
    OpsetUpgrade{"ReduceSum", 13, &axes_to_13},
    OpsetUpgrade{"Softmax", 13, &softmax_to_13},
    OpsetUpgrade{"LogSoftmax", 13, &softmax_to_13},
    OpsetUpgrade{"Hardmax", 13, &softmax_to_13},
};

}  // namespace

std::span<const OpsetUpgrade> upgrades_to_13() { return kUpgrades; }

}  // namespace octavo::passes
