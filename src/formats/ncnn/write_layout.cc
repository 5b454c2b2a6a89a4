#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "layer_writer.h"

namespace octavo::formats::ncnn {
namespace {

constexpr std::size_t kImage = 3;  // dimensions of a blob of channels, height and width

/// A Reshape to the node's result, whose sizes must be known, but for one that `open` says is to follow from the rest.
void write_as_reshape(LayerWriter& writer, NodeId id, int open = -1) {
  static constexpr std::array<std::array<int, 4>, 4> kSizeIds{{{0}, {1, 0}, {2, 1, 0}, {2, 11, 1, 0}}};
  const Shape shape = writer.blob_shape(writer.node(id).output(0));
  const std::array inputs{writer.node(id).input(0)};
  const std::array outputs{writer.node(id).output(0)};
  Layer& layer = writer.add("Reshape", id, inputs, outputs);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto size = static_cast<int>(i) == open ? -1 : static_cast<std::int32_t>(shape[i]);
    layer.params.set(kSizeIds.at(shape.size() - 1).at(i), size);
  }
}

/// A size that the node leaves open stays so in the layer: it is what makes a model run on pictures of several sizes.
void write_reshape(LayerWriter& writer, NodeId id) {
  const auto target = writer.ints(id, 1, "shape");
  const auto open = std::find(target.begin(), target.end(), -1);
  if (open == target.end()) return write_as_reshape(writer, id);
  const auto place = static_cast<std::size_t>(open - target.begin());
  const std::size_t batch = writer.batch_of(writer.node(id).output(0));
  write_as_reshape(writer, id, place == batch ? -1 : static_cast<int>(place < batch ? place : place - 1));
}

void write_resized(LayerWriter& writer, NodeId id) { write_as_reshape(writer, id); }

void write_flatten(LayerWriter& writer, NodeId id) {
  const bool whole = writer.node(id).int_or("axis", 1) == 1 && writer.batch_of(writer.node(id).input(0)) == 0;
  if (!whole) return write_as_reshape(writer, id);
  writer.add("Flatten", id);
}

void write_concat(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  const ValueId output = node.output(0);
  const int axis = writer.blob_axis(output, node.int_or("axis", 1));
  if (node.inputs.size() == 1) {
    writer.add("Noop", id);
    return;
  }
  std::vector<std::string> bottoms;
  for (const ValueId input : node.inputs) {
    const bool constant = writer.graph().value(input).is_constant();
    const std::size_t batch = writer.batch_of(output);
    if (!constant && writer.batch_of(input) != batch) throw NoLayer{"what it joins has its batch in different places"};
    bottoms.push_back(constant ? writer.constant_blob(input, writer.blob_rank(output), batch) : writer.blob(input));
  }
  Layer& layer = writer.add("Concat", id, {}, std::array{output});
  layer.bottoms = std::move(bottoms);
  layer.params.set(0, axis, 0);
}

/// Before opset 13 it ran over all dimensions from the axis on.
void write_softmax(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  const bool flattens = writer.graph().opset() < 13;
  const int axis = writer.blob_axis(node.input(0), node.int_or("axis", flattens ? 1 : -1));
  if (flattens && axis + 1 != static_cast<int>(writer.blob_rank(node.input(0)))) {
    const Shape shape = writer.blob_shape(node.input(0));
    if (!std::all_of(shape.begin() + axis + 1, shape.end(), [](std::int64_t size) { return size == 1; })) {
      throw NoLayer{"it runs over several dimensions, as of opset 12 and less"};
    }
  }
  Layer& layer = writer.add("Softmax", id);
  layer.params.set(0, axis, 0);
  layer.params.set(1, std::int32_t{1});  // axes count as in newer versions
}

/// The logarithm of what Softmax computes.
void write_log_softmax(LayerWriter& writer, NodeId id) {
  constexpr std::int32_t kLogarithm = 8;
  write_softmax(writer, id);
  Layer& softmax = writer.last();
  const std::string result = softmax.tops.front();
  const std::string between = writer.rename_top(softmax);
  Layer logarithm;
  logarithm.type = "UnaryOp";
  logarithm.params.set(0, kLogarithm);
  writer.add_behind(std::move(logarithm), id, between, result);
}

/// Elements that follow each other along one axis: a Crop. One index without dimensions takes the axis away.
void write_gather(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  if (writer.graph().value(node.input(0)).is_constant()) {
    throw NoLayer{"it looks up rows of a constant, which octavo does not write: compute them before the model"};
  }
  const auto indices = writer.ints(id, 1, "indices");
  const int axis = writer.blob_axis(node.input(0), node.int_or("axis", 0));
  const std::int64_t size = writer.blob_shape(node.input(0))[static_cast<std::size_t>(axis)];
  if (indices.empty()) throw NoLayer{"it takes nothing"};
  const std::int64_t begin = indices.front() < 0 ? indices.front() + size : indices.front();
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const std::int64_t index = indices[i] < 0 ? indices[i] + size : indices[i];
    if (index != begin + static_cast<std::int64_t>(i)) throw NoLayer{"what it takes does not follow each other"};
  }
  Layer crop;
  crop.type = "Crop";
  crop.params.set(9, std::vector<std::int32_t>{static_cast<std::int32_t>(begin)});
  crop.params.set(
      10, std::vector<std::int32_t>{static_cast<std::int32_t>(begin + static_cast<std::int64_t>(indices.size()))});
  crop.params.set(11, std::vector<std::int32_t>{axis});
  const std::string cropped = writer.add_before(std::move(crop), id, {writer.blob(node.input(0))});
  write_as_reshape(writer, id);
  writer.last().bottoms = {cropped};
}

