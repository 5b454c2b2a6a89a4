// For agree.py, which runs in ncnn what octavo wrote:
// octavo_ncnn_models graphs FOLDER: writes made graphs, float and quantized, each with inputs.
// octavo_ncnn_models run MODEL.onnx INPUTS.npy FOLDER BLOBS: writes MODEL as FOLDER/model.param, reads that back, and
// writes what our executor computes with ncnn's arithmetic on each row of INPUTS: outputs of all, and for the first
// BLOBS rows each value that is a blob of the file.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "octavo/backends.h"
#include "octavo/data.h"
#include "octavo/execute.h"
#include "octavo/formats.h"
#include "octavo/passes.h"
#include "octavo/quantize.h"
#include "support/graphs.h"

namespace octavo {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSamples = 8;
/// What reading back may change, relative to the largest output: reciprocals of scales are rounded.
constexpr double kReadBack = 1e-4;

struct Made {
  std::string name;
  std::string text;
  bool quantized = true;
};

/// Every operator that ncnn has a layer for, in forms that its kernels treat apart.
std::vector<Made> made_graphs() {
  const std::string image = "input x: f32[1,8,9,11] ";
  const std::string pointwise = "const p: f32[16,8,1,1] = random(31, -0.4, 0.4) const pb: f32[16] = random(32) ";
  return {
      {"conv1x1",
       image + pointwise + "c = Conv(x, p, pb) r = Relu(c) y = Conv(r, v) const v: f32[4,16,1,1] = random(3)"},
      {"conv3x3", image + R"(const w: f32[16,8,3,3] = random(1, -0.2, 0.2) const b: f32[16] = random(2)
         const v: f32[16,16,3,3] = random(3, -0.2, 0.2) c = Conv(x, w, b) {pads=[1,1,1,1]} r = Relu(c)
         d = Conv(r, v) {pads=[1,1,1,1]} y = LeakyRelu(d) {alpha=0.125})"},
      {"strided", image + R"(const w: f32[16,8,3,3] = random(1, -0.2, 0.2) const v: f32[8,16,5,3] = random(3, -0.1, 0.1)
         c = Conv(x, w) {pads=[0,1,1,0], strides=[2,1]} r = Relu(c) y = Conv(r, v) {pads=[2,1,2,1], strides=[1,2]})"},
      {"dilated", image + R"(const w: f32[6,8,3,3] = random(1, -0.2, 0.2)
         c = Conv(x, w) {pads=[2,2,2,2], dilations=[2,2]} y = Sigmoid(c))"},
      {"same", image + R"(const w: f32[6,8,2,3] = random(1, -0.2, 0.2)
         c = Conv(x, w) {auto_pad="SAME_UPPER", strides=[2,2]} y = Mish(c))"},
      {"depthwise", image + R"(const w: f32[8,1,3,3] = random(1) const b: f32[8] = random(2)
         const lo: f32[] = {0} const hi: f32[] = {6} c = Conv(x, w, b) {group=8, pads=[1,1,1,1]} r = Clip(c, lo, hi)
         const v: f32[4,8,1,1] = random(3) y = Conv(r, v))"},
      {"multiplied", image + R"(const w: f32[16,1,3,3] = random(1) c = Conv(x, w) {group=8, pads=[1,1,1,1]}
         y = Relu(c))"},
      {"grouped", image + R"(const w: f32[12,4,3,3] = random(1, -0.2, 0.2) c = Conv(x, w) {group=2, pads=[1,1,1,1]}
         h = HardSwish(c) const v: f32[4,12,1,1] = random(3) y = Conv(h, v))"},
      {"residual", image + R"(const w: f32[8,8,3,3] = random(1, -0.2, 0.2) const v: f32[8,8,1,1] = random(3, -0.3, 0.3)
         c = Conv(x, w) {pads=[1,1,1,1]} r = Relu(c) d = Conv(r, v) a = Add(d, r) s = Relu(a)
         const u: f32[4,8,1,1] = random(4) e = Conv(s, u) g = Conv(s, u) y = Concat(e, g, s) {axis=1})"},
      {"linear", R"(input x: f32[1,24] const w: f32[24,10] = random(1) const b: f32[10] = random(2)
         const v: f32[5,10] = random(3) g = Gemm(x, w, b) r = Relu(g) y = Gemm(r, v) {transB=1})"},
      {"zeros", image + R"(const w: f32[4,8,1,1] = fill(0) const b: f32[4] = {1, -1, 0.5, 0} y = Conv(x, w, b))"},
      {"head", image + R"(const w: f32[16,8,3,3] = random(1, -0.2, 0.2) c = Conv(x, w) r = Relu(c)
         m = MaxPool(r) {kernel_shape=[3,3], strides=[2,2], ceil_mode=1} g = GlobalAveragePool(m) f = Flatten(g)
         const v: f32[10,16] = random(3) const b: f32[10] = random(4) d = Gemm(f, v, b) {transB=1} y = Softmax(d) {axis=1})"},
      {"gate", image + R"(const w: f32[8,8,1,1] = random(1, -0.2, 0.2) g = GlobalAveragePool(x) c = Conv(g, w)
         s = Sigmoid(c) y = Mul(x, s))"},
      {"max_pool", image + "y = MaxPool(x) {kernel_shape=[3,2], strides=[2,2], pads=[1,0,1,1]}", false},
      {"average_pool", image + "y = AveragePool(x) {kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1]}", false},
      {"counting_pool",
       image + "y = AveragePool(x) {kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1], count_include_pad=1}", false},
      {"ceil_pool", image + "y = AveragePool(x) {kernel_shape=[2,2], strides=[2,2], ceil_mode=1}", false},
      {"same_pool", image + "y = MaxPool(x) {kernel_shape=[2,2], strides=[2,2], auto_pad=\"SAME_LOWER\"}", false},
      {"global_max", image + "g = GlobalMaxPool(x) y = Neg(g)", false},
      {"norm", image + R"(const s: f32[8] = random(1) const b: f32[8] = random(2) const m: f32[8] = random(3)
         const v: f32[8] = random(4, 0.5, 2) n = BatchNormalization(x, s, b, m, v) {epsilon=0.001}
         const slope: f32[8,1,1] = random(5) y = PRelu(n, slope))",
       false},
      {"activations", image + R"(a = Tanh(x) b = Elu(a) {alpha=0.5} c = HardSigmoid(b) {alpha=0.25, beta=0.4}
         d = Softplus(c) e = Exp(d) f = Sqrt(e) g = Log(f) h = Abs(g) i = HardSwish(h) j = Erf(i) k = Floor(x)
         y = Sub(j, k))",
       false},
      {"arithmetic", image + R"(const k: f32[8,1,1] = random(1, 0.5, 2) const m: f32[1,8,9,11] = random(2)
         const two: f32[] = {2} a = Mul(x, k) b = Add(m, a) c = Sub(two, b) d = Div(c, k) e = Div(two, k) f = Max(d, x)
         g = Min(f, m) h = Sum(g, x, a) y = Mul(h, e))",
       false},
      {"deconvolution", image + R"(const w: f32[8,6,3,2] = random(1, -0.2, 0.2) const b: f32[6] = random(2)
         c = ConvTranspose(x, w, b) {strides=[2,3], pads=[1,0,1,1], output_padding=[1,0]} y = Relu(c))",
       false},
      {"grouped_deconvolution", image + R"(const w: f32[8,2,2,2] = random(1, -0.2, 0.2)
         y = ConvTranspose(x, w) {strides=[2,2], group=4})",
       false},
      {"layout", image + R"(const four: i64[4] = {1, 2, 4, 99} t = Transpose(x) {perm=[0,1,3,2]}
         r = Reshape(t, four) s = Transpose(r) {perm=[0,3,1,2]} const three: i64[3] = {1, -1, 8}
         q = Reshape(s, three) u = Transpose(q) {perm=[0,2,1]} y = Softmax(u) {axis=1})",
       false},
      {"slices", image + R"(const st: i64[4] = {0, 1, 2, -9} const en: i64[4] = {1, 7, 8, 9223372036854775807}
         const ax: i64[4] = {0, 1, 2, 3} const step: i64[4] = {1, 1, 2, 3} a = Slice(x, st, en, ax, step)
         const part: i64[2] = {2, 4} b, c = Split(a, part) {axis=1} const pads: i64[8] = {0,1,2,0,0,1,1,3}
         const fill: f32[] = {0.5} y = Pad(c, pads, fill) z = Neg(b) output z)",
       false},
      {"edge", image + "const pads: i64[8] = {0,0,2,1,0,0,1,3} y = Pad(x, pads) {mode=\"reflect\"}", false},
      {"nearest", image + R"(const s: f32[4] = {1, 1, 2, 3} y = Resize(x, _, s)
         {mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"})",
       false},
      {"linear_resize", image + R"(const to: i64[4] = {1, 8, 21, 5} y = Resize(x, _, _, to)
         {mode="linear", coordinate_transformation_mode="half_pixel"})",
       false},
      {"corners", image + R"(const to: i64[4] = {1, 8, 21, 30} y = Resize(x, _, _, to)
         {mode="linear", coordinate_transformation_mode="align_corners"})",
       false},
      {"shuffle",
       image + "a = DepthToSpace(x) {blocksize=2, mode=\"DCR\"} b = DepthToSpace(x) {blocksize=2, mode=\"CRD\"} "
               "y = Add(a, b)",
       false},
      {"reductions", image + R"(const ax: i64[1] = {2} a = ReduceMean(x) {axes=[2,3], keepdims=1} b = ReduceSum(x, ax)
         {keepdims=0} c = ReduceMax(x) {axes=[1], keepdims=1} y = Mul(x, a) z = Neg(b) u = Add(x, c)
         output z output u)",
       false},
      {"more_activations", image + R"(a = Softplus(x) b = Reciprocal(a) c = Ceil(x) d = Gelu(b)
         e = Gelu(x) {approximate="tanh"} f = Add(c, d) y = Sub(f, e))",
       false},
      {"powers", image + R"(const two: f32[] = {2} const k: f32[8,1,1] = random(1, 0.5, 2) a = Softplus(x)
         b = Pow(a, two) c = Pow(k, b) y = Pow(a, c))",
       false},
      {"norms", image + R"(const s: f32[8] = random(1) const b: f32[8] = random(2) a = InstanceNormalization(x, s, b)
         {epsilon=0.001} y = LRN(a) {size=5, alpha=0.01, beta=0.6, bias=1.5})",
       false},
      {"rows", image + R"(const s: f32[11] = random(1) const b: f32[11] = random(2)
         a = LayerNormalization(x, s, b) {epsilon=0.001} p = ReduceMean(a) {axes=[1], keepdims=0}
         y = LayerNormalization(p, s))",
       false},
      {"wave_means", R"(input x: f32[1,6,9] p = GlobalAveragePool(x) y = Flatten(p) z = GlobalMaxPool(x) output z)",
       false},
      {"indices", image + R"(const i: i64[3] = {2,3,4} const ax: i64[2] = {2,3} const at: i64[1] = {0}
         a = Gather(x, i) {axis=1} b = LogSoftmax(a) {axis=1} g = GlobalMaxPool(b) y = Squeeze(g, ax)
         z = Softmax(b) {axis=3} u = LogSoftmax(x) {axis=3} output z output u)",
       false},
      {"more_reductions", image + R"(p = Softplus(x) a = ReduceL1(x) {axes=[1], keepdims=1}
         b = ReduceL2(x) {axes=[2,3], keepdims=1} c = ReduceLogSum(p) {axes=[3], keepdims=1}
         d = ReduceLogSumExp(x) {axes=[2], keepdims=1} e = ReduceMin(x) {axes=[1,2], keepdims=1}
         f = ReduceProd(p) {axes=[3], keepdims=1} g = ReduceSumSquare(x) {axes=[1], keepdims=1}
         h = Sum(a, b, x) j = Sum(x, c, f) k = Sum(x, d, e) y = Sum(h, j) z = Add(k, g) output z)",
       false},
      {"matrices", R"(input x: f32[1,6,8] const w: f32[8,5] = random(1) a = MatMul(x, w)
         t = Transpose(x) {perm=[0,2,1]} b = MatMul(x, t) y = Concat(a, b) {axis=2})",
       false},
  };
}

