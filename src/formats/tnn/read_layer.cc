#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "octavo/error.h"
#include "tnn/layer_reader.h"

namespace octavo::formats::tnn {
namespace {

struct Row {
  std::string_view type;
  void (*read)(LayerReader& in);
};

constexpr std::array kReaders{
    Row{"Convolution", read_convolution},
    Row{"Deconvolution", read_deconvolution},
    Row{"InnerProduct", read_inner_product},
    Row{"Pooling", read_pooling},
    Row{"Pad", read_pad},
    Row{"PadV2", read_pad_v2},
    Row{"Upsample", read_upsample},
    Row{"PixelShuffle", read_pixel_shuffle},
    Row{"Reshape", read_reshape},
    Row{"Flatten", read_flatten},
    Row{"Permute", read_permute},
    Row{"Concat", read_concat},
    Row{"Softmax", read_softmax},
    Row{"SoftmaxCaffe", read_softmax},
    Row{"Squeeze", read_squeeze},
    Row{"Unsqueeze", read_squeeze},
    Row{"StridedSlice", read_strided_slice},
    Row{"StridedSliceV2", read_strided_slice_v2},
    Row{"ReduceMean", read_reduce},
    Row{"ReduceMax", read_reduce},
    Row{"ReduceMin", read_reduce},
    Row{"ReduceProd", read_reduce},
    Row{"ReduceL1", read_reduce},
    Row{"ReduceL2", read_reduce},
    Row{"ReduceSum", read_reduce},
    Row{"Add", read_binary},
    Row{"Sub", read_binary},
    Row{"Mul", read_binary},
    Row{"Div", read_binary},
    Row{"Maximum", read_binary},
    Row{"Minimum", read_binary},
    Row{"ReLU", read_unary},
    Row{"Relu", read_unary},
    Row{"Sigmoid", read_unary},
    Row{"Tanh", read_unary},
    Row{"Abs", read_unary},
    Row{"Neg", read_unary},
    Row{"Sqrt", read_unary},
    Row{"Exp", read_unary},
    Row{"Log", read_unary},
    Row{"Floor", read_unary},
    Row{"Ceil", read_unary},
    Row{"Sign", read_unary},
    Row{"Softplus", read_unary},
    Row{"Reciprocal", read_unary},
    Row{"Identity", read_copies},
    Row{"Dropout", read_copies},
    Row{"Split", read_copies},
    Row{"ReLU6", read_relu6},
    Row{"Relu6", read_relu6},
    Row{"Clip", read_clip},
    Row{"Elu", read_elu},
    Row{"HardSigmoid", read_hard_sigmoid},
    Row{"HardSwish", read_hard_swish},
    Row{"PReLU", read_prelu},
    Row{"BatchNormCxx", read_batch_norm},
    Row{"BatchNormalization", read_batch_norm},
    Row{"Scale", read_batch_norm},
    Row{"Const", read_const},
};

}  // namespace

void read_layer(LayerReader& in) {
  const std::string_view type = in.layer().type;
  const auto* const row = std::find_if(kReaders.begin(), kReaders.end(), [&](const Row& r) { return r.type == type; });
  if (row == kReaders.end()) in.refuse("Octavo does not read layers of this type");
  try {
    row->read(in);
  } catch (const Error& error) {
    const std::string_view what = error.what();
    if (what.starts_with("layer '") || error.code() == ErrorCode::internal) throw;
    throw Error(error.code(), fmt::format("layer '{}' ({}): {}", in.layer().name, type, what));
  }
}

}  // namespace octavo::formats::tnn
