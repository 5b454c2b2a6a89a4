// octavo_runtime_models FOLDER [MODEL.onnx]...: writes graphs before and after passes, with inputs and with what our
// executor computes, for agree_graphs.py to run in ONNX Runtime.
#include <fmt/format.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "octavo/backends.h"
#include "octavo/core/observers/table.h"
#include "octavo/core/weights/groups.h"
#include "octavo/formats.h"
#include "octavo/passes.h"
#include "support/graphs.h"
#include "support/upgrade_cases.h"

namespace octavo {
namespace {

namespace fs = std::filesystem;

void write_floats(const fs::path& path, const Tensor& tensor) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(tensor.bytes()), static_cast<std::streamsize>(tensor.byte_size()));
  if (!file) throw Error(ErrorCode::io, fmt::format("'{}' cannot be written", path.string()));
}

class Folder {
 public:
  explicit Folder(fs::path path) : path_(std::move(path)) { fs::create_directories(path_); }

  void inputs(const std::string& name, const std::vector<Tensor>& tensors) const { write(name, "in", tensors); }
  /// The graph with what our executor makes of the inputs.
  void computed(const std::string& name, const Graph& graph, const std::vector<Tensor>& inputs) const {
    model(name, graph);
    write(name, "out", test::run_graph(graph, inputs));
  }
  void model(const std::string& name, const Graph& graph) const { save_model(graph, path_ / (name + ".onnx")); }

 private:
  void write(const std::string& name, const char* kind, const std::vector<Tensor>& tensors) const {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      write_floats(path_ / fmt::format("{}.{}{}", name, kind, i), tensors[i]);
    }
  }
  fs::path path_;
};

void write_upgrades(const Folder& folder) {
  int number = 0;
  for (const test::UpgradeCase& test : test::upgrade_cases()) {
    Graph graph = test::graph_of(test);
    infer_shapes(graph);
    for (const ValueId id : graph.outputs()) {  // ONNX wants a type where an operator of ours has no shape rule
      if (graph.value(id).dtype == DType::undefined) graph.value(id).dtype = DType::f32;
    }
    const std::string name = fmt::format("upgrade_{:02}", number++);
    folder.inputs(name, test::random_inputs(graph, 7));
    folder.model(name + "_before", graph);
    upgrade_opset(graph, 21);
    folder.model(name + "_after", graph);
  }
}

QuantizedTensor rounded(const Tensor& weight, const WeightPlan& plan) {
  const QScheme& scheme = plan.scheme;
  ObserverOptions options = plan.observer_options;
  if (scheme.per_group()) options.axis = 0;
  const auto observer = plan.observer.make(options);
  const Tensor seen = scheme.per_group() ? group_rows(weight, scheme.axis, scheme.group_size) : weight;
  observer->fold(*observer->summarize(seen));
  const QParams params = scheme.per_group()
                             ? params_of_groups(observer->compute_qparams(scheme_of_rows(scheme)), scheme)
                             : observer->compute_qparams(scheme);
  return {params, quantize(weight, params)};
}

QuantizedWeights round_all(const Graph& graph, const Plan& plan) {
  QuantizedWeights weights;
  for (const WeightPlan& weight : plan.weights) {
    weights[weight.node] = rounded(*graph.constant(graph.node(weight.node).input(weight.input)), weight);
  }
  return weights;
}

struct Mode {
  std::string name;
  int bits = 8;
  int group_size = 0;
  bool dynamic = false;
};

/// Groups run along what a product sums over.
void use_groups(const Graph& graph, WeightPlan& weight, int group_size) {
  const Node& node = graph.node(weight.node);
  if (graph.constant(node.input(1))->rank() != 2) return;
  weight.scheme.axis = node.op_type == "Gemm" && node.int_or("transB", 0) != 0 ? 1 : 0;
  weight.scheme.group_size = group_size;
}

void write_data_free(const Folder& folder, const std::string& name, Graph graph) {
  const BackendSpec& backend = backend_named("onnxruntime");
  prepare_for(graph, backend);
  const std::vector<Tensor> inputs = test::random_inputs(graph, 11);
  folder.inputs(name, inputs);
  folder.computed(name + "_float", graph, inputs);
  for (const Mode& mode :
       {Mode{"int8"}, Mode{"int4", 4}, Mode{"int4_groups", 4, 16}, Mode{"int16", 16}, Mode{"dynamic", 8, 0, true}}) {
    Graph quantized = graph;
    Plan plan = make_plan(quantized, backend);
    for (WeightPlan& weight : plan.weights) {
      weight.scheme.bits = mode.bits;
      if (mode.group_size > 0) use_groups(quantized, weight, mode.group_size);
    }
    plan.activations.clear();
    plan.biases.clear();
    raise_opset(quantized, plan);
    const QuantizedWeights weights = round_all(quantized, plan);
    if (mode.dynamic) {
      insert_dynamic(quantized, plan, weights);
    } else {
      insert_weights_only(quantized, plan, weights);
    }
    infer_shapes(quantized);
    folder.computed(fmt::format("{}_{}", name, mode.name), quantized, inputs);
  }
}

