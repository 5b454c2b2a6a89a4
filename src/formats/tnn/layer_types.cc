#include "tnn/layer_types.h"

#include <algorithm>
#include <array>

namespace octavo::formats::tnn {
namespace {

// Numbers of LayerType and names of GlobalConvertLayerType in TNN's source/tnn/core/layer_type.
constexpr std::array kTypes{
    LayerType{"Convolution", 1, Payload::convolution},
    LayerType{"Deconvolution", 22, Payload::convolution},
    LayerType{"InnerProduct", 19, Payload::inner_product},
    LayerType{"BatchNormCxx", 2, Payload::two_buffers},
    LayerType{"BatchNormalization", 2, Payload::two_buffers},
    LayerType{"Scale", 16, Payload::scale},
    LayerType{"PReLU", 35, Payload::named_buffer},
    LayerType{"Add", 38, Payload::one_buffer},
    LayerType{"Sub", 108, Payload::one_buffer},
    LayerType{"Mul", 42, Payload::one_buffer},
    LayerType{"Div", 175, Payload::one_buffer},
    LayerType{"Maximum", 137, Payload::one_buffer},
    LayerType{"Minimum", 140, Payload::one_buffer},
    LayerType{"Const", 100, Payload::one_buffer},
    LayerType{"BlobScale", 600, Payload::blob_scale},
    LayerType{"Pooling", 4, Payload::none},
    LayerType{"ReLU", 5, Payload::none},
    LayerType{"Relu", 5, Payload::none},
    LayerType{"ReLU6", 125, Payload::none},
    LayerType{"Relu6", 125, Payload::none},
    LayerType{"Split", 7, Payload::none},
    LayerType{"Concat", 8, Payload::none},
    LayerType{"Reshape", 9, Payload::none},
    LayerType{"Flatten", 10, Payload::none},
    LayerType{"Dropout", 11, Payload::none},
    LayerType{"Softmax", 21, Payload::none},
    LayerType{"SoftmaxCaffe", 21, Payload::none},
    LayerType{"Sigmoid", 23, Payload::none},
    LayerType{"Permute", 32, Payload::none},
    LayerType{"Tanh", 39, Payload::none},
    LayerType{"Abs", 41, Payload::none},
    LayerType{"Pad", 44, Payload::none},
    LayerType{"StridedSlice", 57, Payload::none},
    LayerType{"Neg", 70, Payload::none},
    LayerType{"Identity", 101, Payload::none},
    LayerType{"Squeeze", 118, Payload::none},
    LayerType{"Sqrt", 130, Payload::none},
    LayerType{"Elu", 132, Payload::none},
    LayerType{"Exp", 141, Payload::none},
    LayerType{"Upsample", 149, Payload::none},
    LayerType{"Unsqueeze", 164, Payload::none},
    LayerType{"ReduceMean", 169, Payload::none},
    LayerType{"Clip", 171, Payload::none},
    LayerType{"HardSigmoid", 172, Payload::none},
    LayerType{"HardSwish", 173, Payload::none},
    LayerType{"Softplus", 174, Payload::none},
    LayerType{"Sign", 176, Payload::none},
    LayerType{"ReduceMax", 177, Payload::none},
    LayerType{"Log", 184, Payload::none},
    LayerType{"Reciprocal", 185, Payload::none},
    LayerType{"Floor", 186, Payload::none},
    LayerType{"ReduceMin", 192, Payload::none},
    LayerType{"ReduceProd", 193, Payload::none},
    LayerType{"ReduceSum", 133, Payload::none},
    LayerType{"Ceil", 195, Payload::none},
    LayerType{"PixelShuffle", 303, Payload::none},
    LayerType{"StridedSliceV2", 306, Payload::none},
    LayerType{"PadV2", 316, Payload::none},
};

}  // namespace

const LayerType* layer_type(std::string_view name) {
  const auto* const it = std::find_if(kTypes.begin(), kTypes.end(), [&](const LayerType& t) { return t.name == name; });
  return it == kTypes.end() ? nullptr : it;
}

const LayerType* layer_type(std::int32_t number) {
  const auto* const it =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const LayerType& t) { return t.number == number; });
  return it == kTypes.end() ? nullptr : it;
}

}  // namespace octavo::formats::tnn