Tensor stacked(const std::vector<Tensor>& tensors) {
  Shape shape = tensors.front().shape();
  shape.insert(shape.begin(), static_cast<std::int64_t>(tensors.size()));
  Tensor all(tensors.front().dtype(), std::move(shape), true);
  std::byte* to = all.mutable_bytes();
  for (const Tensor& tensor : tensors) {
    std::memcpy(to, tensor.bytes(), tensor.byte_size());
    to += tensor.byte_size();
  }
  return all;
}

void write_graphs(const fs::path& folder) {
  fs::create_directories(folder);
  std::ofstream names(folder / "names.txt");
  for (const Made& made : made_graphs()) {
    Graph graph = parse_graph(fmt::format("graph \"{}\" opset 13 {{ {} output y }}", made.name, made.text));
    infer_shapes(graph);
    save_model(graph, folder / (made.name + ".onnx"));
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < kSamples; ++i) {
      Tensor input = test::random_inputs(graph, 100 + static_cast<std::uint32_t>(i)).front();
      Shape shape = input.shape();
      shape.erase(shape.begin());
      inputs.push_back(input.reshaped(std::move(shape)));
    }
    write_npy(stacked(inputs), folder / (made.name + ".npy"));
    names << made.name << '\n';
    if (!made.quantized) continue;
    Recipe recipe;
    recipe.backend = "ncnn";
    save_model(quantize(graph, test::MemorySource(graph, kSamples), recipe).graph, folder / (made.name + "_int8.onnx"));
    names << made.name << "_int8\n";
  }
}

