#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <utility>

#include "octavo/backends.h"
#include "octavo/calibrate.h"
#include "octavo/core/weights/admm.h"
#include "octavo/error.h"
#include "octavo/kernels.h"
#include "octavo/passes.h"
#include "octavo/quantize.h"
#include "pipeline.h"
#include "tnn_plan.h"

namespace octavo {
namespace {

constexpr int kAdmm = 1;
constexpr int kAsymmetric = 3;

[[noreturn]] void refuse(const std::string& text) { throw Error(ErrorCode::invalid_argument, text); }

QConfig config_of(const TnnJob& job) {
  if (job.weight_method == kAsymmetric) {
    refuse(
        fmt::format("--weight_method: 3 (ASY_MIN_MAX) gives zero points, {}; take 0 or 1", tnn_tool::kTnnZeroPoints));
  }
  if (job.weight_method != 0 && job.weight_method != kAdmm) {
    refuse(fmt::format("--weight_method: {} found, expected 0 (MIN_MAX) or 1 (ADMM)", job.weight_method));
  }
  QConfig config;
  ObserverChoice observer;
  observer.type = tnn_tool::tnn_observer(job.blob_method);
  config.activation.observer = observer;
  apply_merge_type(config, job.merge_type);
  for (const std::string& layer : job.skipped_layers) {
    QOverride& skipped = config.overrides.emplace_back();
    skipped.node = layer;
    skipped.skip = true;
  }
  return config;
}

void merge_scales(const Graph& graph, std::span<const NodeId> pools, QParamsByName& parameters) {
  for (std::size_t i = pools.size(); i-- > 0;) {  // from the last: a pool's input may be another's output
    const Node& node = graph.node(pools[i]);
    const auto from = parameters.find(graph.value(node.output(0)).name);
    const auto to = parameters.find(graph.value(node.input(0)).name);
    if (from != parameters.end() && to != parameters.end()) to->second = from->second;
  }
}

/// The step of MIN_MAX as TNN computes it, rounded once: observers round a range, and then its quotient.
float min_max_step(const Range& seen) {
  const float largest = std::max(std::fabs(seen.min), std::fabs(seen.max));
  const float interval = 2048.0F / largest;
  return static_cast<float>(2047.5 / double{interval} / 127.0);
}

/// Gives activations that MIN_MAX measured the steps that TNN gives them.
void set_min_max_steps(const Graph& graph, const Plan& plan, const Calibration& calibration,
                       QParamsByName& parameters) {
  for (const ActivationPlan& activation : plan.activations) {
    if (activation.observer.name.find("MinMax") == std::string_view::npos) continue;
    const std::string& name = graph.value(activation.value).name;
    const auto seen = calibration.values.find(name);
    const auto found = parameters.find(name);
    if (seen == calibration.values.end() || found == parameters.end()) continue;
    std::vector<float>& steps = found->second.scale;
    if (seen->second.tensors.size() != steps.size()) continue;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const Range range = seen->second.tensors[i].histogram().range();
      if (range.empty() || (range.min == 0.0F && range.max == 0.0F)) continue;
      const float step = min_max_step(range);
      if (std::isfinite(step) && step > 0.0F) steps[i] = step;
    }
  }
}

/// A weight as TNN stores it.
struct Rounded {
  QuantizedTensor weight;     ///< as insert_qdq wants it
  std::vector<float> handle;  ///< steps of the sums: of the input times of the weight
  std::vector<bool> zero;     ///< where all weights of a step are 0
};

/// Largest magnitude of a step over 127; 1 where it is 0, and said so.
std::vector<float> steps_of(std::span<const float> values, std::size_t count, std::vector<bool>& zero) {
  std::vector<float> steps;
  const std::size_t row = values.size() / count;
  for (std::size_t s = 0; s < count; ++s) {
    float largest = 0.0F;
    for (const float value : values.subspan(s * row, row)) largest = std::max(largest, std::fabs(value));
    zero.push_back(largest == 0.0F);
    steps.push_back(largest == 0.0F ? 1.0F : largest / 127.0F);
  }
  return steps;
}

void round_to_nearest(std::span<const float> values, std::span<const float> steps, std::span<std::int8_t> integers) {
  const std::size_t row = values.size() / steps.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float inverse = 1.0F / steps[i / row];  // TNN multiplies
    integers[i] = static_cast<std::int8_t>(std::clamp(std::round(values[i] * inverse), -127.0F, 127.0F));
  }
}

