#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <vector>

#include "input_statistics.h"
#include "octavo/calibrate.h"
#include "octavo/core/rounding.h"
#include "octavo/parallel.h"

namespace octavo {
namespace {

using calibration::Moments;
using calibration::WeightLayout;

/// Added to the diagonal, as a share of its mean, for directions that the samples say little about.
constexpr double kDamping = 0.02;

/// Outputs, and inputs, whose weights are rounded together: as many sums as registers hold.
constexpr std::size_t kOutputs = 8;
constexpr std::size_t kInputs = 4;

/// Floats that every machine with vectors works on at once.
constexpr std::size_t kLanes = 4;
using Lanes [[gnu::vector_size(kLanes * sizeof(float))]] = float;

/// By how much errors of the inputs rounded before move each input's weights.
///
/// What errors d of one output's weights do to it has the mean square dᵀ·H·d, H = E[x·xᵀ]. With H = V·Vᵀ, V upper
/// triangular (a Cholesky factor counted from the last row), that is |Vᵀ·d|², and the i-th element of Vᵀ·d knows of the
/// first i errors alone. Each weight is therefore moved to where its own element would be nil, by the errors before it,
/// and rounded there. This is GPTQ (Frantar et al. 2022, arXiv 2210.17323) without its inverse of H.
struct Compensation {
  std::vector<std::size_t> order;  ///< of inputs: those that matter most first, while others can make up for them
  /// V(k, i) / V(i, i) with kInputs inputs i beside each other, for every k up to the last of these.
  std::vector<float> shares;

  /// Shares of the inputs from `first`, a multiple of kInputs.
  const float* shares_of(std::size_t first) const { return shares.data() + first * (first + kInputs) / 2; }
};

/// Inputs by their mean square, the largest first.
std::vector<std::size_t> rounding_order(const Eigen::MatrixXf& sum) {
  std::vector<std::size_t> order(static_cast<std::size_t>(sum.rows()));
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto square = [&](std::size_t i) { return sum(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(i)); };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return square(a) > square(b); });
  return order;
}

/// E[x·xᵀ] of one block, damped, with rows and columns from the last of `order` to the first; its lower triangle, as of
/// `sum`. In float, as the sum is: rounding is far below the damping.
Eigen::MatrixXf damped_mean(const Eigen::MatrixXf& sum, double rows, const std::vector<std::size_t>& order) {
  const auto scale = static_cast<float>(1.0 / rows);
  const Eigen::Index size = sum.rows();
  const auto input = [&](Eigen::Index i) {
    return static_cast<Eigen::Index>(order[static_cast<std::size_t>(size - 1 - i)]);
  };
  Eigen::MatrixXf mean(size, size);
  for (Eigen::Index j = 0; j < size; ++j) {
    const Eigen::Index b = input(j);
    for (Eigen::Index i = j; i < size; ++i) {
      const Eigen::Index a = input(i);
      mean(i, j) = sum(std::max(a, b), std::min(a, b)) * scale;
    }
  }
  const double damping = kDamping * mean.diagonal().cast<double>().mean() + 1e-20;
  mean.diagonal().array() += static_cast<float>(damping);
  return mean;
}

/// Without shares where E[x·xᵀ] is not finite and positive.
Compensation compensation(const Eigen::MatrixXf& sum, double rows) {
  Compensation result;
  if (!sum.diagonal().allFinite()) return result;
  result.order = rounding_order(sum);
  const Eigen::LLT<Eigen::MatrixXf> factor(damped_mean(sum, rows, result.order));
  // What is not finite anywhere in a row makes its last element so.
  if (factor.info() != Eigen::Success || !factor.matrixLLT().diagonal().allFinite()) return result;
  const Eigen::MatrixXf& lower = factor.matrixLLT();
  const std::size_t size = result.order.size();
  const std::size_t padded = (size + kInputs - 1) / kInputs * kInputs;
  result.shares.resize(padded * (padded + kInputs) / 2);
  float* out = result.shares.data();
  for (std::size_t first = 0; first < size; first += kInputs) {
    for (std::size_t k = 0; k < first + kInputs; ++k) {
      for (std::size_t i = first; i < first + kInputs; ++i, ++out) {
        if (k >= i || i >= size) continue;
        const auto column = static_cast<Eigen::Index>(size - 1 - i);
        *out = lower(static_cast<Eigen::Index>(size - 1 - k), column) / lower(column, column);
      }
    }
  }
  return result;
}

/// Rounds the weights of one block of inputs in the order of `compensation`, some outputs at once.
class BlockRounder {
 public:
  BlockRounder(const WeightLayout& layout, const QParams& params, std::span<const float> weights,
               std::span<std::int8_t> integers)
      : layout_(layout), params_(params), weights_(weights), integers_(integers) {}

