#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "layer_reader.h"

namespace octavo::formats::ncnn {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kToEnd = std::numeric_limits<std::int64_t>::max();
constexpr std::int32_t kAbsent = -233;

/// ONNX's axis of a blob's.
std::int64_t axis_of(const ReadBlob& blob, std::int64_t axis) {
  if (axis < 0) axis += blob.dims;
  return checked("the axis", axis, 0, blob.dims - 1) + 1;
}

/// All outputs are the input.
void read_split(LayerReader& reader, const Layer& layer) {
  const ReadBlob input = reader.bottom(layer);
  for (std::size_t i = 0; i < layer.tops.size(); ++i) reader.finish(layer, input, i);
}

void read_noop(LayerReader& reader, const Layer& layer) {
  if (layer.type == "Dropout" && layer.params.float_or(0, 1.0F) != 1.0F) LayerReader::refuse("a Dropout that scales");
  const ReadBlob& input = reader.bottom(layer);
  reader.finish_like(layer, input, reader.emit(layer, "Identity", {input.value}));
}

void read_memory_data(LayerReader& reader, const Layer& layer) {
  Shape shape{1};
  for (const int id : {2, 11, 1, 0}) {
    const std::int64_t size = checked("a size", layer.params.int_or(id, 0), 0, kLargest);
    if (size > 0) shape.push_back(size);
  }
  const auto count = checked_element_count(shape);
  if (shape.size() == 1 || !count) LayerReader::contradict("its sizes are those of no blob");
  const bool plain = layer.params.int_or(21, 1) != 0;
  const Tensor numbers = plain ? reader.bin().plain(*count) : reader.bin().tagged(*count);
  if (numbers.dtype() != DType::f32) LayerReader::contradict("its numbers are int8, and it has no scales");
  ReadBlob blob;
  blob.dims = static_cast<int>(shape.size()) - 1;
  blob.outermost = shape[1];
  blob.value = reader.constant(layer, "data", numbers.reshaped(std::move(shape)));
  reader.finish(layer, blob);
}

void read_concat(LayerReader& reader, const Layer& layer) {
  ReadBlob result = reader.bottom(layer);
  reader.require_dims(result, 1, 4);
  std::vector<ValueId> inputs;
  for (std::size_t i = 0; i < layer.bottoms.size(); ++i) {
    const ReadBlob& input = reader.bottom(layer, i);
    if (input.dims != result.dims) LayerReader::contradict("its inputs have different numbers of dimensions");
    inputs.push_back(reader.plain(input));
  }
  const std::int64_t axis = axis_of(result, layer.params.int_or(0, 0));
  result.value = reader.emit(layer, "Concat", std::move(inputs), {{"axis", axis}});
  if (axis == 1) result.outermost = -1;
  result.pooled = false;
  result.integer = false;
  reader.finish(layer, result);
}

/// Parts of sizes that are given, where -233 is an equal share of what is left: only of all, or the last.
void read_slice(LayerReader& reader, const Layer& layer) {
  const ReadBlob input = reader.bottom(layer);
  reader.require_dims(input, 1, 4);
  const std::vector<std::int32_t> sizes = layer.params.ints(0);
  const std::int64_t axis = axis_of(input, layer.params.int_or(1, 0));
  if (layer.params.has(2) || sizes.size() != layer.tops.size())
    LayerReader::refuse("parts that are not given by their sizes");
  const ValueId source = reader.plain(input);
  ReadBlob part;
  part.dims = input.dims;
  if (std::all_of(sizes.begin(), sizes.end(), [](std::int32_t size) { return size == kAbsent; })) {
    const auto parts = reader.emit_several(layer, "Split", {source}, layer.tops.size(), {{"axis", axis}});
    for (std::size_t i = 0; i < parts.size(); ++i) {
      part.value = parts[i];
      reader.finish(layer, part, i);
    }
    return;
  }
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const bool rest = i + 1 == sizes.size();
    if (sizes[i] < 1 && !(rest && sizes[i] == kAbsent)) LayerReader::refuse(fmt::format("a part of size {}", sizes[i]));
    const std::int64_t end = rest ? kToEnd : begin + sizes[i];
    part.value = reader.emit(layer, "Slice",
                             {source, reader.ints(layer, "begin", {begin}), reader.ints(layer, "end", {end}),
                              reader.ints(layer, "axis", {axis})});
    reader.finish(layer, part, i);
    begin = end;
  }
}

