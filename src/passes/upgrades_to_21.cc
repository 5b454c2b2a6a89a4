#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "octavo/error.h"
#include "opset_upgrades.h"

namespace octavo::passes {
namespace {

/// Up to 13 an inference had room for four results of training.
void batchnorm_to_14(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  for (std::size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.output(i) == kNoValue || graph.use_count(node.output(i)) == 0) continue;
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: results of training are used, which have another meaning from opset 14 on; export the "
                            "model anew for inference",
                            describe(graph, id)));
  }
  graph.set_outputs_of(id, {node.output(0)});
}

/// Pixels were what output_half_pixel says now; the new default is half a pixel off.
void roi_align_to_16(Graph& graph, NodeId id) {
  graph.mutable_node(id).attributes["coordinate_transformation_mode"] = std::string("output_half_pixel");
}

void axes_to_18(Graph& graph, NodeId id) { list_to_input(graph, id, "axes", 1); }

/// Parts of equal size must now say how many they are.
void split_to_18(Graph& graph, NodeId id) {
  if (graph.node(id).input(1) != kNoValue) return;
  const auto parts = static_cast<std::int64_t>(graph.node(id).outputs.size());
  graph.mutable_node(id).attributes["num_outputs"] = parts;
}

/// An empty list of scales beside the sizes is to be left out.
void resize_to_18(Graph& graph, NodeId id) {
  const Tensor* scales = graph.constant(graph.node(id).input(2));
  if (graph.node(id).input(3) == kNoValue || scales == nullptr || scales->size() != 0) return;
  graph.set_input(id, 2, kNoValue);
}

void grid_sample_to_20(Graph& graph, NodeId id) {
  const std::string mode = graph.node(id).string_or("mode", "bilinear");
  if (mode == "nearest") return;
  graph.mutable_node(id).attributes["mode"] = std::string(mode == "bicubic" ? "cubic" : "linear");
}

void dft_to_20(Graph& graph, NodeId id) {
  const std::int64_t axis = graph.node(id).int_or("axis", 1);
  std::vector<ValueId> inputs = graph.node(id).inputs;
  inputs.resize(2, kNoValue);
  inputs.push_back(graph.add_constant(graph.unique_value_name(base_name(graph, id, "axis")), Tensor::scalar(axis)));
  graph.set_inputs_of(id, std::move(inputs));
  erase_attribute(graph, id, "axis");
}

/// Each element as often as its group has channels.
Tensor spread(const Tensor& groups, std::size_t channels) {
  const std::size_t width = size_of(groups.dtype());
  const std::size_t times = channels / static_cast<std::size_t>(groups.size());
  Tensor result(groups.dtype(), {static_cast<std::int64_t>(channels)}, true);
  for (std::size_t c = 0; c < channels; ++c) {
    std::memcpy(result.mutable_bytes() + c * width, groups.bytes() + c / times * width, width);
  }
  return result;
}

/// Scale and bias belonged to groups and belong to channels now.
void group_normalization_to_21(Graph& graph, NodeId id) {
  const auto& dims = graph.value(graph.node(id).input(0)).dims;
  const std::int64_t channels = dims && dims->size() > 1 ? (*dims)[1].size : Dim::kUnknown;
  for (const std::size_t input : {std::size_t{1}, std::size_t{2}}) {
    const ValueId value = graph.node(id).input(input);
    const Tensor* groups = graph.constant(value);
    if (groups == nullptr || groups->size() < 1 || channels < 1 || channels % groups->size() != 0) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("{}: its scale and bias for each group cannot be made ones for each channel, as opset 21 "
                              "wants: they or the number of channels are not known; export the model anew",
                              describe(graph, id)));
    }
    Tensor all = spread(*groups, static_cast<std::size_t>(channels));
    graph.set_input(id, input, graph.add_constant(graph.unique_value_name(graph.value(value).name), std::move(all)));
  }
}

// What else changed between are types that operators take as well, and attributes whose defaults mean what was meant.
constexpr std::array kUpgrades{
    OpsetUpgrade{"BatchNormalization", 14, &batchnorm_to_14},
    OpsetUpgrade{"RoiAlign", 16, &roi_align_to_16},
    OpsetUpgrade{"ReduceL1", 18, &axes_to_18},
    OpsetUpgrade{"ReduceL2", 18, &axes_to_18},
    OpsetUpgrade{"ReduceLogSum", 18, &axes_to_18},
    OpsetUpgrade{"ReduceLogSumExp", 18, &axes_to_18},
    OpsetUpgrade{"ReduceMax", 18, &axes_to_18},
    OpsetUpgrade{"ReduceMean", 18, &axes_to_18},
    OpsetUpgrade{"ReduceMin", 18, &axes_to_18},
    OpsetUpgrade{"ReduceProd", 18, &axes_to_18},
    OpsetUpgrade{"ReduceSumSquare", 18, &axes_to_18},
    OpsetUpgrade{"Split", 18, &split_to_18},
    OpsetUpgrade{"Resize", 18, &resize_to_18},
    OpsetUpgrade{"GridSample", 20, &grid_sample_to_20},
    OpsetUpgrade{"DFT", 20, &dft_to_20},
    OpsetUpgrade{"GroupNormalization", 21, &group_normalization_to_21},
};

}  // namespace

std::span<const OpsetUpgrade> upgrades_to_21() { return kUpgrades; }

}  // namespace octavo::passes
