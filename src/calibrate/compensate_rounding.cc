#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "input_rows.h"
#include "octavo/calibrate.h"
#include "octavo/core/rounding.h"
#include "octavo/parallel.h"
#include "watch.h"

namespace octavo {
namespace {

using calibration::WeightLayout;
using Matrix = Eigen::MatrixXd;

constexpr std::size_t kMostSamples = 32;
/// In all: fewer samples are looked at more closely.
constexpr std::size_t kRows = 2048;
/// Added to the diagonal, as a share of its mean, for directions that the samples say little about.
constexpr double kDamping = 0.02;
/// Inputs are looked at together in blocks of this many: time grows with the square, memory as well.
constexpr std::size_t kLargestBlock = 1536;

/// Σ x·xᵀ over rows of inputs, for each block of each group: what is kept does not grow with the rows.
struct Moments {
  std::vector<Eigen::MatrixXf> blocks;  ///< by group, then by block
  double rows = 0.0;

  void add(const Moments& other) {
    if (blocks.empty()) {
      *this = other;
      return;
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] += other.blocks[i];
    rows += other.rows;
  }
};

Moments moments_of(const std::vector<float>& rows, const WeightLayout& layout) {
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const std::size_t width = layout.groups * layout.inputs;
  const auto height = static_cast<Eigen::Index>(rows.size() / width);
  const Eigen::Map<const Rows> all(rows.data(), height, static_cast<Eigen::Index>(width));
  Moments moments;
  moments.rows = static_cast<double>(height);
  for (std::size_t group = 0; group < layout.groups; ++group) {
    for (std::size_t first = 0; first < layout.inputs; first += kLargestBlock) {
      const auto count = static_cast<Eigen::Index>(std::min(kLargestBlock, layout.inputs - first));
      const auto block = all.middleCols(static_cast<Eigen::Index>(group * layout.inputs + first), count);
      moments.blocks.emplace_back(block.transpose() * block);
    }
  }
  return moments;
}

/// E[x·xᵀ] of one block, damped.
Matrix damped_mean(const Eigen::MatrixXf& sum, double rows) {
  Matrix mean = sum.cast<double>() / rows;
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
  const Matrix lower = factor.matrixL();
  const Matrix inverse = lower.triangularView<Eigen::Lower>().solve(Matrix::Identity(size, size));
  return inverse.reverse();
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

bool is_supported(const Graph& graph, const WeightPlan& planned) {
  const Tensor& weight = *graph.constant(graph.node(planned.node).input(planned.input));
  return planned.scheme.storage() == DType::i8 && (graph.node(planned.node).op_type == "Conv" || weight.rank() == 2);
}

WeightLayout layout_of(const Graph& graph, const WeightPlan& planned) {
  const Node& node = graph.node(planned.node);
  return calibration::weight_layout(node, graph.constant(node.input(planned.input))->shape());
}

void round_one(const Graph& graph, const WeightPlan& planned, const Moments& moments, QuantizedTensor& rounded) {
  const Tensor& weight = *graph.constant(graph.node(planned.node).input(planned.input));
  const WeightLayout layout = layout_of(graph, planned);
  BlockRounder rounder(layout, rounded.params, weight.data<float>(), rounded.integers.mutable_data<std::int8_t>());
  std::size_t block = 0;
  for (std::size_t group = 0; group < layout.groups && !moments.blocks.empty(); ++group) {
    for (std::size_t first = 0; first < layout.inputs; first += kLargestBlock) {
      rounder.round(group, first, damped_mean(moments.blocks[block++], moments.rows));
    }
  }
}

}  // namespace

void compensate_rounding(const Graph& graph, const Plan& plan, QuantizedWeights& weights, const DataSource& data,
                         const CalibrateOptions& options) {
  std::vector<const WeightPlan*> planned;
  std::map<ValueId, std::vector<std::size_t>> readers;  // places in `planned`
  for (const WeightPlan& weight : plan.weights) {
    if (!is_supported(graph, weight)) continue;
    readers[graph.node(weight.node).input(0)].push_back(planned.size());
    planned.push_back(&weight);
  }
  std::vector<ValueId> values;
  for (const auto& [value, places] : readers) values.push_back(value);

  const auto indices = spread_indices(data.size(), kMostSamples);
  const std::size_t rows_a_sample = (kRows + indices.size() - 1) / std::max<std::size_t>(indices.size(), 1);
  std::vector<Moments> totals(planned.size());
  calibration::watch<std::vector<Moments>>(
      graph, values, data, indices, options, "round weights",
      [&](std::size_t i, const TensorView& tensor, std::size_t sample) {
        std::vector<Moments> found;
        for (const std::size_t place : readers.at(values[i])) {
          const Node& node = graph.node(planned[place]->node);
          const Shape& shape = graph.constant(node.input(planned[place]->input))->shape();
          found.push_back(moments_of(calibration::input_rows(node, shape, tensor, rows_a_sample, sample),
                                     layout_of(graph, *planned[place])));
        }
        return found;
      },
      [&](std::size_t i, const std::vector<Moments>& found) {
        const auto& places = readers.at(values[i]);
        for (std::size_t r = 0; r < places.size(); ++r) totals[places[r]].add(found[r]);
      });

  ThreadPool pool(options.threads);
  pool.for_each(planned.size(), [&](std::size_t place, int) {
    round_one(graph, *planned[place], totals[place], weights.at(planned[place]->node));
    totals[place] = {};
  });
}

}  // namespace octavo