/// Names of blobs in the file, but for those of Split, which are copies.
std::set<std::string> blobs_of(const fs::path& param) {
  std::ifstream file(param);
  std::set<std::string> blobs;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string type, name;
    std::size_t bottoms = 0, tops = 0;
    if (!(words >> type >> name >> bottoms >> tops) || type == "Split") continue;
    std::string blob;
    for (std::size_t i = 0; i < bottoms + tops && words >> blob; ++i) {
      if (i >= bottoms) blobs.insert(blob);
    }
  }
  return blobs;
}

bool has_pairs(const Graph& graph) {
  const auto nodes = graph.nodes();
  return std::any_of(nodes.begin(), nodes.end(), [&](NodeId id) { return graph.node(id).op_type == "QuantizeLinear"; });
}

Executor executor_of(const Graph& graph, std::vector<ValueId> watched) {
  ExecutorOptions options;
  options.arithmetic = backend_named("ncnn").arithmetic;
  options.watched = std::move(watched);
  return Executor(graph, options);
}

Tensor row(const Tensor& all, std::size_t index) {
  Shape shape = all.shape();
  shape[0] = 1;
  Tensor sample(all.dtype(), std::move(shape), true);
  std::memcpy(sample.mutable_bytes(), all.bytes() + index * sample.byte_size(), sample.byte_size());
  return sample;
}

