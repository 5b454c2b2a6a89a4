#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "tnn/layer_writer.h"

namespace octavo::formats::tnn {
namespace {

struct Row {
  std::string_view op_type;
  void (*write)(LayerWriter& out);
};

constexpr std::array kWriters{
    Row{"Conv", write_conv},
    Row{"ConvTranspose", write_conv_transpose},
    Row{"Gemm", write_gemm},
    Row{"MatMul", write_matmul},
    Row{"MaxPool", write_pool},
    Row{"AveragePool", write_pool},
    Row{"GlobalMaxPool", write_global_pool},
    Row{"GlobalAveragePool", write_global_pool},
    Row{"Pad", write_pad},
    Row{"Resize", write_resize},
    Row{"Upsample", write_resize},
    Row{"DepthToSpace", write_depth_to_space},
    Row{"Reshape", write_reshape},
    Row{"Squeeze", write_reshape},
    Row{"Unsqueeze", write_reshape},
    Row{"Identity", write_reshape},
    Row{"Dropout", write_reshape},
    Row{"Flatten", write_flatten},
    Row{"Transpose", write_transpose},
    Row{"Concat", write_concat},
    Row{"Softmax", write_softmax},
    Row{"LogSoftmax", write_log_softmax},
    Row{"Slice", write_slice},
    Row{"Split", write_split},
    Row{"Gather", write_gather},
    Row{"ReduceMean", write_reduce},
    Row{"ReduceSum", write_reduce},
    Row{"ReduceMax", write_reduce},
    Row{"ReduceMin", write_reduce},
    Row{"ReduceProd", write_reduce},
    Row{"ReduceL1", write_reduce},
    Row{"ReduceL2", write_reduce},
    Row{"Add", write_binary},
    Row{"Sub", write_binary},
    Row{"Mul", write_binary},
    Row{"Div", write_binary},
    Row{"Max", write_binary},
    Row{"Min", write_binary},
    Row{"Pow", write_power},
    Row{"Relu", write_relu},
    Row{"Clip", write_clip},
    Row{"Sigmoid", write_unary},
    Row{"Tanh", write_unary},
    Row{"Abs", write_unary},
    Row{"Neg", write_unary},
    Row{"Sqrt", write_unary},
    Row{"Exp", write_unary},
    Row{"Log", write_unary},
    Row{"Floor", write_unary},
    Row{"Ceil", write_unary},
    Row{"Sign", write_unary},
    Row{"Softplus", write_unary},
    Row{"Reciprocal", write_unary},
    Row{"Elu", write_elu},
    Row{"HardSigmoid", write_hard_sigmoid},
    Row{"HardSwish", write_hard_swish},
    Row{"PRelu", write_prelu},
    Row{"LeakyRelu", write_leaky_relu},
    Row{"BatchNormalization", write_batch_norm},
};

}  // namespace

void write_layer(LayerWriter& out) {
  const Node& node = out.node();
  const auto* const row =
      std::find_if(kWriters.begin(), kWriters.end(), [&](const Row& r) { return r.op_type == node.op_type; });
  if (row == kWriters.end() || !node.domain.empty()) out.refuse("TNN has no layer for it that Octavo writes");
  row->write(out);
}

}  // namespace octavo::formats::tnn
