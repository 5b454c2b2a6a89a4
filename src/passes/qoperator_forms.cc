#include "qoperator_forms.h"

#include <algorithm>
#include <array>

namespace octavo::passes {
namespace {

constexpr std::array kForms{
    QOperatorForm{"QLinearConv", "Conv", 2, 6, 8},
    QOperatorForm{"QLinearMatMul", "MatMul", 2, 6},
    QOperatorForm{"QGemm", "Gemm", 2, 7, 6, 0, /*float_result=*/true},
    QOperatorForm{"QLinearAdd", "Add", 2, 6},
    QOperatorForm{"QLinearMul", "Mul", 2, 6},
    QOperatorForm{"QLinearConcat", "Concat", 0, 0, 0, 2},
    QOperatorForm{"QLinearSigmoid", "Sigmoid"},
    QOperatorForm{"QLinearLeakyRelu", "LeakyRelu"},
    QOperatorForm{"QLinearSoftmax", "Softmax"},
    QOperatorForm{"QLinearGlobalAveragePool", "GlobalAveragePool"},
    QOperatorForm{"QLinearAveragePool", "AveragePool"},
};

constexpr std::array<std::string_view, 13> kMovers{"MaxPool",   "Reshape", "Flatten",     "Transpose", "Squeeze",
                                                   "Unsqueeze", "Slice",   "Split",       "Gather",    "Concat",
                                                   "Pad",       "Clip",    "DepthToSpace"};

/// From here on Softmax works along one axis; before, along all from it on.
constexpr std::int64_t kOpsetOfSoftmaxAxis = 13;

}  // namespace

const QOperatorForm* qoperator_form(const Node& node) {
  const auto* const found =
      std::find_if(kForms.begin(), kForms.end(), [&](const auto& form) { return form.op_type == node.op_type; });
  if (found == kForms.end()) return nullptr;
  const bool standard = found->op_type == "QLinearConv" || found->op_type == "QLinearMatMul";
  return node.domain == (standard ? "" : "com.microsoft") ? found : nullptr;
}

bool is_restorable(const Node& node, std::int64_t opset) {
  if (node.int_or("channels_last", 0) != 0) return false;
  if (node.op_type != "QLinearSoftmax") return true;
  return (node.int_or("opset", 0) >= kOpsetOfSoftmaxAxis) == (opset >= kOpsetOfSoftmaxAxis);
}

std::optional<std::int64_t> scales_axis(const Graph& graph, const Node& node, std::size_t operand, ValueId value) {
  if (node.op_type == "QLinearConv" && operand == 1) return 0;
  if (node.op_type == "QGemm" && operand == 1) return node.int_or("transB", 0) != 0 ? 0 : 1;
  const auto& dims = graph.value(value).dims;
  if (node.op_type != "QLinearMatMul" || !dims || dims->size() < 2) return std::nullopt;
  const auto rank = static_cast<std::int64_t>(dims->size());
  return operand == 0 ? rank - 2 : rank - 1;
}

bool moves_integers(const Node& node) {
  return node.domain.empty() && std::find(kMovers.begin(), kMovers.end(), node.op_type) != kMovers.end();
}

}  // namespace octavo::passes
