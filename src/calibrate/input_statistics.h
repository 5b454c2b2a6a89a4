#pragma once

#include <Eigen/Core>
#include <map>
#include <string>
#include <vector>

#include "input_rows.h"
#include "octavo/calibrate.h"
#include "tap_sums.h"

namespace octavo::calibration {

/// Inputs are looked at together in blocks of this many: time and memory grow with the square.
constexpr std::size_t kLargestBlock = 1536;

/// Σ x·xᵀ over rows of inputs, for each block of each group, lower triangles: what is kept does not grow with the rows.
struct Moments {
  std::vector<Eigen::MatrixXf> blocks;  ///< by group, then by block
  double rows = 0.0;
};

/// Of one operator; either part is empty where it does not apply.
struct OperatorInputs {
  Moments moments;
  TapSums sums;
};

/// A weight of 8 bits in rows: Conv, Gemm, MatMul of two dimensions.
bool has_rows(const Graph& graph, const WeightPlan& planned);
bool has_place_for_bias(const Node& node);
WeightLayout layout_of(const Graph& graph, const WeightPlan& planned);
/// Sizes of the blocks that a group's inputs are divided into.
std::vector<std::size_t> block_sizes(const WeightLayout& layout);

/// Whether the weight's input has a scale for each channel: its integers then stand for the weight multiplied by these,
/// and neither the moments nor the sums are of what they meet.
bool reads_scaled_channels(const Graph& graph, const Plan& plan, const WeightPlan& planned);

/// What one sample's tensor says of one of its readers: at `rows` places of the sample's own.
OperatorInputs look_at_input(const Graph& graph, const WeightPlan& planned, const TensorView& tensor, std::size_t rows,
                             std::size_t sample);
void add(OperatorInputs& total, const OperatorInputs& sample);

/// By which an operator is found again: the name of what it computes.
inline const std::string& key_of(const Graph& graph, NodeId node) {
  return graph.value(graph.node(node).output(0)).name;
}

}  // namespace octavo::calibration

struct octavo::InputStatistics::State {
  std::map<std::string, calibration::OperatorInputs, std::less<>> operators;
};