/// Permute numbers the orders of a blob's dimensions, outermost first, as a dictionary would list them.
void write_transpose(LayerWriter& writer, NodeId id) {
  const ValueId input = writer.node(id).input(0);
  const std::size_t rank = writer.blob_rank(input);
  const std::size_t batch = writer.batch_of(input);
  const std::size_t all = rank + (batch == kNoBatch ? 0 : 1);
  std::vector<std::int64_t> reversed;
  for (std::size_t i = all; i-- > 0;) reversed.push_back(static_cast<std::int64_t>(i));
  std::vector<std::int64_t> order;
  for (const std::int64_t from : writer.node(id).ints_or("perm", reversed)) {
    if (static_cast<std::size_t>(from) != batch)
      order.push_back(static_cast<std::size_t>(from) < batch ? from : from - 1);
  }
  std::vector<std::int64_t> listed(rank);
  std::iota(listed.begin(), listed.end(), 0);
  if (order.size() != rank || !std::is_permutation(order.begin(), order.end(), listed.begin())) {
    throw NoLayer{"its order is not one of its dimensions"};
  }
  std::int32_t type = 0;
  while (listed != order) {
    std::next_permutation(listed.begin(), listed.end());
    ++type;
  }
  writer.add("Permute", id).params.set(0, type);
}

/// By how much the sides of the blob's dimensions grow: outermost first, begins and then ends.
std::vector<std::int64_t> pads_of(LayerWriter& writer, NodeId id, std::size_t rank) {
  auto pads = writer.ints(id, 1, "pads");
  if (writer.node(id).input(3) != kNoValue) throw NoLayer{"it pads axes of its own"};
  if (writer.batch_of(writer.node(id).input(0)) != 0) throw NoLayer{"its first dimension is not the batch"};
  if (pads.size() != 2 * (rank + 1)) throw NoLayer{"it does not pad each side once"};
  if (pads[0] != 0 || pads[rank + 1] != 0) throw NoLayer{"it pads the batch, which ncnn has not"};
  pads.erase(pads.begin() + static_cast<std::ptrdiff_t>(rank) + 1);
  pads.erase(pads.begin());
  if (std::any_of(pads.begin(), pads.end(), [](std::int64_t pad) { return pad < 0; })) {
    throw NoLayer{"it pads by less than nothing"};
  }
  return pads;
}

