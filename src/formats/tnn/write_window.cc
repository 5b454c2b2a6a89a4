#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "tnn/layer_writer.h"

namespace octavo::formats::tnn {
namespace {

/// Of Pad, by TNN's number.
constexpr std::array<std::string_view, 3> kModes = {"constant", "reflect", "edge"};

constexpr std::int64_t kMax = 0;
constexpr std::int64_t kAverage = 1;

/// Type, kernel, strides, pads, two unused numbers, padding type, ceil_mode, and no adaptive output.
std::vector<std::string> pooling_params(std::int64_t type, const std::array<Window, 2>& w, std::int64_t pad_type,
                                        bool ceil_mode) {
  return texts_of({type, w[0].kernel, w[1].kernel, w[0].stride, w[1].stride, w[0].pad_begin, w[1].pad_begin, -1, -1,
                   pad_type, ceil_mode ? 1 : 0, 0, -1, -1});
}

/// What TNN computes along a dimension, whose padding at the end is as large as at the beginning.
std::int64_t tnn_output(std::int64_t size, const Window& w, bool ceil_mode) {
  const std::int64_t steps = size + 2 * w.pad_begin - w.kernel;
  if (steps < 0) return -1;
  return (steps + (ceil_mode ? w.stride - 1 : 0)) / w.stride + 1;
}

/// Windows are cut at the borders, so that only their number depends on the padding at the end; nothing where neither
/// rounding gives the graph's.
std::optional<bool> ceil_mode_of(const Shape& input, const std::array<Window, 2>& windows) {
  for (const bool ceil_mode : {false, true}) {
    bool fits = true;
    for (std::size_t d = 0; d < 2; ++d) {
      fits = fits && tnn_output(input[d + 2], windows.at(d), ceil_mode) == windows.at(d).output;
    }
    if (fits) return ceil_mode;
  }
  return std::nullopt;
}

bool same_padding(const Shape& input, const std::array<Window, 2>& windows) {
  for (std::size_t d = 0; d < 2; ++d) {
    const Window& w = windows.at(d);
    const std::int64_t along = (w.output - 1) * w.stride + w.kernel - input[d + 2];
    if (along < 0 || w.pad_begin != along / 2 || w.output != (input[d + 2] + w.stride - 1) / w.stride) return false;
  }
  return true;
}

void require_plane(const LayerWriter& out, const Shape& input) {
  if (input.size() == 4) return;
  out.refuse(fmt::format("TNN's layer has two spatial dimensions; here the input has {} dimensions", input.size()));
}

/// In integers where what it reads and gives out is rounded alike: the largest of integers is one of them.
void add_pooling(LayerWriter& out, std::int64_t type, std::vector<std::string> params) {
  const ValueId input = out.input();
  if (type == kMax && out.reads_integers({input}) && out.view().only_quantized(out.output()) &&
      *out.view().scale(out.view().source(input)) == *out.view().scale(out.output())) {
    return out.add_integer("Pooling", {out.integer_blob(input)}, std::move(params), {out.output(), kNoNode});
  }
  out.add("Pooling", {input}, std::move(params));
}

/// TNN's averages leave the padding out: where it counts, zeros come from a layer before.
void write_counting_average(LayerWriter& out, const Shape& input, std::array<Window, 2> windows) {
  const Window& h = windows[0];
  const Window& w = windows[1];
  auto pads = texts_of({0, 0, h.pad_begin, h.pad_end, w.pad_begin, w.pad_end, 0, 0, 0});
  pads.push_back(text_of(0.0F));
  const std::string blob = out.add_float("Pad", std::vector<std::string>{out.float_blob(out.input())}, std::move(pads),
                                         kNoValue, {}, "_pad");
  Shape padded = input;
  for (std::size_t d = 0; d < 2; ++d) {
    padded[d + 2] += windows.at(d).pad_begin + windows.at(d).pad_end;
    windows.at(d).pad_begin = 0;
  }
  const auto ceil_mode = ceil_mode_of(padded, windows);
  if (!ceil_mode || *ceil_mode)
    out.refuse("its last windows reach over padding that it counts and padding that it does not");
  out.add_float("Pooling", std::vector<std::string>{blob}, pooling_params(kAverage, windows, -1, false), out.output());
}

}  // namespace

void write_pool(LayerWriter& out) {
  const Node& node = out.node();
  const Shape input = out.shape(out.input());
  require_plane(out, input);
  if (out.node().outputs.size() > 1 && out.node().output(1) != kNoValue) out.refuse("TNN gives no indices out");
  const auto kernel = node.ints_or("kernel_shape", {});
  const auto geometry = window_geometry(node, kernel, std::span<const std::int64_t>(input).subspan(2));
  const std::array<Window, 2> windows{geometry[0], geometry[1]};
  const bool average = node.op_type == "AveragePool";
  const std::int64_t type = average ? kAverage : kMax;
  const auto pads = [](const Window& w) { return w.pad_begin != 0 || w.pad_end != 0; };
  const bool padded = std::any_of(windows.begin(), windows.end(), pads);
  for (const Window& w : windows) {
    if (w.dilation != 1) out.refuse("its window has gaps (dilations), which TNN's Pooling has not");
  }
  if (average && padded && node.int_or("count_include_pad", 0) != 0) {
    return write_counting_average(out, input, windows);
  }
  if (const auto ceil_mode = ceil_mode_of(input, windows)) {
    return add_pooling(out, type, pooling_params(type, windows, -1, *ceil_mode));
  }
  if (!same_padding(input, windows)) {
    out.refuse(
        "TNN's Pooling takes the same padding at both ends of a dimension, or what the size of its output needs");
  }
  add_pooling(out, type, pooling_params(type, windows, 0, false));
}

/// A kernel of 0 stands for the whole plane.
void write_global_pool(LayerWriter& out) {
  require_plane(out, out.shape(out.input()));
  const std::int64_t type = out.node().op_type == "GlobalAveragePool" ? kAverage : kMax;
  Window whole;
  whole.kernel = 0;
  add_pooling(out, type, pooling_params(type, {whole, whole}, -1, false));
}

void write_pad(LayerWriter& out) {
  const Node& node = out.node();
  const auto pads = out.integers(1, "pads", "its paddings");
  const std::size_t rank = out.shape(out.input()).size();
  if (pads.size() != 2 * rank || node.input(3) != kNoValue) out.refuse("its paddings are not those of all dimensions");
  if (std::any_of(pads.begin(), pads.end(), [](std::int64_t p) { return p < 0; })) out.refuse("a padding is negative");
  const std::string mode = node.string_or("mode", "constant");
  const auto* const modes = std::find(kModes.begin(), kModes.end(), mode);
  if (modes == kModes.end()) out.refuse(fmt::format("TNN does not pad by '{}'", mode));
  const std::int64_t type = modes - kModes.begin();
  float value = node.float_or("value", 0.0F);
  if (node.input(2) != kNoValue) {
    const Tensor tensor = out.floats(node.input(2), "its value");
    if (tensor.size() == 1) value = tensor.data<float>()[0];
  }
  const bool plane = rank == 4 && pads[0] == 0 && pads[4] == 0 && (type == 0 || (pads[1] == 0 && pads[5] == 0));
  std::vector<std::int64_t> numbers;
  if (plane) {
    numbers = {0, 0, pads[2], pads[6], pads[3], pads[7], pads[1], pads[5], type};
  } else {
    numbers.push_back(static_cast<std::int64_t>(rank));
    numbers.insert(numbers.end(), pads.begin(), pads.end());
    numbers.push_back(type);
  }
  auto params = texts_of(numbers);
  params.push_back(text_of(value));
  out.add(plane ? "Pad" : "PadV2", {out.input()}, std::move(params));
}

/// TNN's nearest is the one before; its bilinear has the centres of pixels, or the corners, on each other.
void write_resize(LayerWriter& out) {
  const Node& node = out.node();
  const Shape from = out.shape(out.input());
  const Shape to = out.shape(out.output());
  require_plane(out, from);
  if (from[0] != to[0] || from[1] != to[1]) out.refuse("it resizes something else than height and width");
  const std::string mode = node.string_or("mode", "nearest");
  const bool upsample = node.op_type == "Upsample";
  const std::string where = node.string_or("coordinate_transformation_mode",
                                           upsample || out.graph().opset() < 11 ? "asymmetric" : "half_pixel");
  const bool whole = to[2] % from[2] == 0 && to[3] % from[3] == 0;
  const std::string rounding =
      node.string_or("nearest_mode", upsample || out.graph().opset() < 11 ? "floor" : "round_prefer_floor");
  const bool nearest = mode == "nearest" && ((where == "asymmetric" && (rounding == "floor" || whole)) ||
                                             (where != "align_corners" && whole && rounding != "ceil"));
  const bool centred = where == "half_pixel" || (where == "pytorch_half_pixel" && to[2] > 1 && to[3] > 1);
  const bool linear = mode == "linear" && (centred || where == "align_corners");
  if (!nearest && !linear) {
    out.refuse(fmt::format("TNN does not resize by '{}' with '{}' coordinates", mode, where));
  }
  const Tensor* scales = out.graph().constant(node.input(upsample || out.graph().opset() < 11 ? 1 : 2));
  for (std::size_t i = 2; scales != nullptr && scales->size() == 4 && i < 4; ++i) {
    // TNN takes the ratio of the sizes where ONNX takes the scale.
    if (where == "align_corners" ||
        scales->data<float>()[i] * static_cast<float>(from[i]) == static_cast<float>(to[i])) {
      continue;
    }
    out.refuse("its scales are not those of its sizes");
  }
  std::vector<std::string> params{nearest ? "1" : "2"};
  params.push_back(text_of(static_cast<float>(to[2]) / static_cast<float>(from[2])));
  params.push_back(text_of(static_cast<float>(to[3]) / static_cast<float>(from[3])));
  params.emplace_back(where == "align_corners" ? "1" : "0");
  for (const std::string& size : texts_of({to[2], to[3]})) params.push_back(size);
  out.add("Upsample", {out.input()}, std::move(params));
}

/// TNN has PyTorch's order of channels, "CRD"; with one channel both are the same.
void write_depth_to_space(LayerWriter& out) {
  const std::int64_t block = out.node().int_or("blocksize", 1);
  const Shape to = out.shape(out.output());
  if (out.node().string_or("mode", "DCR") != "CRD" && (to.size() != 4 || to[1] != 1)) {
    out.refuse("TNN's PixelShuffle has the order of channels 'CRD' alone");
  }
  out.add("PixelShuffle", {out.input()}, texts_of({block}));
}

}  // namespace octavo::formats::tnn
