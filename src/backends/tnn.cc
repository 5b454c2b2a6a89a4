#include <array>

#include "tables.h"

namespace octavo::planning {
namespace {

// What quantization_cmd quantizes: Convolution, InnerProduct, Add and Concat, the last with a rescaled copy for each
// input. ReLU and max pooling go on with the integers they get; average pooling runs in float. The format holds zero
// points, but no kernel for Arm or x86 reads them.
constexpr std::array kRules{
    OpRule{"Conv", OpRole::weighted, /*float_output=*/false, /*weight_rank=*/4},
    OpRule{"Gemm", OpRole::weighted, /*float_output=*/false, /*weight_rank=*/0, /*merges_groups=*/false,
           /*per_tensor_only=*/true},
    OpRule{"Add", OpRole::computes},
    OpRule{"Concat", OpRole::computes},
    OpRule{"MaxPool", OpRole::moves_data},
    OpRule{"Relu", OpRole::activation},
    OpRule{"Clip", OpRole::activation},
};

constexpr BackendSpec kSpec{
    .name = "tnn",
    .alias = {},
    .description = "TNN: int8 symmetric activations, per tensor or per channel, int8 symmetric weights per channel",
    .activation = {.qtype = QType::qint8, .bits = 8, .symmetric = true, .symmetric_range = true},
    .weight = {.qtype = QType::qint8, .bits = 8, .symmetric = true, .symmetric_range = true},
    .per_channel_weights = true,
    // The kernels round to -127 to 127, whatever fewer integers were meant.
    .activation_limits =
        {.quint8 = false, .affine = AffineSchemes::none, .least_bits = 8, .most_bits = 8, .per_channel = true},
    .weight_limits =
        {.quint8 = false, .affine = AffineSchemes::none, .most_bits = 8, .whole_bytes = true, .per_channel = true},
    .int32_bias = true,
    .dynamic = false,
    .min_opset = 10,
    .rules = kRules,
    .narrow_weights = {},
    // Few elements make a poor histogram; what comes from outside must not be clipped.
    .observer_rule = {.observer = "TNNMinMaxObserver", .inputs = true, .plane_below = 100},
    .static_shapes = true,
    .one_sample = true,
    .arithmetic = kTnnArithmetic,
};

}  // namespace

const BackendSpec& tnn() { return kSpec; }

}  // namespace octavo::planning