/// The step of the weight alone, so that times the input's it gives `product` again where that can be.
float divided(float product, float step) {
  const float quotient = product / step;
  if (quotient * step == product) return quotient;
  for (const float direction : {0.0F, std::numeric_limits<float>::max()}) {
    const float neighbour = std::nextafter(quotient, direction);
    if (neighbour * step == product) return neighbour;
  }
  return quotient;
}

bool is_depthwise(const Node& node, const Tensor& weight) {
  return node.op_type == "Conv" && weight.dim(1) == 1 && weight.dim(0) == node.int_or("group", 1);
}

Rounded rounded_weight(const Graph& graph, NodeId id, const QParams& input, const TnnJob& job) {
  const Node& node = graph.node(id);
  const Tensor& weight = *graph.constant(node.input(1));
  if (node.op_type == "Gemm" && node.int_or("transB", 0) == 0) {
    throw Error(ErrorCode::internal, fmt::format("{}: its weight is not stored by rows", describe(graph, id)));
  }
  const bool depthwise = is_depthwise(node, weight);
  const auto outputs = static_cast<std::size_t>(weight.dim(0));
  Tensor multiplied = weight;
  if (const auto steps = input_steps(graph, id, input)) {
    multiplied = multiplied_by_steps(weight, *steps);
  } else if (!depthwise) {
    for (float& value : multiplied.mutable_data<float>()) value *= input.scale.front();
  }
  const auto values = multiplied.data<float>();
  Rounded result;
  QParams params;
  params.scale = steps_of(values, job.merge_type == 2 ? 1 : outputs, result.zero);
  params.zero_point.assign(params.scale.size(), 0);
  params.axis = job.merge_type == 2 ? QScheme::kPerTensor : 0;
  params.quant_min = -127;
  params.quant_max = 127;
  params.storage = DType::i8;
  if (job.weight_method == kAdmm) {
    QScheme scheme;
    scheme.qtype = QType::qint8;
    scheme.symmetric = true;
    scheme.symmetric_range = true;
    scheme.axis = params.axis;
    result.weight = quantize_tnn_admm(multiplied, scheme, params, fast_kernels());
  } else {
    result.weight.integers = Tensor(DType::i8, weight.shape());
    round_to_nearest(values, params.scale, result.weight.integers.mutable_data<std::int8_t>());
    result.weight.params = params;
  }
  std::vector<float>& steps = result.weight.params.scale;
  result.handle = steps;
  if (depthwise) {
    if (input.per_channel()) result.handle.resize(outputs, steps.front());
    for (std::size_t o = 0; o < result.handle.size(); ++o) {
      result.handle[o] *= input.scale[input.per_channel() ? o : 0];
    }
  } else if (!input.per_channel()) {
    for (float& step : steps) step = divided(step, input.scale.front());
  }
  return result;
}

/// Towards zero; 0 beside weights that are.
Tensor truncated_bias(const Tensor& bias, const Rounded& rounded) {
  constexpr double kMost = std::numeric_limits<std::int32_t>::max();
  Tensor integers(DType::i32, {bias.size()});
  const auto values = integers.mutable_data<std::int32_t>();
  const auto from = bias.data<float>();
  for (std::size_t o = 0; o < values.size(); ++o) {
    const float step = rounded.handle[rounded.handle.size() == 1 ? 0 : o];
    const float steps = std::trunc(from[o] / step);
    if (rounded.zero[rounded.zero.size() == 1 ? 0 : o] || std::isnan(steps)) continue;
    values[o] = static_cast<std::int32_t>(std::clamp(static_cast<double>(steps), -kMost, kMost));
  }
  return integers;
}

