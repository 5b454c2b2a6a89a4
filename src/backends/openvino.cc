#include <array>

#include "tables.h"

namespace octavo::planning {
namespace {

// OpenVINO's CPU plugin reads Q/DQ as FakeQuantize and keeps 8 bits wherever both sides of an operator have them.
// What keeps its input's range shares its parameters, as in MMRazor's table for OpenVINO; but not averages of many
// values, whose range is far narrower: sharing cost ResNet-8 nine decibels.
constexpr std::array kRules{
    OpRule{"Conv", OpRole::weighted, /*float_output=*/true},
    OpRule{"ConvTranspose", OpRole::weighted, /*float_output=*/true},
    OpRule{"Gemm", OpRole::weighted, /*float_output=*/true},
    OpRule{"MatMul", OpRole::weighted, /*float_output=*/true},
    OpRule{"Add", OpRole::computes},
    OpRule{"Mul", OpRole::computes},
    OpRule{"Concat", OpRole::joins},
    OpRule{"MaxPool", OpRole::moves_data},
    OpRule{"AveragePool", OpRole::computes},
    OpRule{"GlobalAveragePool", OpRole::computes},
    OpRule{"ReduceMean", OpRole::moves_data},
    OpRule{"Reshape", OpRole::moves_data},
    OpRule{"Flatten", OpRole::moves_data},
    OpRule{"Squeeze", OpRole::moves_data},
    OpRule{"Unsqueeze", OpRole::moves_data},
    OpRule{"Transpose", OpRole::moves_data},
    OpRule{"Resize", OpRole::moves_data},
    OpRule{"Relu", OpRole::activation},
    OpRule{"Clip", OpRole::activation},
};

constexpr BackendSpec kSpec{
    .name = "openvino",
    .alias = {},
    .description = "OpenVINO on CPUs: Q/DQ, uint8 affine activations, int8 symmetric weights per channel, float biases",
    .activation = {.qtype = QType::quint8, .bits = 8},
    .weight = {.qtype = QType::qint8, .bits = 8, .symmetric = true, .symmetric_range = true},
    .per_channel_weights = true,
    .activation_limits = {.affine = AffineSchemes::per_tensor, .most_bits = 8},
    .weight_limits = {.quint8 = false, .affine = AffineSchemes::none, .most_bits = 8, .per_channel = true},
    .int32_bias = false,
    .dynamic = true,
    .splits_outputs = true,
    .min_opset = 10,
    .rules = kRules,
    .narrow_weights = {},
    .observer_rule = {},
    .arithmetic = kOpenVinoArithmetic,
};

}  // namespace

const BackendSpec& openvino() { return kSpec; }

}  // namespace octavo::planning