  void round(std::size_t group, std::size_t first, const Compensation& compensation) {
    errors_.assign((compensation.order.size() + kInputs) * kOutputs, 0.0F);
    for (std::size_t output = 0; output < layout_.outputs; output += kOutputs) {
      const std::size_t outputs = std::min(kOutputs, layout_.outputs - output);
      for (std::size_t input = 0; input < compensation.order.size(); input += kInputs) {
        round_inputs(group, first, output, outputs, compensation, input);
      }
    }
  }

 private:
  using Sums = std::array<std::array<float, kOutputs>, kInputs>;

  /// By how much the errors of all inputs before the kInputs ones of `shares` move these. Sums stay in registers.
  static Sums moves(const float* shares, const float* errors, std::size_t before) {
    constexpr std::size_t kVectors = kOutputs / kLanes;
    std::array<std::array<Lanes, kVectors>, kInputs> sums = {};
    for (std::size_t k = 0; k < before; ++k) {
      for (std::size_t v = 0; v < kVectors; ++v) {
        Lanes error;
        std::memcpy(&error, errors + k * kOutputs + v * kLanes, sizeof(error));
        for (std::size_t i = 0; i < kInputs; ++i) sums[i][v] += error * shares[k * kInputs + i];
      }
    }
    Sums result;
    std::memcpy(result.data(), sums.data(), sizeof(result));
    return result;
  }

  void round_inputs(std::size_t group, std::size_t first, std::size_t output, std::size_t outputs,
                    const Compensation& compensation, std::size_t begin) {
    const float* shares = compensation.shares_of(begin);
    Sums sums = moves(shares, errors_.data(), begin);
    const std::size_t inputs = std::min(kInputs, compensation.order.size() - begin);
    for (std::size_t i = 0; i < inputs; ++i) {
      for (std::size_t k = begin; k < begin + i; ++k) {
        for (std::size_t o = 0; o < kOutputs; ++o) sums[i][o] += errors_[k * kOutputs + o] * shares[k * kInputs + i];
      }
      const std::size_t input = first + compensation.order[begin + i];
      for (std::size_t o = 0; o < outputs; ++o) {
        const std::size_t index = layout_.index(group, output + o, input);
        const AffineMap map = affine_map(params_, group * layout_.outputs + output + o);
        const std::int32_t integer = quantize_value(weights_[index] + sums[i][o], map);
        integers_[index] = static_cast<std::int8_t>(integer);
        errors_[(begin + i) * kOutputs + o] = weights_[index] - dequantize_value(integer, map);
      }
    }
  }

  const WeightLayout& layout_;
  const QParams& params_;
  std::span<const float> weights_;
  std::span<std::int8_t> integers_;
  std::vector<float> errors_;  ///< of inputs in order, kOutputs each
};

void round_one(const Graph& graph, const WeightPlan& planned, const Moments& moments, QuantizedTensor& rounded) {
  const Tensor& weight = *graph.constant(graph.node(planned.node).input(planned.input));
  const WeightLayout layout = calibration::layout_of(graph, planned);
  BlockRounder rounder(layout, rounded.params, weight.data<float>(), rounded.integers.mutable_data<std::int8_t>());
  std::size_t block = 0;
  for (std::size_t group = 0; group < layout.groups && !moments.blocks.empty(); ++group) {
    for (std::size_t first = 0; first < layout.inputs; first += calibration::kLargestBlock) {
      const Compensation found = compensation(moments.blocks[block++], moments.rows);
      if (!found.shares.empty()) rounder.round(group, first, found);  // else the nearest integers stay
    }
  }
}

/// Weights in the order in which threads take them: those with most to do first, so that none is left with one alone.
std::vector<const WeightPlan*> largest_first(const Graph& graph, const Plan& plan) {
  std::vector<std::pair<std::size_t, const WeightPlan*>> by_work;
  for (const WeightPlan& planned : plan.weights) {
    if (!calibration::has_rows(graph, planned)) continue;
    const Tensor& weight = *graph.constant(graph.node(planned.node).input(planned.input));
    const std::size_t inputs = calibration::layout_of(graph, planned).inputs;
    by_work.emplace_back(static_cast<std::size_t>(weight.size()) * std::min(inputs, calibration::kLargestBlock),
                         &planned);
  }
  std::stable_sort(by_work.begin(), by_work.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<const WeightPlan*> weights;
  for (const auto& [work, planned] : by_work) weights.push_back(planned);
  return weights;
}

}  // namespace

void compensate_rounding(const Graph& graph, const Plan& plan, const InputStatistics& inputs, int threads,
                         QuantizedWeights& weights) {
  const auto ordered = largest_first(graph, plan);
  ThreadPool pool(threads);
  pool.for_each(ordered.size(), [&](std::size_t i, int) {
    const WeightPlan& planned = *ordered[i];
    const auto found = inputs.state().operators.find(calibration::key_of(graph, planned.node));
    if (found == inputs.state().operators.end()) return;
    if (calibration::reads_scaled_channels(graph, plan, planned)) return;
    round_one(graph, planned, found->second.moments, weights.at(planned.node));
  });
}

}  // namespace octavo
