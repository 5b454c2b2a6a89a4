#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "tnn/layer_writer.h"

namespace octavo::formats::tnn {
namespace {

void append(std::vector<std::string>& params, const std::vector<std::int64_t>& numbers) {
  params.push_back(fmt::format("{}", numbers.size()));
  for (std::string& text : texts_of(numbers)) params.push_back(std::move(text));
}

}  // namespace

/// Whatever changes the shape alone, by its result's dimensions; a leading one that stays is 0.
void write_reshape(LayerWriter& out) {
  const Shape from = out.shape(out.input());
  Shape to = out.shape(out.output());
  if (to.empty()) out.refuse("it has no dimension left, where a blob of TNN has at least one");
  if (!from.empty() && from.front() == to.front()) to.front() = 0;
  const auto rank = static_cast<std::int64_t>(to.size());
  std::vector<std::string> params = texts_of({0, rank});
  append(params, to);
  params.emplace_back("0");
  out.add("Reshape", {out.input()}, std::move(params));
}

void write_flatten(LayerWriter& out) {
  const std::int64_t axis = out.axis(out.node().int_or("axis", 1), out.shape(out.input()).size());
  out.add("Flatten", {out.input()}, texts_of({axis}));
}

void write_transpose(LayerWriter& out) {
  const std::size_t rank = out.shape(out.input()).size();
  std::vector<std::int64_t> reversed;
  for (std::size_t d = rank; d-- > 0;) reversed.push_back(static_cast<std::int64_t>(d));
  std::vector<std::string> params;
  append(params, out.node().ints_or("perm", reversed));
  out.add("Permute", {out.input()}, std::move(params));
}

void write_concat(LayerWriter& out) {
  const std::int64_t axis = out.axis(out.node().int_or("axis", 0), out.shape(out.output()).size());
  const std::vector<ValueId> inputs = out.node().inputs;
  const auto end = out.reads_integers(inputs) ? out.integer_end(out.output()) : std::nullopt;
  if (!end) return out.add("Concat", inputs, texts_of({axis}));
  std::vector<std::string> blobs;
  for (const ValueId input : inputs) blobs.push_back(out.integer_blob(input));
  out.add_integer("Concat", blobs, texts_of({axis}), *end);
}

namespace {

/// Before opset 13 over all dimensions from the axis on.
std::int64_t softmax_axis(const LayerWriter& out) {
  const Shape shape = out.shape(out.input());
  const bool old = out.graph().opset() < 13;
  const std::int64_t axis = out.axis(out.node().int_or("axis", old ? 1 : -1), shape.size());
  if (old && std::any_of(shape.begin() + axis + 1, shape.end(), [](std::int64_t size) { return size != 1; })) {
    out.refuse("it sums over several dimensions, where TNN's Softmax has one");
  }
  return axis;
}

}  // namespace

void write_softmax(LayerWriter& out) { out.add("Softmax", {out.input()}, texts_of({softmax_axis(out)})); }

void write_log_softmax(LayerWriter& out) {
  const std::string shares = out.add_float("Softmax", std::vector<std::string>{out.float_blob(out.input())},
                                           texts_of({softmax_axis(out)}), kNoValue, {}, "_softmax");
  out.add_float("Log", {shares}, {}, out.output());
}

void write_slice(LayerWriter& out) {
  const Shape shape = out.shape(out.input());
  auto begins = out.integers(1, "starts", "its starts");
  auto ends = out.integers(2, "ends", "its ends");
  std::vector<std::int64_t> axes(begins.size());
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<std::int64_t>(i);
  if (out.node().has("axes") || out.input(3) != kNoValue) axes = out.integers(3, "axes", "its axes");
  std::vector<std::int64_t> strides(begins.size(), 1);
  if (out.input(4) != kNoValue) strides = out.integers(4, "steps", "its steps");
  if (ends.size() != begins.size() || axes.size() != begins.size() || strides.size() != begins.size()) {
    out.refuse("it has not as many starts as ends, axes and steps");
  }
  for (std::size_t i = 0; i < begins.size(); ++i) {
    axes[i] = out.axis(axes[i], shape.size());
    if (static_cast<std::size_t>(axes[i]) >= shape.size()) out.refuse("an axis is beyond its dimensions");
    const std::int64_t size = shape[static_cast<std::size_t>(axes[i])];
    if (strides[i] < 1) out.refuse("it goes backwards, which is not written");
    const auto bounded = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); };
    begins[i] = bounded(begins[i]);
    ends[i] = bounded(ends[i]);
    if (begins[i] >= ends[i]) out.refuse("it leaves nothing");
  }
  std::vector<std::string> params;
  append(params, begins);
  append(params, ends);
  append(params, axes);
  append(params, strides);
  out.add("StridedSliceV2", {out.input()}, std::move(params));
}

