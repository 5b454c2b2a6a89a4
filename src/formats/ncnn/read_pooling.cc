#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "layer_reader.h"

namespace octavo::formats::ncnn {
namespace {

constexpr std::int64_t kLargestWindow = 1 << 16;

struct Sizes {
  std::vector<std::int64_t> kernel, strides, pads;
};

Sizes sizes_of(const Params& params) {
  const std::int32_t kernel = params.int_or(1, 0);
  const std::int32_t stride = params.int_or(2, 1);
  const std::int32_t left = params.int_or(3, 0);
  const std::int32_t top = params.int_or(13, left);
  Sizes sizes{{params.int_or(11, kernel), kernel},
              {params.int_or(12, stride), stride},
              {top, left, params.int_or(15, top), params.int_or(14, left)}};
  for (const std::int64_t size : sizes.kernel) checked("a size of its windows", size, 1, kLargestWindow);
  for (const std::int64_t size : sizes.strides) checked("a stride", size, 1, kLargestWindow);
  for (const std::int64_t size : sizes.pads) checked("a padding", size, 0, kLargestWindow);
  return sizes;
}

/// In full mode ncnn takes every window that reaches the padded input, ONNX those that begin before the padding at its
/// end: the same where none can begin later.
bool same_full_mode(const Sizes& sizes) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (sizes.strides[i] + sizes.pads[i + 2] > sizes.kernel[i]) return false;
  }
  return true;
}

void read_windows(LayerReader& reader, const Layer& layer, bool average) {
  enum Mode { full = 0, valid = 1, same_upper = 2, same_lower = 3 };
  const Params& params = layer.params;
  const ReadBlob& input = reader.bottom(layer);
  reader.require_dims(input, 3, 3);
  const Sizes sizes = sizes_of(params);
  const auto mode = static_cast<Mode>(checked("the padding mode", params.int_or(5, 0), full, same_lower));
  const bool same = mode == same_upper || mode == same_lower;
  const bool counts = average && (same || params.int_or(6, 0) != 0);  // ncnn counts its own pads of SAME
  if (mode == full && (!same_full_mode(sizes) || counts)) {
    LayerReader::refuse("windows that leave the input, which ONNX counts in another way");
  }
  const std::string op_type = average ? "AveragePool" : "MaxPool";
  const ValueId value =
      reader.emit(layer, op_type, {input.value}, {{"kernel_shape", sizes.kernel}, {"strides", sizes.strides}});
  auto& attributes = reader.graph().mutable_node(reader.graph().producer(value)).attributes;
  if (same) {
    attributes["auto_pad"] = std::string(mode == same_upper ? "SAME_UPPER" : "SAME_LOWER");
  } else {
    attributes["pads"] = sizes.pads;
    attributes["ceil_mode"] = std::int64_t{mode == full ? 1 : 0};
  }
  if (average) attributes["count_include_pad"] = std::int64_t{counts ? 1 : 0};
  reader.finish_like(layer, input, value);
}

void read_pooling(LayerReader& reader, const Layer& layer) {
  const Params& params = layer.params;
  const bool average = checked("the kind of pooling", params.int_or(0, 0), 0, 1) == 1;
  const bool global = params.int_or(4, 0) != 0;
  const bool adaptive = params.int_or(7, 0) != 0;
  if (!global && !adaptive) return read_windows(reader, layer, average);
  ReadBlob blob = reader.bottom(layer);
  reader.require_dims(blob, 3, 3);
  if (!global && (params.int_or(8, 0) != 1 || params.int_or(18, params.int_or(8, 0)) != 1)) {
    LayerReader::refuse("windows of unequal sizes, which ONNX has not");
  }
  blob.value = reader.emit(layer, average ? "GlobalAveragePool" : "GlobalMaxPool", {blob.value});
  blob.integer = false;
  blob.pooled = global;
  blob.dims = global ? 1 : 3;
  reader.finish(layer, blob);
}

void read_reduction(LayerReader& reader, const Layer& layer) {
  static constexpr std::array<std::string_view, 11> kOperators{
      "ReduceSum",  "",         "ReduceSumSquare", "ReduceMean",   "ReduceMax",      "ReduceMin",
      "ReduceProd", "ReduceL1", "ReduceL2",        "ReduceLogSum", "ReduceLogSumExp"};
  const Params& params = layer.params;
  const auto& op_type = kOperators.at(static_cast<std::size_t>(checked("the operation", params.int_or(0, 0), 0, 10)));
  if (op_type.empty() || params.float_or(2, 1.0F) != 1.0F) LayerReader::refuse("ONNX has no such reduction");
  const ReadBlob& input = reader.bottom(layer);
  reader.require_dims(input, 1, 4);
  std::vector<std::int64_t> axes;
  if (params.int_or(1, 1) == 0) {
    for (const std::int32_t axis : params.ints(3)) {
      axes.push_back(checked("an axis", axis < 0 ? axis + input.dims : axis, 0, input.dims - 1) + 1);
    }
  }
  for (int i = 1; axes.empty() && i <= input.dims; ++i) axes.push_back(i);
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  const bool all = static_cast<int>(axes.size()) == input.dims;
  const bool keeps = params.int_or(4, 0) != 0;
  const ValueId source = reader.plain(input);
  const std::int64_t keepdims = keeps || all ? 1 : 0;
  ValueId value =
      op_type == "ReduceSum"
          ? reader.emit(layer, op_type, {source, reader.ints(layer, "axes", axes)}, {{"keepdims", keepdims}})
          : reader.emit(layer, op_type, {source}, {{"axes", axes}, {"keepdims", keepdims}});
  ReadBlob result;
  result.dims = keeps ? input.dims : std::max(input.dims - static_cast<int>(axes.size()), 1);
  if (all && !keeps) value = reader.emit(layer, "Reshape", {value, reader.ints(layer, "shape", {1, 1})});
  result.value = value;
  reader.finish(layer, result);
}

}  // namespace

std::span<const ReadRule> pooling_readers() {
  static constexpr std::array kRules{
      ReadRule{"Pooling", &read_pooling},
      ReadRule{"Reduction", &read_reduction},
  };
  return kRules;
}

}  // namespace octavo::formats::ncnn