/// Pairs around a value: `params` by name.
void write_pairs(const Folder& folder, const std::string& name, int bits, int weight_bits,
                 const QParamsByName& params) {
  Graph graph = parse_graph(R"(graph opset 13 { input x: f32[2,4,9,9] const w: f32[6,4,3,3] = random(1)
    const b: f32[6] = random(2) const v: f32[6,1,3,3] = random(3) const u: f32[4,3,1,1] = random(4)
    c = Conv(x, w, b) r = Relu(c) d = Conv(r, v) {group=6} e = Conv(d, u) {group=2} s = Relu(e) const n: f32[100,5] = random(5)
    f = Flatten(s) y = Gemm(f, n) output y })");
  infer_shapes(graph);
  const std::vector<Tensor> inputs = test::random_inputs(graph, 13);
  folder.inputs(name, inputs);
  folder.computed(name + "_float", graph, inputs);
  Plan plan;
  QuantizedWeights weights;
  for (const NodeId id : graph.nodes()) {
    plan.integer_nodes.insert(id);
    const bool convolution = graph.node(id).op_type == "Conv";
    if (!convolution && (graph.node(id).op_type != "Gemm" || !params.contains("f"))) continue;
    WeightPlan& weight = plan.weights.emplace_back();
    weight.node = id;
    weight.scheme = {.qtype = QType::qint8,
                     .bits = weight_bits,
                     .symmetric = true,
                     .symmetric_range = true,
                     .axis = convolution ? 0 : 1};
    weight.observer = *find_observer("PerChannelMinMaxObserver");
    weight.observer_options.axis = weight.scheme.axis;
    const Tensor& values = *graph.constant(graph.node(id).input(1));
    const auto steps = input_steps(graph, id, params.at(graph.value(graph.node(id).input(0)).name));
    weights[id] = rounded(steps ? multiplied_by_steps(values, *steps) : values, weight);
  }
  for (const auto& [value, unused] : params) {
    ActivationPlan& activation = plan.activations.emplace_back();
    activation.value = graph.find_value(value).value();
    activation.scheme.bits = bits;
    activation.integer_producer = value != "x";
  }
  raise_opset(graph, plan);
  insert_qdq(graph, plan, params, weights);
  infer_shapes(graph);
  folder.computed(name + "_quantized", graph, inputs);
}

QParams channels(std::size_t count, float scale) {
  QParams params;
  for (std::size_t c = 0; c < count; ++c) params.scale.push_back(scale * (1.0F + static_cast<float>(c) / 4.0F));
  params.zero_point.assign(count, 128);
  params.axis = 1;
  return params;
}

QParams whole(float scale, DType storage, std::int32_t most) {
  QParams params;
  params.scale = {scale};
  params.zero_point = {(most + 1) / 2};
  params.quant_max = most;
  params.storage = storage;
  return params;
}

void run(const fs::path& path, std::span<char* const> models) {
  const Folder folder(path);
  write_upgrades(folder);
  write_data_free(folder, "convolutions", parse_graph(R"(graph opset 13 { input x: f32[1,3,12,12]
    const w: f32[8,3,3,3] = random(1) const b: f32[8] = random(2) const v: f32[40,288] = random(3)
    const g: f32[40] = random(4) c = Conv(x, w, b) {strides=[2,2], pads=[1,1,1,1]} r = Relu(c) f = Flatten(r)
    y = Gemm(f, v, g) {transB=1} output y })"));
  for (const char* model : models) write_data_free(folder, fs::path(model).stem().string(), load_model(model));
  write_pairs(folder, "channels", 8, 8,
              {{"x", channels(4, 0.006F)}, {"r", channels(6, 0.05F)}, {"d", channels(6, 0.08F)}});
  const auto everywhere = [](DType storage, std::int32_t most) {
    const float step = 1.0F / static_cast<float>(most);
    return QParamsByName{{"x", whole(2.0F * step, storage, most)},
                         {"r", whole(24.0F * step, storage, most)},
                         {"d", whole(48.0F * step, storage, most)},
                         {"f", whole(48.0F * step, storage, most)}};
  };
  write_pairs(folder, "wide", 16, 8, everywhere(DType::u16, 65535));
  write_pairs(folder, "narrow", 4, 8, everywhere(DType::u8, 15));
  write_pairs(folder, "weights4", 8, 4, everywhere(DType::u8, 255));
}

}  // namespace
}  // namespace octavo

int main(int argc, char** argv) {
  try {
    if (argc < 2)
      throw octavo::Error(octavo::ErrorCode::invalid_argument, "usage: octavo_runtime_models FOLDER [MODEL]...");
    octavo::run(argv[1], std::span(argv + 2, static_cast<std::size_t>(argc - 2)));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