/// A slice for each output.
void write_split(LayerWriter& out) {
  const Node& node = out.node();
  const std::int64_t axis = out.axis(node.int_or("axis", 0), out.shape(out.input()).size());
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.output(i) == kNoValue) out.refuse("it leaves an output out");
    const std::int64_t end = begin + out.shape(node.output(i))[static_cast<std::size_t>(axis)];
    std::vector<std::string> params;
    for (const std::int64_t number : {begin, end, axis, std::int64_t{1}}) append(params, {number});
    out.add_float("StridedSliceV2", std::vector<std::string>{out.float_blob(out.input())}, std::move(params),
                  node.output(i), {}, i == 0 ? std::string() : fmt::format("_{}", i));
    begin = end;
  }
}

/// Elements that follow each other along one axis: a slice. One index without dimensions takes the axis away.
void write_gather(LayerWriter& out) {
  if (out.graph().value(out.input()).is_constant()) {
    out.refuse("it looks up rows of a constant, which is not written: compute them before the model");
  }
  const Shape shape = out.shape(out.input());
  const std::int64_t axis = out.axis(out.node().int_or("axis", 0), shape.size());
  auto indices = out.integers(1, "indices", "its indices");
  if (indices.empty()) out.refuse("it leaves nothing");
  for (std::int64_t& index : indices) index += index < 0 ? shape[static_cast<std::size_t>(axis)] : 0;
  for (std::size_t i = 1; i < indices.size(); ++i) {
    if (indices[i] != indices[i - 1] + 1) out.refuse("what it takes does not follow each other");
  }
  std::vector<std::string> params;
  for (const std::int64_t number : {indices.front(), indices.back() + 1, axis, std::int64_t{1}}) {
    append(params, {number});
  }
  const Shape to = out.shape(out.output());
  if (to.empty()) out.refuse("it has no dimension left, where a blob of TNN has at least one");
  const std::vector<std::string> inputs{out.float_blob(out.input())};
  if (to.size() == shape.size()) {
    out.add_float("StridedSliceV2", inputs, std::move(params), out.output());
    return;
  }
  const std::string taken = out.add_float("StridedSliceV2", inputs, std::move(params), kNoValue, {}, "_slice");
  std::vector<std::string> reshape = texts_of({0, static_cast<std::int64_t>(to.size())});
  append(reshape, to);
  reshape.emplace_back("0");
  out.add_float("Reshape", {taken}, std::move(reshape), out.output());
}

void write_reduce(LayerWriter& out) {
  const std::size_t rank = out.shape(out.input()).size();
  std::vector<std::int64_t> axes;
  if (out.node().has("axes") || out.input(1) != kNoValue) {
    axes = out.integers(1, "axes", "its axes");
  }
  if (axes.empty()) {
    if (out.node().int_or("noop_with_empty_axes", 0) != 0) out.refuse("it names no dimension");
    for (std::size_t d = 0; d < rank; ++d) axes.push_back(static_cast<std::int64_t>(d));
  }
  for (std::int64_t& axis : axes) axis = out.axis(axis, rank);
  std::vector<std::int64_t> numbers{out.node().int_or("keepdims", 1)};
  if (numbers.front() == 0 && axes.size() == rank) out.refuse("it has no dimension left, where a blob of TNN has one");
  numbers.insert(numbers.end(), axes.begin(), axes.end());
  out.add(out.node().op_type, {out.input()}, texts_of(numbers));
}

}  // namespace octavo::formats::tnn
