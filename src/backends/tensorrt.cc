#include <array>

#include "tables.h"

namespace octavo::planning {
namespace {

// Pairs stand before convolutions and linear layers; TensorRT moves them through pooling and the like by itself. A sum
// is fused into the convolution before it where the branch that skips it has a pair. It takes int8 with zero points of
// 0 alone, and biases in float.
constexpr std::array kRules{
    OpRule{"Conv", OpRole::weighted, /*float_output=*/true},
    OpRule{"ConvTranspose", OpRole::weighted, /*float_output=*/true},
    OpRule{"Gemm", OpRole::weighted, /*float_output=*/true},
    OpRule{"MatMul", OpRole::weighted, /*float_output=*/true},
    OpRule{"Add", OpRole::residual},
    OpRule{"Relu", OpRole::activation},
    OpRule{"Clip", OpRole::activation},
};

constexpr BackendSpec kSpec{
    .name = "tensorrt",
    .alias = {},
    .description = "TensorRT: Q/DQ, int8 symmetric activations, int8 symmetric weights per channel, float biases",
    .activation = {.qtype = QType::qint8, .bits = 8, .symmetric = true},
    .weight = {.qtype = QType::qint8, .bits = 8, .symmetric = true, .symmetric_range = true},
    .per_channel_weights = true,
    .activation_limits = {.quint8 = false, .affine = AffineSchemes::none, .most_bits = 8},
    .weight_limits = {.quint8 = false, .affine = AffineSchemes::none, .most_bits = 8, .per_channel = true},
    .int32_bias = false,
    .dynamic = false,
    // Parsers from TensorRT 10 on, as NVIDIA's own ModelOpt writes for them; those before take floats alone.
    .weight_storage = WeightStorage::integers,
    .min_opset = 10,
    .rules = kRules,
    .narrow_weights = {},
    .observer_rule = {},
    .arithmetic = kFloatBiasArithmetic,
};

}  // namespace

const BackendSpec& tensorrt() { return kSpec; }

}  // namespace octavo::planning
