#pragma once

#include <string>

#include "octavo/core/tensor.h"

namespace octavo::onnx_node {

/// What is wrong with `actual`, in words; empty where it is right: same type and shape, integers equal, floats
/// within 1e-7 + 1e-3 |expected|, NaN where NaN is expected: the tolerance of ONNX's own runner.
std::string difference(const Tensor& actual, const Tensor& expected);

}  // namespace octavo::onnx_node
