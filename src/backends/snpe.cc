#include <array>

#include "tables.h"

namespace octavo::planning {
namespace {

// Qualcomm's DSPs run whole networks in integers, affine and per tensor, weights as well. Written from SNPE's public
// documentation and MQBench's table; not run here.
constexpr std::array kRules{
    OpRule{"Conv", OpRole::weighted},
    OpRule{"ConvTranspose", OpRole::weighted},
    OpRule{"Gemm", OpRole::weighted},
    OpRule{"MatMul", OpRole::weighted},
    OpRule{"Add", OpRole::computes},
    OpRule{"Sub", OpRole::computes},
    OpRule{"Mul", OpRole::computes},
    OpRule{"Div", OpRole::computes},
    OpRule{"LeakyRelu", OpRole::computes},
    OpRule{"Elu", OpRole::computes},
    OpRule{"HardSwish", OpRole::computes},
    OpRule{"Sigmoid", OpRole::computes},
    OpRule{"Tanh", OpRole::computes},
    OpRule{"AveragePool", OpRole::computes},
    OpRule{"GlobalAveragePool", OpRole::computes},
    OpRule{"ReduceMean", OpRole::computes},
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
    .name = "snpe",
    .alias = {},
    .description = "SNPE on Qualcomm's DSPs: uint8 affine activations and weights, per tensor",
    .activation = {.qtype = QType::quint8, .bits = 8},
    .weight = {.qtype = QType::quint8, .bits = 8},
    .per_channel_weights = false,
    .activation_limits = {.affine = AffineSchemes::per_tensor, .most_bits = 16},
    .weight_limits = {.affine = AffineSchemes::per_tensor, .most_bits = 8, .per_channel = true},
    .int32_bias = true,
    .dynamic = false,
    .min_opset = 10,
    .rules = kRules,
    .narrow_weights = {},
    .observer_rule = {},
    .arithmetic = kOnnxRuntimeArithmetic,
};

}  // namespace

const BackendSpec& snpe() { return kSpec; }

}  // namespace octavo::planning