void write_pad(LayerWriter& writer, NodeId id) {
  static constexpr std::array<std::string_view, 3> kModes{"constant", "edge", "reflect"};
  // Parameters for begin and end of each dimension, outermost first, of blobs of one to three.
  static constexpr std::array<std::array<int, kImage>, kImage> kBegins{{{2}, {0, 2}, {7, 0, 2}}};
  static constexpr std::array<std::array<int, kImage>, kImage> kEnds{{{3}, {1, 3}, {8, 1, 3}}};
  const Node& node = writer.node(id);
  const std::size_t rank = writer.blob_rank(node.input(0));
  if (rank > kImage) throw NoLayer{"it pads more than three dimensions behind the batch"};
  const std::string mode = node.string_or("mode", "constant");
  const auto* const found = std::find(kModes.begin(), kModes.end(), mode);
  if (found == kModes.end()) throw NoLayer{fmt::format("its mode is {}", mode)};
  const auto pads = pads_of(writer, id, rank);
  const Tensor* value = writer.optional_constant(id, 2);
  const float fill = value == nullptr ? node.float_or("value", 0.0F) : value->data<float>().front();
  Layer& layer = writer.add("Padding", id);
  for (std::size_t i = 0; i < rank; ++i) {
    layer.params.set(kBegins.at(rank - 1).at(i), pads[i], 0);
    layer.params.set(kEnds.at(rank - 1).at(i), pads[rank + i], 0);
  }
  layer.params.set(4, found - kModes.begin(), 0);
  if (fill != 0.0F) layer.params.set(5, fill);
}

struct Cut {
  int axis = 0;
  std::int64_t begin = 0, end = 0, step = 1;
};

/// Whether the axis is the batch, all of which is kept: exporters of TensorFlow and Keras name every axis.
bool keeps_batch(const LayerWriter& writer, ValueId value, std::int64_t axis, std::int64_t begin, std::int64_t end) {
  const std::size_t batch = writer.batch_of(value);
  if (batch == kNoBatch) return false;
  const auto rank = static_cast<std::int64_t>(writer.blob_rank(value)) + 1;
  return (axis < 0 ? axis + rank : axis) == static_cast<std::int64_t>(batch) && begin <= 0 && end >= 1;
}

