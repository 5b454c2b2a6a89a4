#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "octavo/core/tensor.h"
#include "octavo/graph.h"

namespace octavo::calibration {

/// How the weight of a Conv, Gemm or MatMul is laid out, as `groups` matrices [outputs, inputs].
struct WeightLayout {
  std::size_t groups = 1;
  std::size_t outputs = 0;    ///< of one group
  std::size_t inputs = 0;     ///< that one output sums over: channels of the group · kernel positions
  bool inputs_first = false;  ///< Gemm without transB, MatMul

  std::size_t index(std::size_t group, std::size_t output, std::size_t input) const {
    return inputs_first ? input * outputs + output : (group * outputs + output) * inputs + input;
  }
};
WeightLayout weight_layout(const Node& node, std::span<const std::int64_t> weight);

/// The inputs that outputs of `node` sum over, [rows, groups · inputs], at `count` output positions spread evenly
/// over what there is in `x`, shifted by `sample` so that samples look at different ones. All positions where
/// there are fewer. Padding gives zeros.
std::vector<float> input_rows(const Node& node, std::span<const std::int64_t> weight, const TensorView& x,
                              std::size_t count, std::size_t sample);

}  // namespace octavo::calibration