/// DequantizeLinear of an int32 bias, for input 2 of a node.
void set_bias(Graph& graph, NodeId id, Tensor integers, const std::vector<float>& steps) {
  const std::string base = graph.value(graph.node(id).input(2)).name;
  const auto name = [&](const char* suffix) { return graph.unique_value_name(fmt::format("{}_{}", base, suffix)); };
  const Shape shape = steps.size() > 1 ? Shape{static_cast<std::int64_t>(steps.size())} : Shape{};
  Node node;
  node.name = graph.unique_node_name(base + "_DequantizeLinear");
  node.op_type = "DequantizeLinear";
  node.inputs = {graph.add_constant(name("quantized"), std::move(integers)),
                 graph.add_constant(name("scale"), Tensor::from<float>(shape, std::span<const float>(steps))),
                 graph.add_constant(name("zero_point"), Tensor(DType::i32, shape))};
  if (steps.size() > 1) node.attributes["axis"] = std::int64_t{0};
  const ValueId output = graph.add_value(name("dequantized"), DType::f32, graph.value(graph.node(id).input(2)).dims);
  node.outputs = {output};
  graph.add_node(std::move(node), id);
  graph.set_input(id, 2, output);
}

}  // namespace

TnnResult quantize_as_tnn(const Graph& model, const DataSource& data, const TnnJob& job) {
  const BackendSpec& backend = backend_named("tnn");
  const QConfig config = config_of(job);
  pipeline::require_float_model(model);
  TnnResult result;
  result.graph = model;
  Graph& graph = result.graph;
  result.notes = prepare_for(graph, backend);
  Plan plan = make_plan(graph, backend, config);
  result.notes.insert(result.notes.end(), plan.notes.begin(), plan.notes.end());
  if (plan.weights.empty()) {
    throw Error(ErrorCode::unsupported,
                "nothing in the model can run in integers: it has no Convolution or InnerProduct");
  }
  plan.biases.clear();
  const std::vector<NodeId> pools = tnn_tool::plan_as_tnn(graph, plan, job);
  CalibrateOptions options;
  options.threads = job.threads;
  options.skip_bad_files = job.skip_bad_files;
  options.progress = job.progress;
  options.input_statistics = false;
  options.for_any_observer = true;  // ranges themselves, beside what the observers keep
  const Calibration calibration = calibrate(graph, plan, data, options);
  for (const std::string& file : calibration.bad_files) result.notes.push_back("skipped: " + file);
  QParamsByName parameters = compute_parameters(graph, plan, calibration, job.threads);
  set_min_max_steps(graph, plan, calibration, parameters);
  merge_scales(graph, pools, parameters);
  std::map<NodeId, Rounded> rounded;
  QuantizedWeights weights;
  for (const WeightPlan& planned : plan.weights) {
    const QParams& input = parameters.at(graph.value(graph.node(planned.node).input(0)).name);
    const Rounded& entry = rounded[planned.node] = rounded_weight(graph, planned.node, input, job);
    weights[planned.node] = entry.weight;
  }
  insert_qdq(graph, plan, parameters, weights);
  for (const auto& [id, entry] : rounded) {
    const Tensor* const bias = graph.constant(graph.node(id).input(2));
    if (bias != nullptr) set_bias(graph, id, truncated_bias(*bias, entry), entry.handle);
  }
  graph.sort();
  graph.remove_dead();
  infer_shapes(graph);
  result.samples = calibration.samples;
  result.integer_layers = plan.integer_nodes.size();
  return result;
}

}  // namespace octavo
