#include <array>

#include "tables.h"

namespace octavo::planning {
namespace {

// Operators with 8-bit kernels in ONNX Runtime's CPU provider. PRelu, HardSwish and the like have none: they
// run in float between two pairs. Average pooling rescales, so its output keeps a range of its own, which is
// much narrower than its input's. Sigmoid and Softmax are left in float: they are cheap, and 8 bits of a
// probability are few.
constexpr std::array kRules{
    OpRule{"Conv", OpRole::weighted},
    OpRule{"Gemm", OpRole::weighted, /*float_output=*/true},
    OpRule{"MatMul", OpRole::weighted, /*float_output=*/true},
    OpRule{"Add", OpRole::computes},
    OpRule{"Mul", OpRole::computes},
    OpRule{"LeakyRelu", OpRole::computes},
    OpRule{"AveragePool", OpRole::computes},
    OpRule{"GlobalAveragePool", OpRole::computes},
    OpRule{"Concat", OpRole::joins},
    OpRule{"MaxPool", OpRole::moves_data},
    OpRule{"Reshape", OpRole::moves_data},
    OpRule{"Flatten", OpRole::moves_data},
    OpRule{"Squeeze", OpRole::moves_data},
    OpRule{"Unsqueeze", OpRole::moves_data},
    OpRule{"Transpose", OpRole::moves_data},
    OpRule{"Slice", OpRole::moves_data},
    OpRule{"Split", OpRole::moves_data},
    OpRule{"Gather", OpRole::moves_data},
    OpRule{"Pad", OpRole::moves_data},
    OpRule{"Resize", OpRole::moves_data},
    OpRule{"DepthToSpace", OpRole::moves_data},
    OpRule{"Relu", OpRole::activation},
    OpRule{"Clip", OpRole::activation},
};

constexpr BackendSpec kSpec{
    .name = "onnxruntime",
    .alias = "native",
    .description = "ONNX Runtime on CPUs: Q/DQ, uint8 affine activations, int8 symmetric weights per channel",
    .activation = {.qtype = QType::quint8, .bits = 8},
    .weight = {.qtype = QType::qint8, .bits = 8, .symmetric = true, .symmetric_range = true},
    .per_channel_weights = true,
    .activation_limits = {.affine = AffineSchemes::per_tensor, .most_bits = 16},
    // QLinearConv refuses channels whose zero points differ.
    .weight_limits = {.affine = AffineSchemes::per_tensor, .most_bits = 16, .per_channel = true, .per_group = true},
    .int32_bias = true,
    .dynamic = true,
    .min_opset = 10,
    .rules = kRules,
    .narrow_weights = {},
    .observer_rule = {},
    .arithmetic = kOnnxRuntimeArithmetic,
};

}  // namespace

const BackendSpec& onnxruntime() { return kSpec; }

}  // namespace octavo::planning
