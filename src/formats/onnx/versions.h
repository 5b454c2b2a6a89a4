#pragma once

#include <cstdint>

#include "octavo/core/dtype.h"

namespace octavo::formats::onnx_file {

/// TensorProto.DataType as a DType: `opaque` for what Octavo does not compute with, `undefined` for 0.
DType dtype_of_element(std::int32_t element_type);
/// The inverse; 0 for `undefined` and `opaque`.
std::int32_t element_type_of(DType dtype);

/// More dimensions than any model has; a bound for what comes after reading.
inline constexpr int kMostDimensions = 64;

/// Versions of the default operator set that are read.
inline constexpr std::int64_t kOldestOpset = 7;
inline constexpr std::int64_t kNewestOpset = 21;

/// The lowest IR version that goes with an operator set of ai.onnx and lets constants stand apart from inputs.
/// Runtimes refuse IR versions newer than they know, so lower is better.
std::int64_t lowest_ir_version(std::int64_t opset);

}  // namespace octavo::formats::onnx_file
