#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
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
using Matrix = Eigen::MatrixXd;

/// Added to the diagonal, as a share of its mean, for directions that the samples say little about.
constexpr double kDamping = 0.02;

/// E[x·xᵀ] of one block, of whose sum the lower triangle is known, damped.
Matrix damped_mean(const Eigen::MatrixXf& sum, double rows) {
  Matrix mean = Matrix(sum.cast<double>().selfadjointView<Eigen::Lower>()) / rows;
  mean.diagonal().array() += kDamping * mean.diagonal().mean() + 1e-20;
  return mean;
}

/// Columns in the order they are rounded: those that matter most first, while all others can still make up for
/// their error.
std::vector<Eigen::Index> rounding_order(const Matrix& moments) {
  std::vector<Eigen::Index> order(static_cast<std::size_t>(moments.rows()));
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](Eigen::Index a, Eigen::Index b) { return moments(a, a) > moments(b, b); });
  return order;
}

/// Inverts a lower triangular matrix in place, half by half: [A 0; B C] has the inverse [A' 0; -C'BA' C']. A third of
/// the work of solving for the unit matrix, which does not know that its solution is triangular.
void invert_lower(Eigen::Ref<Matrix> lower) {
  const Eigen::Index size = lower.rows();
  constexpr Eigen::Index kSmall = 32;
  if (size <= kSmall) {
    const Matrix inverse = lower.triangularView<Eigen::Lower>().solve(Matrix::Identity(size, size));
    lower.triangularView<Eigen::Lower>() = inverse;
    return;
  }
  const Eigen::Index half = size / 2;
  invert_lower(lower.topLeftCorner(half, half));
  invert_lower(lower.bottomRightCorner(size - half, size - half));
  auto corner = lower.bottomLeftCorner(size - half, half);
  const Matrix product = corner * lower.topLeftCorner(half, half).triangularView<Eigen::Lower>();
  corner = -(lower.bottomRightCorner(size - half, size - half).triangularView<Eigen::Lower>() * product);
}

/// The upper triangular U with inverse(H) = Uᵀ·U for H = `moments` in `order`. With H = V·Vᵀ, V upper triangular
/// (a Cholesky factor counted from the last row), U is the inverse of V. Empty where H is not finite and positive.
Matrix compensation(const Matrix& moments, const std::vector<Eigen::Index>& order) {
  if (!moments.allFinite()) return {};
  const auto size = moments.rows();
  Matrix backwards(size, size);
  for (Eigen::Index i = 0; i < size; ++i) {
    for (Eigen::Index j = 0; j < size; ++j) {
      backwards(i, j) =
          moments(order[static_cast<std::size_t>(size - 1 - i)], order[static_cast<std::size_t>(size - 1 - j)]);
    }
  }
  const Eigen::LLT<Matrix> factor(backwards);
  if (factor.info() != Eigen::Success) return {};
  Matrix lower = factor.matrixL();
  invert_lower(lower);
  return lower.reverse();
}

/// Rounds the weights of one block of inputs, one input after the other, for all outputs of a group at once; the
/// inputs still to come take over what each rounding did to the output (GPTQ, Frantar et al. 2022, arXiv
/// 2210.17323, after Optimal Brain Surgeon).
class BlockRounder {
 public:
  BlockRounder(const WeightLayout& layout, const QParams& params, std::span<const float> weights,
               std::span<std::int8_t> integers)
      : layout_(layout), params_(params), weights_(weights), integers_(integers) {}

  void round(std::size_t group, std::size_t first, const Matrix& moments) {
    const auto order = rounding_order(moments);
    const Matrix factors = compensation(moments, order);
    if (factors.size() == 0) return;  // the nearest integers stay
    const std::size_t outputs = layout_.outputs;
    const std::size_t inputs = order.size();
    const auto input_at = [&](std::size_t i) { return first + static_cast<std::size_t>(order[i]); };
    std::vector<float> pending(inputs * outputs);
    for (std::size_t i = 0; i < inputs; ++i) {
      for (std::size_t o = 0; o < outputs; ++o)
        pending[i * outputs + o] = weights_[layout_.index(group, o, input_at(i))];
    }
    std::vector<float> error(outputs);
    for (std::size_t i = 0; i < inputs; ++i) {
      const auto row = static_cast<Eigen::Index>(i);
      for (std::size_t o = 0; o < outputs; ++o) {
        const float weight = pending[i * outputs + o];
        const AffineMap map = affine_map(params_, group * outputs + o);
        const std::int32_t integer = quantize_value(weight, map);
        integers_[layout_.index(group, o, input_at(i))] = static_cast<std::int8_t>(integer);
        error[o] = (weight - dequantize_value(integer, map)) / static_cast<float>(factors(row, row));
      }
      for (std::size_t j = i + 1; j < inputs; ++j) {
        const auto share = static_cast<float>(factors(row, static_cast<Eigen::Index>(j)));
        float* later = pending.data() + j * outputs;
        for (std::size_t o = 0; o < outputs; ++o) later[o] -= error[o] * share;
      }
    }
  }

 private:
  const WeightLayout& layout_;
  const QParams& params_;
  std::span<const float> weights_;
  std::span<std::int8_t> integers_;
};

void round_one(const Graph& graph, const WeightPlan& planned, const Moments& moments, QuantizedTensor& rounded) {
  const Tensor& weight = *graph.constant(graph.node(planned.node).input(planned.input));
  const WeightLayout layout = calibration::layout_of(graph, planned);
  BlockRounder rounder(layout, rounded.params, weight.data<float>(), rounded.integers.mutable_data<std::int8_t>());
  std::size_t block = 0;
  for (std::size_t group = 0; group < layout.groups && !moments.blocks.empty(); ++group) {
    for (std::size_t first = 0; first < layout.inputs; first += calibration::kLargestBlock) {
      rounder.round(group, first, damped_mean(moments.blocks[block++], moments.rows));
    }
  }
}

}  // namespace

void compensate_rounding(const Graph& graph, const Plan& plan, const InputStatistics& inputs, int threads,
                         QuantizedWeights& weights) {
  ThreadPool pool(threads);
  pool.for_each(plan.weights.size(), [&](std::size_t i, int) {
    const WeightPlan& planned = plan.weights[i];
    const auto found = inputs.state().operators.find(calibration::key_of(graph, planned.node));
    if (found == inputs.state().operators.end() || planned.scheme.per_group()) return;
    if (calibration::reads_scaled_channels(graph, plan, planned)) return;
    round_one(graph, planned, found->second.moments, weights.at(planned.node));
  });
}

}  // namespace octavo
