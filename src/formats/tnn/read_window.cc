#include <fmt/format.h>

#include <utility>

#include "tnn/layer_reader.h"

namespace octavo::formats::tnn {
namespace {

constexpr std::int64_t kMostWindow = std::int64_t{1} << 16;

/// TNN's last window may begin behind the input, where ONNX has none.
void require_same_windows(const LayerReader& in, const Shape& shape, const std::vector<std::int64_t>& kernel,
                          const std::vector<std::int64_t>& strides, const std::vector<std::int64_t>& pads) {
  for (std::size_t d = 0; d < 2; ++d) {
    const std::int64_t size = shape.at(d + 2);
    const std::int64_t steps = size + 2 * pads[d] - kernel[d];
    const std::int64_t last = (steps + strides[d] - 1) / strides[d] * strides[d];
    if (steps < 0 || last >= size + pads[d]) in.refuse("a window of it lies in the padding alone");
  }
}

ValueId padded(LayerReader& in, const std::vector<std::int64_t>& pads, std::int64_t type, float value) {
  Attributes attributes;
  switch (type) {
    case 0:
      attributes["mode"] = std::string("constant");
      break;
    case 1:
      attributes["mode"] = std::string("reflect");
      break;
    case 2:
      attributes["mode"] = std::string("edge");
      break;
    default:
      in.refuse(fmt::format("its padding type {} is not known; 0, 1 and 2 are", type));
  }
  return in.add("Pad", {in.input(), in.integers(pads), in.scalar(value)}, std::move(attributes));
}

}  // namespace

void read_pooling(LayerReader& in) {
  const bool average = in.integer_within(0, 0, 1) == 1;
  const std::vector<std::int64_t> kernel{in.integer_within(1, 0, kMostWindow), in.integer_within(2, 0, kMostWindow)};
  if (in.integer(11, 0) != 0) in.refuse("it is adaptive, which Octavo does not read");
  if (kernel[0] == 0 && kernel[1] == 0) {
    return in.result(in.add(average ? "GlobalAveragePool" : "GlobalMaxPool", {in.input()}));
  }
  if (kernel[0] == 0 || kernel[1] == 0) in.refuse("its window covers one whole dimension, which Octavo does not read");
  const std::vector<std::int64_t> strides{in.integer_within(3, 1, kMostWindow), in.integer_within(4, 1, kMostWindow)};
  const std::vector<std::int64_t> pads{in.integer_within(5, 0, kMostWindow), in.integer_within(6, 0, kMostWindow)};
  const std::int64_t pad_type = in.integer_within(9, -1, 1, -1);
  const bool ceil_mode = in.integer(10, 0) == 1;
  Attributes attributes;
  attributes["kernel_shape"] = kernel;
  attributes["strides"] = strides;
  if (pad_type == 0) {
    attributes["auto_pad"] = std::string("SAME_UPPER");
  } else if (pad_type == -1) {
    attributes["pads"] = std::vector<std::int64_t>{pads[0], pads[1], pads[0], pads[1]};
    attributes["ceil_mode"] = std::int64_t{ceil_mode ? 1 : 0};
  }
  const ValueId input = in.input();
  const auto shape = in.shape(input);
  if (shape && shape->size() != 4) in.fail(fmt::format("its input has {} dimensions, not 4", shape->size()));
  if (shape && pad_type == -1 && ceil_mode) require_same_windows(in, *shape, kernel, strides, pads);
  in.result(in.add(average ? "AveragePool" : "MaxPool", {input}, std::move(attributes)));
}

/// Two unused numbers, then top, bottom, left, right, before and behind the channels.
void read_pad(LayerReader& in) {
  const auto at = [&](std::size_t i) { return in.integer(i, 0); };
  const std::vector<std::int64_t> pads{0, at(6), at(2), at(4), 0, at(7), at(3), at(5)};
  in.result(padded(in, pads, in.integer(8, 0), in.number(9, 0.0F)));
}

/// ONNX's order.
void read_pad_v2(LayerReader& in) {
  const auto rank = static_cast<std::size_t>(in.integer_within(0, 1, 8));
  std::vector<std::int64_t> pads;
  for (std::size_t i = 0; i < 2 * rank; ++i) pads.push_back(in.integer(1 + i));
  in.result(padded(in, pads, in.integer(1 + 2 * rank, 0), in.number(2 + 2 * rank, 0.0F)));
}

/// Sizes win over scales.
void read_upsample(LayerReader& in) {
  const std::int64_t mode = in.integer(0);
  const bool align = in.integer(3, 0) == 1;
  Attributes attributes;
  if (mode == 1) {
    attributes["mode"] = std::string("nearest");
    attributes["nearest_mode"] = std::string("floor");
    attributes["coordinate_transformation_mode"] = std::string("asymmetric");
  } else if (mode == 2) {
    attributes["mode"] = std::string("linear");
    attributes["coordinate_transformation_mode"] = std::string(align ? "align_corners" : "half_pixel");
  } else {
    in.refuse(fmt::format("its mode {} is not read; 1 (nearest) and 2 (bilinear) are", mode));
  }
  const ValueId input = in.input();
  if (in.params() >= 6) {
    const auto shape = in.shape(input);
    if (!shape || shape->size() != 4) in.fail("the shape of its input is not known");
    const std::vector<std::int64_t> sizes{(*shape)[0], (*shape)[1], in.integer_within(4, 1, kMostWindow),
                                          in.integer_within(5, 1, kMostWindow)};
    return in.result(in.add("Resize", {input, kNoValue, kNoValue, in.integers(sizes)}, std::move(attributes)));
  }
  const ValueId scales = in.constant(Tensor::from<float>({4}, {1.0F, 1.0F, in.number(1), in.number(2)}));
  in.result(in.add("Resize", {input, kNoValue, scales}, std::move(attributes)));
}

void read_pixel_shuffle(LayerReader& in) {
  Attributes attributes;
  attributes["blocksize"] = in.integer_within(0, 1, kMostWindow);
  attributes["mode"] = std::string("CRD");
  in.result(in.add("DepthToSpace", {in.input()}, std::move(attributes)));
}

}  // namespace octavo::formats::tnn
