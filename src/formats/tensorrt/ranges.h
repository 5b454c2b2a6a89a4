#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "octavo/formats.h"

namespace octavo::formats::tensorrt {

/// A tensor that TensorRT is to quantize: int8 with zero point 0 and one scale.
struct TensorScale {
  std::string name;  ///< in the float graph
  float scale = 1.0F;
};

/// QuantizeLinear nodes of activations that say what TensorRT's files of ranges cannot.
std::vector<UnsupportedNode> unsupported(const Graph& graph);

/// Every quantized activation once, in the graph's order.
std::vector<TensorScale> activation_scales(const Graph& graph);

/// TensorRT's calibration cache: a line `TRT-<version>-EntropyCalibration2`, then for each tensor `name: ` and the
/// eight hexadecimal digits of its scale as a float, most significant byte first. Layout as paddle2onnx and ppq write
/// it. `version`: digits such as 8601, or empty.
std::string calibration_cache(const std::vector<TensorScale>& tensors, std::string_view version);

/// ppq's file of dynamic ranges: {"act_quant_info": {name: largest magnitude}}.
std::string dynamic_ranges(const std::vector<TensorScale>& tensors);

}  // namespace octavo::formats::tensorrt
