#include <algorithm>

#include "input_statistics.h"
#include "octavo/core/quantize.h"
#include "octavo/kernels.h"
#include "watch.h"

namespace octavo {
namespace calibration {

bool has_rows(const Graph& graph, const WeightPlan& planned) {
  const Tensor& weight = *graph.constant(graph.node(planned.node).input(planned.input));
  return planned.scheme.storage() == DType::i8 && (graph.node(planned.node).op_type == "Conv" || weight.rank() == 2);
}

bool has_place_for_bias(const Node& node) { return node.op_type == "Conv" || node.op_type == "Gemm"; }

WeightLayout layout_of(const Graph& graph, const WeightPlan& planned) {
  const Node& node = graph.node(planned.node);
  return weight_layout(node, graph.constant(node.input(planned.input))->shape());
}

namespace {

constexpr std::size_t kMostSamples = 32;
/// In all: fewer samples are looked at more closely.
constexpr std::size_t kRows = 2048;

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

void add(Moments& total, const Moments& sample) {
  if (total.blocks.empty()) {
    total = sample;
    return;
  }
  for (std::size_t i = 0; i < sample.blocks.size(); ++i) total.blocks[i] += sample.blocks[i];
  total.rows += sample.rows;
}

void add(TapSums& total, const TapSums& sample) {
  total.sums.resize(std::max(total.sums.size(), sample.sums.size()));
  for (std::size_t k = 0; k < sample.sums.size(); ++k) total.sums[k] += sample.sums[k];
  total.count += sample.count;
}

/// What one tensor says of one of its readers.
OperatorInputs look(const Graph& graph, const WeightPlan& planned, const TensorView& tensor, const TensorView& rounded,
                    std::size_t rows, std::size_t sample) {
  const Node& node = graph.node(planned.node);
  const Shape& shape = graph.constant(node.input(planned.input))->shape();
  OperatorInputs found;
  if (has_rows(graph, planned)) {
    found.moments = moments_of(input_rows(node, shape, tensor, rows, sample), layout_of(graph, planned));
  }
  if (has_place_for_bias(node)) found.sums = {tap_sums(node, shape, tensor), tap_sums(node, shape, rounded)};
  return found;
}

}  // namespace
}  // namespace calibration

InputStatistics survey_inputs(const Graph& graph, const Plan& plan, const QParamsByName& activations,
                              const DataSource& data, const CalibrateOptions& options) {
  using calibration::OperatorInputs;
  std::map<ValueId, std::vector<const WeightPlan*>> by_value;
  for (const WeightPlan& weight : plan.weights) by_value[graph.node(weight.node).input(0)].push_back(&weight);
  std::vector<ValueId> values;
  std::vector<std::vector<const WeightPlan*>> readers;  // of each of the values
  std::vector<const QParams*> params;                   // of each of the values
  for (auto& [value, planned] : by_value) {
    values.push_back(value);
    readers.push_back(std::move(planned));
    params.push_back(&activations.at(graph.value(value).name));
  }

  auto state = std::make_shared<InputStatistics::State>();
  const auto indices = spread_indices(data.size(), calibration::kMostSamples);
  const std::size_t rows = (calibration::kRows + indices.size() - 1) / std::max<std::size_t>(indices.size(), 1);
  calibration::watch<std::vector<OperatorInputs>>(
      graph, values, data, indices, options, "measure inputs",
      [&](std::size_t i, const TensorView& tensor, std::size_t sample) {
        const Tensor rounded = fake_quantize(tensor, *params[i], fast_kernels());
        std::vector<OperatorInputs> found;
        for (const WeightPlan* weight : readers[i]) {
          found.push_back(calibration::look(graph, *weight, tensor, rounded, rows, sample));
        }
        return found;
      },
      [&](std::size_t i, const std::vector<OperatorInputs>& found) {
        for (std::size_t r = 0; r < found.size(); ++r) {
          OperatorInputs& total = state->operators[readers[i][r]->node];
          calibration::add(total.moments, found[r].moments);
          calibration::add(total.sums.exact, found[r].sums.exact);
          calibration::add(total.sums.rounded, found[r].sums.rounded);
        }
      });
  return InputStatistics(std::move(state));
}

}  // namespace octavo