void read_crop(LayerReader& reader, const Layer& layer) {
  const ReadBlob input = reader.bottom(layer);
  reader.require_dims(input, 1, 4);
  const auto starts = layer.params.ints(9);
  const auto stops = layer.params.ints(10);
  auto given = layer.params.ints(11);
  if (layer.bottoms.size() != 1 || starts.empty() || stops.size() != starts.size()) {
    LayerReader::refuse("a part that is not given by where it begins and ends");
  }
  for (std::size_t i = 0; given.size() < starts.size(); ++i) given.push_back(static_cast<std::int32_t>(i));
  if (given.size() != starts.size()) LayerReader::contradict("its axes are not as many as its parts");
  std::vector<std::int64_t> begins, ends, axes;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    begins.push_back(starts[i] == kAbsent ? 0 : starts[i]);
    ends.push_back(stops[i] == kAbsent || stops[i] == 0 ? kToEnd : stops[i]);
    axes.push_back(axis_of(input, given[i]));
  }
  ReadBlob result;
  result.dims = input.dims;
  result.value = reader.emit(layer, "Slice",
                             {reader.plain(input), reader.ints(layer, "begins", begins),
                              reader.ints(layer, "ends", ends), reader.ints(layer, "axes", axes)});
  reader.finish(layer, result);
}

void read_padding(LayerReader& reader, const Layer& layer) {
  static constexpr std::array<std::string_view, 3> kModes{"constant", "edge", "reflect"};
  static constexpr std::int64_t kMostPads = 1 << 16;
  const Params& params = layer.params;
  const ReadBlob input = reader.bottom(layer);
  reader.require_dims(input, 1, 3);
  if (params.int_or(6, 0) != 0) LayerReader::refuse("a value of its own for each channel");
  const auto mode = static_cast<std::size_t>(checked("the mode", params.int_or(4, 0), 0, 2));
  std::vector<std::int64_t> begins{0}, ends{0};
  static constexpr std::array<int, 3> kBegins{7, 0, 2};
  static constexpr std::array<int, 3> kEnds{8, 1, 3};
  for (std::size_t i = kBegins.size() - static_cast<std::size_t>(input.dims); i < kBegins.size(); ++i) {
    begins.push_back(checked("a padding", params.int_or(kBegins.at(i), 0), 0, kMostPads));
    ends.push_back(checked("a padding", params.int_or(kEnds.at(i), 0), 0, kMostPads));
  }
  begins.insert(begins.end(), ends.begin(), ends.end());
  ReadBlob result;
  result.dims = input.dims;
  result.value = reader.emit(layer, "Pad",
                             {reader.plain(input), reader.ints(layer, "pads", begins),
                              reader.constant(layer, "value", Tensor::scalar(params.float_or(5, 0.0F)))},
                             {{"mode", std::string(kModes.at(mode))}});
  reader.finish(layer, result);
}

void read_permute(LayerReader& reader, const Layer& layer) {
  static constexpr std::array kMost{0, 1, 5, 23};  // by dimensions: orders are numbered as a dictionary lists them
  const ReadBlob input = reader.bottom(layer);
  reader.require_dims(input, 1, 4);
  const std::int64_t order =
      checked("the order", layer.params.int_or(0, 0), 0, kMost.at(static_cast<std::size_t>(input.dims) - 1));
  std::vector<std::int64_t> perm(static_cast<std::size_t>(input.dims) + 1);
  std::iota(perm.begin(), perm.end(), 0);
  for (std::int64_t i = 0; i < order; ++i) std::next_permutation(perm.begin() + 1, perm.end());
  ReadBlob result;
  result.dims = input.dims;
  result.value = reader.emit(layer, "Transpose", {reader.plain(input)}, {{"perm", std::move(perm)}});
  reader.finish(layer, result);
}

/// The sizes a Reshape names, outermost first: w is always there, c with h, d with c.
std::vector<std::int64_t> target_of(const Params& params) {
  std::vector<std::int64_t> sizes;
  for (const int id : {2, 11, 1, 0}) {
    const std::int32_t size = params.int_or(id, kAbsent);
    if (size == kAbsent) continue;
    sizes.push_back(checked("a size", size, -1, kLargest));
  }
  return sizes;
}

void read_reshape(LayerReader& reader, const Layer& layer) {
  const Params& params = layer.params;
  if (params.has(6) || params.has(12) || params.has(13) || layer.bottoms.size() != 1) {
    LayerReader::refuse("a shape that is computed at run time");
  }
  const ReadBlob input = reader.bottom(layer);
  std::vector<std::int64_t> sizes = target_of(params);
  if (sizes.empty() || std::count(sizes.begin(), sizes.end(), -1) > 1)
    LayerReader::contradict("its sizes name no shape");
  const bool copies = std::find(sizes.begin(), sizes.end(), 0) != sizes.end();
  if (copies && static_cast<int>(sizes.size()) != input.dims) LayerReader::refuse("sizes copied from other dimensions");
  ReadBlob result;
  result.dims = static_cast<int>(sizes.size());
  result.outermost = sizes.front() > 0 ? sizes.front() : -1;
  sizes.insert(sizes.begin(), 1);
  result.value = reader.emit(layer, "Reshape", {reader.plain(input), reader.ints(layer, "shape", sizes)});
  reader.finish(layer, result);
}