/// What Slice keeps of each axis it names, within the sizes of its input.
std::vector<Cut> cuts_of(LayerWriter& writer, NodeId id) {
  const ValueId input = writer.node(id).input(0);
  const Shape shape = writer.blob_shape(input);
  const auto begins = writer.ints(id, 1, "starts");
  const auto ends = writer.ints(id, 2, "ends");
  auto axes = writer.ints(id, 3, "axes");
  const auto steps = writer.ints(id, 4, "steps");
  for (std::size_t i = 0; axes.size() < begins.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (ends.size() != begins.size() || axes.size() != begins.size() ||
      (!steps.empty() && steps.size() != begins.size())) {
    throw NoLayer{"its starts, ends, axes and steps are not equally many"};
  }
  std::vector<Cut> cuts;
  for (std::size_t i = 0; i < begins.size(); ++i) {
    if (keeps_batch(writer, input, axes[i], begins[i], ends[i])) continue;
    Cut cut;
    cut.axis = writer.blob_axis(input, axes[i]);
    cut.step = steps.empty() ? 1 : steps[i];
    if (cut.step < 1) throw NoLayer{"it runs backwards"};
    const std::int64_t size = shape[static_cast<std::size_t>(cut.axis)];
    const auto within = [size](std::int64_t place) {
      return std::clamp<std::int64_t>(place < 0 ? place + size : place, 0, size);
    };
    cut.begin = within(begins[i]);
    cut.end = within(ends[i]);
    if (cut.begin >= cut.end) throw NoLayer{"it keeps nothing"};
    cuts.push_back(cut);
  }
  return cuts;
}

/// Steps along height and width are those of a maximum over windows of one element, the only layer that leaves elements
/// out; what else is cut off a Crop does before.
void write_slice(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  const Shape shape = writer.blob_shape(node.input(0));
  std::vector<std::int32_t> begins, ends, axes;
  std::array<std::int64_t, 2> steps{1, 1};
  for (const Cut& cut : cuts_of(writer, id)) {
    if (cut.step > 1 && (shape.size() != kImage || cut.axis == 0)) {
      throw NoLayer{"its steps are along other than height and width"};
    }
    if (cut.step > 1) steps.at(static_cast<std::size_t>(cut.axis) - 1) = cut.step;
    if (cut.begin == 0 && cut.end == shape[static_cast<std::size_t>(cut.axis)]) continue;
    begins.push_back(static_cast<std::int32_t>(cut.begin));
    ends.push_back(static_cast<std::int32_t>(cut.end));
    axes.push_back(cut.axis);
  }
  const bool steps_on = steps[0] > 1 || steps[1] > 1;
  std::string source = writer.blob(node.input(0));
  if (!begins.empty()) {
    Layer crop;
    crop.type = "Crop";
    crop.params.set(9, std::move(begins));
    crop.params.set(10, std::move(ends));
    crop.params.set(11, std::move(axes));
    if (!steps_on) {
      Layer& layer = writer.add("Crop", id);
      layer.params = std::move(crop.params);
      return;
    }
    source = writer.add_before(std::move(crop), id, {source});
  }
  Layer& layer = writer.add(steps_on ? "Pooling" : "Noop", id);
  layer.bottoms = {source};
  if (!steps_on) return;
  layer.params.set(1, std::int32_t{1});
  layer.params.set(2, static_cast<std::int32_t>(steps[1]));
  layer.params.set(12, steps[0], steps[1]);
  layer.params.set(5, std::int32_t{1});
}

void write_split(LayerWriter& writer, NodeId id) {
  const Node& node = writer.node(id);
  const int axis = writer.blob_axis(node.input(0), node.int_or("axis", 0));
  std::vector<std::int32_t> sizes;
  for (const ValueId output : node.outputs) {
    if (output == kNoValue) throw NoLayer{"it leaves an output out"};
    sizes.push_back(static_cast<std::int32_t>(writer.blob_shape(output)[static_cast<std::size_t>(axis)]));
  }
  Layer& layer = writer.add("Slice", id, std::array{node.input(0)}, node.outputs);
  layer.params.set(0, std::move(sizes));
  layer.params.set(1, axis, 0);
}

void write_depth_to_space(LayerWriter& writer, NodeId id) {
  Layer& layer = writer.add("PixelShuffle", id);
  layer.params.set(0, static_cast<std::int32_t>(writer.node(id).int_or("blocksize", 1)));
  layer.params.set(1, writer.node(id).string_or("mode", "DCR") == "DCR" ? 1 : 0, 0);
}

/// Where ONNX's Resize takes an element of the output from, along one axis, before it is rounded.
float source_place(const std::string& transform, std::int64_t place, float scale) {
  const auto x = static_cast<float>(place);
  return transform == "asymmetric" ? x / scale : (x + 0.5F) / scale - 0.5F;
}

/// Whether ncnn's nearest, which cuts the product with the inverse scale off, takes the same elements.
bool same_nearest(const Node& node, std::int64_t from, std::int64_t to, float scale) {
  const std::string transform = node.string_or("coordinate_transformation_mode", "half_pixel");
  const std::string nearest = node.string_or("nearest_mode", "round_prefer_floor");
  const bool half = transform == "half_pixel" || (transform == "pytorch_half_pixel" && to > 1);
  if (!half && transform != "asymmetric") return false;
  for (std::int64_t i = 0; i < to; ++i) {
    const float place = source_place(transform, i, scale);
    const float floor = std::floor(place);
    float taken = floor;
    if (nearest == "ceil") taken = std::ceil(place);
    if (nearest == "round_prefer_floor") taken = place - floor > 0.5F ? floor + 1.0F : floor;
    if (nearest == "round_prefer_ceil") taken = place - floor >= 0.5F ? floor + 1.0F : floor;
    const auto last = static_cast<float>(from - 1);
    const float inverse = static_cast<float>(from) / static_cast<float>(to);
    const float theirs = std::min(std::trunc(static_cast<float>(i) * inverse), last);
    if (std::clamp(taken, 0.0F, last) != theirs) return false;
  }
  return true;
}

/// Channels stay, and height and width go to the sizes of the result, which are known.
void write_resize(LayerWriter& writer, NodeId id) {
  constexpr std::int64_t kLargest = 1 << 20;
  const Node& node = writer.node(id);
  const Shape from = writer.blob_shape(node.input(0));
  const Shape to = writer.blob_shape(node.output(0));
  if (from.size() != kImage || from[0] != to[0]) throw NoLayer{"it resizes other than height and width"};
  const bool upsample = node.op_type == "Upsample";
  const std::string mode = node.string_or("mode", "nearest");
  const std::string transform =
      upsample ? "asymmetric" : node.string_or("coordinate_transformation_mode", "half_pixel");
  const Tensor* scales = writer.optional_constant(id, upsample ? 1 : 2);
  for (std::size_t i = 1; i < kImage; ++i) {
    if (to[i] > kLargest || from[i] < 1 || to[i] < 1) throw NoLayer{"its sizes are beyond a million"};
    const float ratio = static_cast<float>(to[i]) / static_cast<float>(from[i]);
    const bool given = scales != nullptr && scales->size() == static_cast<std::int64_t>(kImage) + 1;
    const float scale = given ? scales->data<float>()[i + 1] : ratio;
    if (scale != ratio && transform != "align_corners") throw NoLayer{"its scales are not those of its sizes"};
    Node asked = node;
    if (upsample) {
      asked.attributes["coordinate_transformation_mode"] = std::string("asymmetric");
      asked.attributes["nearest_mode"] = std::string("floor");
    }
    if (mode == "nearest" && !same_nearest(asked, from[i], to[i], scale)) {
      throw NoLayer{"it takes other neighbours than ncnn's Interp"};
    }
  }
  if (mode != "nearest" && mode != "linear") throw NoLayer{fmt::format("its mode is {}", mode)};
  const bool corners = transform == "align_corners";
  const bool half = transform == "half_pixel" || (transform == "pytorch_half_pixel" && to[1] > 1 && to[2] > 1);
  if (mode == "linear" && !corners && !half && (from[1] > 1 || from[2] > 1))
    throw NoLayer{fmt::format("ncnn has no {} interpolation", transform)};
  // One element is the same everywhere, and ncnn interpolates between two at least.
  const bool spreads = from[1] == 1 && from[2] == 1;
  if (mode == "linear" && !spreads && (from[1] < 2 || from[2] < 2)) {
    throw NoLayer{"ncnn interpolates between two elements at least"};
  }
  Layer& layer = writer.add("Interp", id);
  layer.params.set(0, mode == "nearest" || spreads ? 1 : 2);
  layer.params.set(3, static_cast<std::int32_t>(to[1]));
  layer.params.set(4, static_cast<std::int32_t>(to[2]));
  layer.params.set(6, corners && !spreads ? 1 : 0, 0);
}

}  // namespace

std::span<const WriteRule> layout_rules() {
  static constexpr std::array kRules{
      WriteRule{"Concat", &write_concat},
      WriteRule{"DepthToSpace", &write_depth_to_space},
      WriteRule{"Flatten", &write_flatten},
      WriteRule{"Gather", &write_gather},
      WriteRule{"LogSoftmax", &write_log_softmax},
      WriteRule{"Pad", &write_pad},
      WriteRule{"Reshape", &write_reshape},
      WriteRule{"Resize", &write_resize},
      WriteRule{"Slice", &write_slice},
      WriteRule{"Softmax", &write_softmax},
      WriteRule{"Split", &write_split},
      WriteRule{"Squeeze", &write_resized},
      WriteRule{"Transpose", &write_transpose},
      WriteRule{"Unsqueeze", &write_resized},
      WriteRule{"Upsample", &write_resize},
  };
  return kRules;
}

}  // namespace octavo::formats::ncnn
