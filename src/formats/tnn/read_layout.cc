#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "tnn/layer_reader.h"

namespace octavo::formats::tnn {
namespace {

Attributes axis_attribute(std::int64_t axis) {
  Attributes attributes;
  attributes["axis"] = axis;
  return attributes;
}

ValueId sliced(LayerReader& in, std::vector<std::int64_t> begins, std::vector<std::int64_t> ends,
               std::vector<std::int64_t> axes, std::vector<std::int64_t> strides) {
  if (begins.empty() || ends.size() != begins.size() || axes.size() != begins.size() ||
      strides.size() != begins.size()) {
    in.fail("it has not as many beginnings as ends, axes and strides");
  }
  if (std::any_of(strides.begin(), strides.end(), [](std::int64_t s) { return s == 0; }))
    in.fail("a stride of it is 0");
  return in.add("Slice", {in.input(), in.integers(begins), in.integers(ends), in.integers(axes), in.integers(strides)});
}

}  // namespace

/// Dimensions before `axis` stay; 0 is the input's own, -1 what is left.
void read_reshape(LayerReader& in) {
  const std::int64_t axis = in.integer_within(0, 0, 8);
  std::int64_t replaced = in.integer_within(1, -1, 8);
  std::size_t at = 2;
  const auto shape = in.counted(at);
  if (in.integer(at, 0) != 0) in.refuse("it reshapes as TFLite does, which Octavo does not read");
  if (replaced == -1) replaced = static_cast<std::int64_t>(shape.size());
  if (static_cast<std::size_t>(replaced) != shape.size()) {
    in.refuse(fmt::format("it gives {} dimensions for {}", shape.size(), replaced));
  }
  std::vector<std::int64_t> dims(static_cast<std::size_t>(axis), 0);
  dims.insert(dims.end(), shape.begin(), shape.end());
  if (std::any_of(dims.begin(), dims.end(), [](std::int64_t d) { return d < -1; })) in.fail("a dimension is below -1");
  in.result(in.add("Reshape", {in.input(), in.integers(dims)}));
}

void read_flatten(LayerReader& in) {
  in.result(in.add("Flatten", {in.input()}, axis_attribute(in.integer_within(0, 0, 8))));
}

void read_permute(LayerReader& in) {
  std::size_t at = 0;
  Attributes attributes;
  attributes["perm"] = in.counted(at);
  in.result(in.add("Transpose", {in.input()}, std::move(attributes)));
}

void read_concat(LayerReader& in) {
  std::vector<ValueId> inputs;
  for (std::size_t i = 0; i < in.inputs(); ++i) inputs.push_back(in.input(i));
  if (inputs.empty()) in.fail("it reads nothing");
  in.result(in.add("Concat", std::move(inputs), axis_attribute(in.integer_within(0, -8, 8, 1))));
}

void read_softmax(LayerReader& in) {
  in.result(in.add("Softmax", {in.input()}, axis_attribute(in.integer_within(0, -8, 8, 1))));
}

void read_squeeze(LayerReader& in) {
  std::size_t at = 0;
  const auto axes = in.counted(at);
  const bool adds = in.layer().type == "Unsqueeze";
  in.result(in.add(adds ? "Unsqueeze" : "Squeeze", {in.input(), in.integers(axes)}));
}

/// Of all dimensions, from the first on; an end of 0 is the dimension's.
void read_strided_slice(LayerReader& in) {
  std::size_t at = 0;
  const auto begins = in.counted(at);
  auto ends = in.counted(at);
  auto strides = in.counted(at);
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < begins.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  for (std::int64_t& end : ends) {
    if (end == 0) end = std::numeric_limits<std::int32_t>::max();
  }
  in.result(sliced(in, begins, std::move(ends), std::move(axes), std::move(strides)));
}

void read_strided_slice_v2(LayerReader& in) {
  std::size_t at = 0;
  auto begins = in.counted(at);
  auto ends = in.counted(at);
  auto axes = in.counted(at);
  auto strides = in.counted(at);
  in.result(sliced(in, std::move(begins), std::move(ends), std::move(axes), std::move(strides)));
}

void read_reduce(LayerReader& in) {
  Attributes attributes;
  attributes["keepdims"] = std::int64_t{in.integer(0) != 0 ? 1 : 0};
  std::vector<std::int64_t> axes;
  for (std::size_t i = 1; i < in.params(); ++i) axes.push_back(in.integer_within(i, -8, 8));
  if (axes.empty()) in.fail("it names no dimension");
  // Opset 13 has the axes of sums alone as an input.
  if (in.layer().type == "ReduceSum") {
    return in.result(in.add("ReduceSum", {in.input(), in.integers(axes)}, std::move(attributes)));
  }
  attributes["axes"] = std::move(axes);
  in.result(in.add(in.layer().type, {in.input()}, std::move(attributes)));
}

}  // namespace octavo::formats::tnn
