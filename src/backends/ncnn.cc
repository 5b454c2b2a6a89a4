#include <array>

#include "tables.h"

namespace octavo::planning {
namespace {

// Convolution, ConvolutionDepthWise and InnerProduct have int8 kernels; each quantizes its input by one scale and may
// end in float. Grouped convolutions have a scale a group, which one scale for all satisfies.
constexpr std::array kRules{
    // Groups of 8, 16 ... outputs with a float result: its x86 code (1.0.20261020) leaves the output uninitialized.
    OpRule{.op_type = "Conv",
           .role = OpRole::weighted,
           .float_output = true,
           .weight_rank = 4,
           .merges_groups = true,
           .broken_group_outputs = 8},
    OpRule{"Gemm", OpRole::weighted, /*float_output=*/true},
    OpRule{"Relu", OpRole::activation},
    OpRule{"Clip", OpRole::activation},
};

// ncnn2table does the same.
constexpr std::array kNarrowWeights{
    NarrowWeights{.op_type = "Conv",
                  .kernel = 3,
                  .stride = 1,
                  .dilation = 1,
                  .group = 1,
                  .bits = 6,
                  .reason = "ncnn computes 3x3 convolutions by Winograd's F(4,3) in 16 bits, which larger integers "
                            "overflow"},
};

constexpr BackendSpec kSpec{
    .name = "ncnn",
    .alias = {},
    .description = "ncnn: int8 symmetric inputs of convolutions and linear layers, int8 weights per channel",
    .activation = {.qtype = QType::qint8, .bits = 8, .symmetric = true, .symmetric_range = true},
    .weight = {.qtype = QType::qint8, .bits = 8, .symmetric = true, .symmetric_range = true},
    .per_channel_weights = true,
    .activation_limits = {.quint8 = false, .affine = AffineSchemes::none, .most_bits = 8},
    .weight_limits =
        {.quint8 = false, .affine = AffineSchemes::none, .most_bits = 8, .whole_bytes = true, .per_channel = true},
    .int32_bias = false,
    .dynamic = false,
    .splits_outputs = true,
    .min_opset = 10,
    .rules = kRules,
    .narrow_weights = kNarrowWeights,
    .observer_rule = {},
    // Symmetric integers of one scale waste range on tails of one sign: the least squared error cuts them.
    .observer = "MSEObserver",
    .one_sample = true,
    .arithmetic = kNcnnArithmetic,
};

}  // namespace

const BackendSpec& ncnn() { return kSpec; }

}  // namespace octavo::planning
