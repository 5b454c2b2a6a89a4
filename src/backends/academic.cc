#include <array>

#include "tables.h"

namespace octavo::planning {
namespace {

// As MMRazor's backend of this name: convolutions and linear layers alone, with their results, for comparing methods
// with papers. No runtime stands behind it, so it takes nearly every scheme.
constexpr std::array kRules{
    OpRule{"Conv", OpRole::weighted},   OpRule{"ConvTranspose", OpRole::weighted}, OpRule{"Gemm", OpRole::weighted},
    OpRule{"MatMul", OpRole::weighted}, OpRule{"Relu", OpRole::activation},        OpRule{"Clip", OpRole::activation},
};

constexpr BackendSpec kSpec{
    .name = "academic",
    .alias = {},
    .description = "convolutions and linear layers alone, nearly any scheme, for comparing with papers",
    .activation = {.qtype = QType::quint8, .bits = 8},
    .weight = {.qtype = QType::qint8, .bits = 8, .symmetric = true, .symmetric_range = true},
    .per_channel_weights = true,
    .activation_limits = {.most_bits = 16},
    .weight_limits = {.most_bits = 16, .per_channel = true},
    .int32_bias = false,
    .dynamic = true,
    .min_opset = 10,
    .rules = kRules,
    .narrow_weights = {},
    .observer_rule = {},
    .arithmetic = kOnnxRuntimeArithmetic,
};

}  // namespace

const BackendSpec& academic() { return kSpec; }

}  // namespace octavo::planning