void run_model(const fs::path& model, const fs::path& inputs, const fs::path& folder, std::size_t with_blobs) {
  fs::create_directories(folder);
  Graph graph = load_model(model);
  if (!has_pairs(graph)) prepare(graph);
  const fs::path param = folder / "model.param";
  export_model(graph, exporter_named("ncnn"), param);
  const Graph back = load_model(param);
  std::vector<ValueId> watched;
  for (const std::string& blob : blobs_of(param)) {
    const auto value = graph.find_value(blob);
    if (value && !graph.value(*value).is_constant()) watched.push_back(*value);
  }
  const Executor ours = executor_of(graph, {});
  const Executor watching = executor_of(graph, watched);
  const Executor again = executor_of(back, {});
  const Tensor samples = read_npy(inputs);
  std::vector<std::vector<Tensor>> outputs(graph.outputs().size());
  double read_back = 0.0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(samples.dim(0)); ++i) {
    const Tensor input = row(samples, i);
    const auto result = Executor::Session(ours).run({&input, 1});
    for (std::size_t o = 0; o < result.size(); ++o) outputs[o].push_back(result[o]);
    if (i >= with_blobs) continue;
    const auto repeated = Executor::Session(again).run({&input, 1});
    std::vector<Tensor> matched;
    for (const ValueId id : graph.outputs()) {
      const auto found = std::find_if(back.outputs().begin(), back.outputs().end(),
                                      [&](ValueId output) { return back.value(output).name == graph.value(id).name; });
      if (found == back.outputs().end())
        throw Error(ErrorCode::internal, "an output lost its name: " + graph.value(id).name);
      matched.push_back(repeated[static_cast<std::size_t>(found - back.outputs().begin())]);
    }
    read_back = std::max(read_back, test::relative_difference(result, matched));
    std::ofstream names(folder / fmt::format("blobs{}.txt", i));
    int number = 0;
    Executor::Session(watching).run({&input, 1}, [&](ValueId id, const TensorView& view) {
      if (view.dtype() != DType::f32) return;
      Tensor copy(DType::f32, Shape(view.shape().begin(), view.shape().end()), true);
      std::memcpy(copy.mutable_bytes(), view.bytes(), copy.byte_size());
      write_npy(copy, folder / fmt::format("blob{}_{}.npy", i, number));
      names << number++ << ' ' << graph.value(id).name << '\n';
    });
  }
  std::ofstream names(folder / "outputs.txt");
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    write_npy(stacked(outputs[o]), folder / fmt::format("output{}.npy", o));
    names << graph.value(graph.outputs()[o]).name << '\n';
  }
  fmt::print("{:.3e}\n", read_back);
  if (read_back > kReadBack)
    throw Error(ErrorCode::internal, fmt::format("{}: read back, outputs differ by {}", model.string(), read_back));
}

}  // namespace
}  // namespace octavo

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 2 && words[0] == "graphs") {
      octavo::write_graphs(words[1]);
    } else if (words.size() == 5 && words[0] == "run") {
      octavo::run_model(words[1], words[2], words[3], std::stoul(words[4]));
    } else {
      fmt::print(stderr, "usage: octavo_ncnn_models graphs FOLDER | run MODEL.onnx INPUTS.npy FOLDER BLOBS\n");
      return 1;
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
