#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "layer_writer.h"
#include "one_dimension.h"

namespace octavo::formats::ncnn {
namespace {

constexpr std::size_t kSpatial = 2;
/// Pad modes: windows begin wherever one still reaches the input, or where they fit whole.
constexpr std::int32_t kFull = 0;
constexpr std::int32_t kValid = 1;

enum class Kind : std::int32_t { max = 0, average = 1 };

/// Over the one dimension behind the channels: their means, or largest elements.
void write_global_1d(LayerWriter& writer, NodeId id, Kind kind) {
  constexpr std::int32_t kMean = 3;
  constexpr std::int32_t kMax = 4;
  Layer& layer = writer.add("Reduction", id);
  layer.params.set(0, kind == Kind::average ? kMean : kMax);
  layer.params.set(1, std::int32_t{0});
  layer.params.set(3, std::vector<std::int32_t>{1});
  layer.params.set(4, std::int32_t{1});
  layer.params.set(5, std::int32_t{1});  // axes do not count the batch
}

/// The layer gives a blob of one dimension, ONNX keeps height and width of 1: a Reshape, where anything but a reshape
/// reads it.
void write_global(LayerWriter& writer, NodeId id, Kind kind) {
  const Node& node = writer.node(id);
  const std::size_t rank = writer.blob_rank(node.input(0));
  if (rank == 2) return write_global_1d(writer, id, kind);
  if (rank != kSpatial + 1) throw NoLayer{"it runs over other than one or two dimensions"};
  Layer pooling;
  pooling.type = "Pooling";
  pooling.params.set(0, static_cast<std::int64_t>(kind), 0);
  pooling.params.set(4, std::int32_t{1});
  const std::string flat = writer.add_before(std::move(pooling), id, {writer.blob(node.input(0))});
  Layer& reshape = writer.add("Reshape", id, {}, std::array{node.output(0)});
  reshape.bottoms = {flat};
  reshape.params.set(0, std::int32_t{1});
  reshape.params.set(1, std::int32_t{1});
  reshape.params.set(2, std::int32_t{-1});
}

/// What ncnn's full mode gives: every window that reaches the padded input.
std::int64_t full_output(const Window& window, std::int64_t input) {
  const std::int64_t free = input + window.pad_begin + window.pad_end - window.kernel;
  return (free + window.stride - 1) / window.stride + 1;
}

/// Sets the pad mode and pads. Sizes that are rounded up are ncnn's full mode where that means the same for this
/// input; elsewhere the end is padded by what is missing.
void set_pads(LayerWriter& writer, NodeId id, bool counts_pads, Params& params) {
  const Node& node = writer.node(id);
  const auto shape = writer.graph().value(node.input(0)).static_shape();
  const auto kernel = node.ints_or("kernel_shape", {});
  const bool ceil = node.int_or("ceil_mode", 0) != 0;
  std::array<std::int64_t, 2 * kSpatial> pads{};  // top, left, bottom, right
  bool full = ceil;
  if (shape) {
    const auto windows = window_geometry(node, kernel, std::span(*shape).subspan(2));
    for (std::size_t i = 0; i < kSpatial; ++i) {
      const Window& w = windows.at(i);
      const std::int64_t input = (*shape)[i + 2];
      pads.at(i) = w.pad_begin;
      pads.at(i + kSpatial) = w.pad_end;
      full = full && full_output(w, input) == w.output;
      const std::int64_t tail = (w.output - 1) * w.stride + w.kernel - (input + w.pad_begin + w.pad_end);
      if (tail > 0 && counts_pads) throw NoLayer{"it counts pads, but not those of a window that leaves the input"};
    }
    for (std::size_t i = 0; i < kSpatial && !full; ++i) {
      const Window& w = windows.at(i);
      const std::int64_t tail = (w.output - 1) * w.stride + w.kernel - ((*shape)[i + 2] + w.pad_begin + w.pad_end);
      pads.at(i + kSpatial) += std::max<std::int64_t>(tail, 0);
    }
  } else {
    if (node.string_or("auto_pad", "NOTSET") != "NOTSET" || (ceil && counts_pads)) {
      throw NoLayer{"the size of its input is not known"};
    }
    const auto given = node.ints_or("pads", {0, 0, 0, 0});
    if (given.size() != pads.size()) throw NoLayer{"its pads are not four numbers"};
    std::copy(given.begin(), given.end(), pads.begin());
  }
  params.set(3, pads[1], 0);
  params.set(14, pads[3], pads[1]);
  params.set(13, pads[0], pads[1]);
  params.set(15, pads[2], pads[0]);
  params.set(5, full ? kFull : kValid);
}

void write_pooling(LayerWriter& writer, NodeId id, Kind kind) {
  const Node& node = writer.node(id);
  const auto kernel = node.ints_or("kernel_shape", {});
  if (kernel.size() == 1) return write_pooling_1d(writer, id);
  const auto strides = node.ints_or("strides", {1, 1});
  const auto dilations = node.ints_or("dilations", {1, 1});
  if (kernel.size() != kSpatial || strides.size() != kSpatial) throw NoLayer{"it runs over other than two dimensions"};
  if (std::count(dilations.begin(), dilations.end(), 1) != static_cast<std::ptrdiff_t>(kSpatial)) {
    throw NoLayer{"its windows are dilated"};
  }
  if (node.output(1) != kNoValue) throw NoLayer{"it gives indices as well"};
  const bool counts_pads = kind == Kind::average && node.int_or("count_include_pad", 0) != 0;
  Layer& layer = writer.add("Pooling", id);
  layer.params.set(0, static_cast<std::int64_t>(kind), 0);
  layer.params.set(1, static_cast<std::int32_t>(kernel[1]));
  layer.params.set(11, kernel[0], kernel[1]);
  layer.params.set(2, strides[1], 1);
  layer.params.set(12, strides[0], strides[1]);
  layer.params.set(6, counts_pads ? 1 : 0, 0);
  set_pads(writer, id, counts_pads, layer.params);
}

void write_max_pool(LayerWriter& writer, NodeId id) { write_pooling(writer, id, Kind::max); }
void write_average_pool(LayerWriter& writer, NodeId id) { write_pooling(writer, id, Kind::average); }
void write_global_max(LayerWriter& writer, NodeId id) { write_global(writer, id, Kind::max); }
void write_global_average(LayerWriter& writer, NodeId id) { write_global(writer, id, Kind::average); }

template <int kOperation>
void write_reduction(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  const ValueId input = node.input(0);
  std::vector<std::int32_t> axes;
  const auto given = writer.ints(id, 1, "axes");
  for (const std::int64_t axis : given) axes.push_back(writer.blob_axis(input, axis));
  const auto rank = static_cast<int>(writer.blob_rank(input));
  if (given.empty() && node.int_or("noop_with_empty_axes", 0) != 0) throw NoLayer{"it reduces nothing"};
  for (int i = 0; given.empty() && i < rank; ++i) axes.push_back(i);
  Layer& layer = writer.add("Reduction", id);
  layer.params.set(0, std::int32_t{kOperation});
  layer.params.set(1, std::int32_t{0});
  layer.params.set(3, std::move(axes));
  layer.params.set(4, node.int_or("keepdims", 1), 0);
  layer.params.set(5, std::int32_t{1});  // axes do not count the batch
}

}  // namespace

std::span<const WriteRule> pooling_rules() {
  static constexpr std::array kRules{
      WriteRule{"AveragePool", &write_average_pool},  WriteRule{"GlobalAveragePool", &write_global_average},
      WriteRule{"GlobalMaxPool", &write_global_max},  WriteRule{"MaxPool", &write_max_pool},
      WriteRule{"ReduceL1", &write_reduction<7>},     WriteRule{"ReduceL2", &write_reduction<8>},
      WriteRule{"ReduceLogSum", &write_reduction<9>}, WriteRule{"ReduceLogSumExp", &write_reduction<10>},
      WriteRule{"ReduceMax", &write_reduction<4>},    WriteRule{"ReduceMean", &write_reduction<3>},
      WriteRule{"ReduceMin", &write_reduction<5>},    WriteRule{"ReduceProd", &write_reduction<6>},
      WriteRule{"ReduceSum", &write_reduction<0>},    WriteRule{"ReduceSumSquare", &write_reduction<2>},
  };
  return kRules;
}

}  // namespace octavo::formats::ncnn
