#pragma once

#include "octavo/formats.h"

namespace octavo::formats {

/// ONNX with pairs, planned for TensorRT.
extern const Exporter kTensorRtExporter;
/// TensorRT's calibration cache, and ppq's file of dynamic ranges. The tensors of both are those of the float model
/// "<output's stem>_float.onnx" written beside: equalized and folded, it is not the one that the user gave.
extern const Exporter kTensorRtCacheExporter;
extern const Exporter kTensorRtJsonExporter;

}  // namespace octavo::formats
