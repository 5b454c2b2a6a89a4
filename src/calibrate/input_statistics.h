#pragma once

#include <Eigen/Core>
#include <map>
#include <vector>

#include "input_rows.h"
#include "octavo/calibrate.h"
#include "tap_sums.h"

namespace octavo::calibration {

/// Inputs are looked at together in blocks of this many: time and memory grow with the square.
constexpr std::size_t kLargestBlock = 1536;

/// Σ x·xᵀ over rows of inputs, for each block of each group: what is kept does not grow with the rows.
struct Moments {
  std::vector<Eigen::MatrixXf> blocks;  ///< by group, then by block
  double rows = 0.0;
};

/// What an operator's weights meet, in float and after the input's rounding.
struct InputSums {
  TapSums exact;
  TapSums rounded;
};

/// Of one operator; either part is empty where it does not apply.
struct OperatorInputs {
  Moments moments;
  InputSums sums;
};

/// A weight of 8 bits in rows: Conv, Gemm, MatMul of two dimensions.
bool has_rows(const Graph& graph, const WeightPlan& planned);
bool has_place_for_bias(const Node& node);
WeightLayout layout_of(const Graph& graph, const WeightPlan& planned);

}  // namespace octavo::calibration

struct octavo::InputStatistics::State {
  std::map<NodeId, calibration::OperatorInputs> operators;
};
