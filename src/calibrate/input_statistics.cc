#include "input_statistics.h"

#include <fmt/format.h>

#include <algorithm>

#include "octavo/error.h"

namespace octavo {
namespace calibration {

bool has_rows(const Graph& graph, const WeightPlan& planned) {
  const Tensor& weight = *graph.constant(graph.node(planned.node).input(planned.input));
  const std::string& type = graph.node(planned.node).op_type;
  if (planned.scheme.per_group()) return false;  // scales differ along a row
  return planned.scheme.storage() == DType::i8 && type != "ConvTranspose" && (type == "Conv" || weight.rank() == 2);
}

bool has_place_for_bias(const Node& node) { return node.op_type == "Conv" || node.op_type == "Gemm"; }

WeightLayout layout_of(const Graph& graph, const WeightPlan& planned) {
  const Node& node = graph.node(planned.node);
  return weight_layout(node, graph.constant(node.input(planned.input))->shape());
}

bool reads_scaled_channels(const Graph& graph, const Plan& plan, const WeightPlan& planned) {
  const ValueId input = graph.node(planned.node).input(0);
  return std::any_of(plan.activations.begin(), plan.activations.end(), [&](const ActivationPlan& activation) {
    return activation.value == input && activation.scheme.per_channel();
  });
}

std::vector<std::size_t> block_sizes(const WeightLayout& layout) {
  std::vector<std::size_t> sizes;
  for (std::size_t first = 0; first < layout.inputs; first += kLargestBlock) {
    sizes.push_back(std::min(kLargestBlock, layout.inputs - first));
  }
  return sizes;
}

namespace {

Moments moments_of(const std::vector<float>& rows, const WeightLayout& layout) {
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const std::size_t width = layout.groups * layout.inputs;
  const auto height = static_cast<Eigen::Index>(rows.size() / width);
  const Eigen::Map<const Rows> all(rows.data(), height, static_cast<Eigen::Index>(width));
  Moments moments;
  moments.rows = static_cast<double>(height);
  auto first = Eigen::Index{0};
  for (std::size_t group = 0; group < layout.groups; ++group) {
    for (const std::size_t block : block_sizes(layout)) {
      const auto size = static_cast<Eigen::Index>(block);
      Eigen::MatrixXf& sum = moments.blocks.emplace_back(Eigen::MatrixXf::Zero(size, size));
      sum.selfadjointView<Eigen::Lower>().rankUpdate(all.middleCols(first, size).transpose());
      first += size;
    }
  }
  return moments;
}

void add(Moments& total, const Moments& sample) {
  if (total.blocks.empty()) {
    total = sample;
    return;
  }
  for (std::size_t i = 0; i < sample.blocks.size(); ++i) {
    total.blocks[i].triangularView<Eigen::Lower>() += sample.blocks[i];
  }
  total.rows += sample.rows;
}

void add(TapSums& total, const TapSums& sample) {
  total.sums.resize(std::max(total.sums.size(), sample.sums.size()));
  for (std::size_t k = 0; k < sample.sums.size(); ++k) total.sums[k] += sample.sums[k];
  total.count += sample.count;
}

bool fit(const Graph& graph, const WeightPlan& planned, const OperatorInputs& inputs) {
  const WeightLayout layout = layout_of(graph, planned);
  if (!inputs.moments.blocks.empty()) {
    const auto sizes = block_sizes(layout);
    if (inputs.moments.blocks.size() != sizes.size() * layout.groups) return false;
    for (std::size_t i = 0; i < inputs.moments.blocks.size(); ++i) {
      if (static_cast<std::size_t>(inputs.moments.blocks[i].rows()) != sizes[i % sizes.size()]) return false;
    }
  }
  // Gemm and Conv alone have sums, and one for each input of all groups.
  return inputs.sums.sums.empty() || inputs.sums.sums.size() == layout.groups * layout.inputs;
}

}  // namespace

void add(OperatorInputs& total, const OperatorInputs& sample) {
  add(total.moments, sample.moments);
  add(total.sums, sample.sums);
}

OperatorInputs look_at_input(const Graph& graph, const WeightPlan& planned, const TensorView& tensor, std::size_t rows,
                             std::size_t sample) {
  const Node& node = graph.node(planned.node);
  const Shape& shape = graph.constant(node.input(planned.input))->shape();
  OperatorInputs found;
  if (has_rows(graph, planned)) {
    found.moments = moments_of(input_rows(node, shape, tensor, rows, sample), layout_of(graph, planned));
  }
  if (has_place_for_bias(node)) found.sums = tap_sums(node, shape, tensor);
  return found;
}

}  // namespace calibration

void require_fitting_inputs(const Graph& graph, const Plan& plan, const InputStatistics& inputs) {
  for (const WeightPlan& planned : plan.weights) {
    const auto found = inputs.state().operators.find(calibration::key_of(graph, planned.node));
    if (found == inputs.state().operators.end() || calibration::fit(graph, planned, found->second)) continue;
    throw Error(ErrorCode::invalid_argument,
                fmt::format("the calibration's sums for {} are not of its weight's shape: calibrate again",
                            describe(graph, planned.node)));
  }
}

}  // namespace octavo