void read_flatten(LayerReader& reader, const Layer& layer) {
  const ReadBlob& input = reader.bottom(layer);
  ReadBlob result;
  result.dims = 1;
  result.value = reader.emit(layer, "Flatten", {input.value}, {{"axis", std::int64_t{1}}});
  if (input.pooled) result.outermost = input.outermost;
  reader.finish(layer, result);
}

void read_softmax(LayerReader& reader, const Layer& layer) {
  const ReadBlob& input = reader.bottom(layer);
  reader.require_dims(input, 1, 4);
  const std::int64_t axis = axis_of(input, layer.params.int_or(0, 0));
  reader.finish_like(layer, input, reader.emit(layer, "Softmax", {input.value}, {{"axis", axis}}));
}

void read_interp(LayerReader& reader, const Layer& layer) {
  constexpr std::int64_t kLargestPicture = 1 << 20;
  const Params& params = layer.params;
  if (params.int_or(5, 0) != 0 || params.has(9) || layer.bottoms.size() != 1) {
    LayerReader::refuse("a size that is computed at run time");
  }
  const ReadBlob& input = reader.bottom(layer);
  reader.require_dims(input, 3, 3);
  const bool nearest = checked("the kind of interpolation", params.int_or(0, 0), 1, 2) == 1;
  const bool corners = params.int_or(6, 0) != 0;
  const std::int64_t height = checked("a height", params.int_or(3, 0), 0, kLargestPicture);
  const std::int64_t width = checked("a width", params.int_or(4, 0), 0, kLargestPicture);
  const float vertical = params.float_or(1, 1.0F);
  const float horizontal = params.float_or(2, 1.0F);
  constexpr float kMostScale = 1024.0F;
  if (!(vertical > 0.0F && vertical <= kMostScale && horizontal > 0.0F && horizontal <= kMostScale)) {
    LayerReader::contradict("its scales are not from 0 to 1024");
  }
  const bool sized = height > 0 && width > 0;
  std::vector<ValueId> inputs{input.value, kNoValue, kNoValue};
  if (sized) {
    const Shape shape = reader.shape_of(input);
    inputs.push_back(reader.ints(layer, "sizes", {1, shape[0], height, width}));
  } else {
    inputs[2] = reader.constant(layer, "scales", Tensor::from<float>({4}, {1.0F, 1.0F, vertical, horizontal}));
  }
  const std::string transform = corners ? "align_corners" : nearest ? "asymmetric" : "half_pixel";
  const ValueId value =
      reader.emit(layer, "Resize", std::move(inputs),
                  {{"mode", std::string(nearest ? "nearest" : "linear")},
                   {"coordinate_transformation_mode", nearest ? std::string("asymmetric") : transform},
                   {"nearest_mode", std::string("floor")}});
  reader.finish_like(layer, input, value);
}

void read_pixel_shuffle(LayerReader& reader, const Layer& layer) {
  const ReadBlob& input = reader.bottom(layer);
  reader.require_dims(input, 3, 3);
  ReadBlob result;
  result.dims = 3;
  const std::int64_t factor = checked("the factor", layer.params.int_or(0, 1), 1, 1024);
  result.value =
      reader.emit(layer, "DepthToSpace", {input.value},
                  {{"blocksize", factor}, {"mode", std::string(layer.params.int_or(1, 0) == 0 ? "CRD" : "DCR")}});
  reader.finish(layer, result);
}

void read_matmul(LayerReader& reader, const Layer& layer) {
  const ReadBlob& first = reader.bottom(layer);
  const ReadBlob& second = reader.bottom(layer, 1);
  reader.require_dims(first, 2, 3);
  reader.require_dims(second, first.dims, first.dims);
  ValueId right = second.value;
  if (layer.params.int_or(0, 0) != 0) {
    const std::vector<std::int64_t> perm =
        first.dims == 2 ? std::vector<std::int64_t>{0, 2, 1} : std::vector<std::int64_t>{0, 1, 3, 2};
    right = reader.emit(layer, "Transpose", {right}, {{"perm", perm}});
  }
  reader.finish_like(layer, first, reader.emit(layer, "MatMul", {first.value, right}));
}

}  // namespace

std::span<const ReadRule> layout_readers() {
  static constexpr std::array kRules{
      ReadRule{"Concat", &read_concat},
      ReadRule{"Crop", &read_crop},
      ReadRule{"Dropout", &read_noop},
      ReadRule{"Flatten", &read_flatten},
      ReadRule{"Interp", &read_interp},
      ReadRule{"MatMul", &read_matmul},
      ReadRule{"MemoryData", &read_memory_data},
      ReadRule{"Noop", &read_noop},
      ReadRule{"Padding", &read_padding},
      ReadRule{"Permute", &read_permute},
      ReadRule{"PixelShuffle", &read_pixel_shuffle},
      ReadRule{"Reshape", &read_reshape},
      ReadRule{"Slice", &read_slice},
      ReadRule{"Softmax", &read_softmax},
      ReadRule{"Split", &read_split},
  };
  return kRules;
}

}  // namespace octavo::formats::ncnn
