// Convolutions and additions between Q/DQ pairs run in integers, as ONNX Runtime runs them: against the definition.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "execute/support.h"

using namespace octavo;
using octavo::test::values;

namespace {

template <typename T>
Tensor random_integers(Shape shape, std::uint32_t seed) {
  std::mt19937 generator(seed);
  Tensor tensor(dtype_of<T>, std::move(shape));
  for (T& x : tensor.mutable_data<T>()) x = static_cast<T>(generator());
  return tensor;
}

template <typename T>
T saturate(float steps, std::int32_t zero_point) {
  const double rounded = std::nearbyint(static_cast<double>(steps)) + zero_point;
  return static_cast<T>(std::clamp<double>(rounded, std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max()));
}

struct Geometry {
  std::int64_t channels, size, outputs, kernel, groups, stride, pad_begin, pad_end;
};

/// The accumulators of a square convolution, modulo 2^32, by the definition.
template <typename T>
std::vector<std::int32_t> accumulators(const Geometry& g, const Tensor& x, std::int32_t x_zero, const Tensor& w,
                                       const Tensor& bias) {
  const std::int64_t out = (g.size + g.pad_begin + g.pad_end - g.kernel) / g.stride + 1;
  const std::int64_t depth = g.channels / g.groups;
  std::vector<std::int32_t> result;
  for (std::int64_t o = 0; o < g.outputs; ++o) {
    const std::int64_t first = o / (g.outputs / g.groups) * depth;
    for (std::int64_t at = 0; at < out * out; ++at) {
      std::int64_t sum = bias.data<std::int32_t>()[static_cast<std::size_t>(o)];
      for (std::int64_t k = 0; k < depth * g.kernel * g.kernel; ++k) {
        const std::int64_t row = at / out * g.stride - g.pad_begin + k / g.kernel % g.kernel;
        const std::int64_t column = at % out * g.stride - g.pad_begin + k % g.kernel;
        if (row < 0 || column < 0 || row >= g.size || column >= g.size) continue;
        const std::int64_t place = ((first + k / (g.kernel * g.kernel)) * g.size + row) * g.size + column;
        sum += std::int64_t{x.data<T>()[static_cast<std::size_t>(place)] - x_zero} *
               w.data<std::int8_t>()[static_cast<std::size_t>(o * depth * g.kernel * g.kernel + k)];
      }
      result.push_back(static_cast<std::int32_t>(static_cast<std::uint32_t>(sum)));
    }
  }
  return result;
}

std::string numbers(const std::vector<float>& list) {
  std::string text;
  for (const float number : list) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return text;
}

/// Q/DQ around a Conv with weight scales of 1/1000, 2/1000 …, parameters named x…, w…, b…, y….
std::string conv_graph(const Geometry& g, const std::string& type, int x_zero, float y_scale, int y_zero,
                       const std::string& bias, const std::string& activation) {
  std::vector<float> w_scale;
  std::vector<float> b_scale;
  for (int c = 1; c <= g.outputs; ++c) {
    w_scale.push_back(static_cast<float>(c) * 0.001F);
    b_scale.push_back(0.25F * w_scale.back());
  }
  const std::string n = std::to_string(g.outputs);
  const auto pads = [](std::int64_t pad) { return std::to_string(pad) + "," + std::to_string(pad); };
  return "graph opset 13 { input x: " + type + "[N," + std::to_string(g.channels) + ",H,W] const w: i8[" + n + "," +
         std::to_string(g.channels / g.groups) + "," + std::to_string(g.kernel) + "," + std::to_string(g.kernel) +
         "] = random(7) const b: i32[" + n + "] = " + bias + " const xs: f32[] = {0.25} const xz: " + type + "[] = {" +
         std::to_string(x_zero) + "} const ws: f32[" + n + "] = {" + numbers(w_scale) + "} const wz: i8[" + n +
         "] = fill(0) const bs: f32[" + n + "] = {" + numbers(b_scale) + "} const ys: f32[] = {" +
         std::to_string(y_scale) + "} const yz: " + type + "[] = {" + std::to_string(y_zero) +
         "} xf = DequantizeLinear(x, xs, xz) wf = DequantizeLinear(w, ws, wz) {axis=0} "
         "bf = DequantizeLinear(b, bs) {axis=0} " +
         (activation.empty() ? "r" : "c") + " = Conv(xf, wf, bf) {group=" + std::to_string(g.groups) + ", strides=[" +
         pads(g.stride) + "], pads=[" + pads(g.pad_begin) + "," + pads(g.pad_end) + "]} " + activation +
         " y = QuantizeLinear(r, ys, yz) output y }";
}

template <typename T>
void check_conv(const Geometry& g, int x_zero, float y_scale, int y_zero, const std::string& bias,
                const std::string& activation) {
  INFO("channels " << g.channels << " groups " << g.groups << " bias " << bias << " then " << activation);
  const Graph graph =
      parse_graph(conv_graph(g, std::string(name_of(dtype_of<T>)), x_zero, y_scale, y_zero, bias, activation));
  const Tensor x = random_integers<T>({1, g.channels, g.size, g.size}, 3);
  const auto constant = [&](const char* name) { return *graph.constant(*graph.find_value(name)); };
  const auto sums = accumulators<T>(g, x, x_zero, constant("w"), constant("b"));
  const auto w_scale = values<float>(constant("ws"));
  const float scale = constant("ys").template data<float>()[0];
  std::vector<T> expected;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const float multiplier = 0.25F * w_scale[i / (sums.size() / w_scale.size())] / scale;
    expected.push_back(saturate<T>(static_cast<float>(sums[i]) * multiplier, y_zero));
  }
  const Executor executor(graph);
  CHECK(values<T>(Executor::Session(executor).run({&x, 1})[0]) == expected);
  for (const int threads : {2, 7}) {
    ThreadPool pool(threads);
    CHECK(values<T>(Executor::Session(executor, &pool).run({&x, 1})[0]) == expected);
  }

  // Watching what enters QuantizeLinear changes nothing, and shows what the accumulators stand for.
  const ValueId real = *graph.find_value("r");
  const Executor watching(graph, {.watched = {real}});
  std::vector<float> seen;
  const auto outputs = Executor::Session(watching).run({&x, 1}, [&](ValueId id, const TensorView& tensor) {
    REQUIRE(id == real);
    seen.assign(tensor.data<float>().begin(), tensor.data<float>().end());
  });
  CHECK(values<T>(outputs[0]) == expected);
  REQUIRE(seen.size() == sums.size());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    float wanted = static_cast<float>(sums[i]) * (0.25F * w_scale[i / (sums.size() / w_scale.size())]);
    if (activation.starts_with("r = Relu")) wanted = std::max(wanted, 0.0F);
    CHECK(seen[i] == wanted);
  }
}

}  // namespace

TEST_CASE("a convolution between Q/DQ pairs is computed in integers and requantized as ONNX Runtime does") {
  const Geometry plain{5, 9, 6, 3, 1, 1, 1, 1};
  const Geometry depthwise{6, 8, 6, 3, 6, 2, 0, 1};
  for (const Geometry& g : {plain, depthwise, Geometry{8, 5, 4, 1, 2, 1, 0, 0}}) {
    check_conv<std::uint8_t>(g, 128, 0.37F, 99, "random(9, -5000, 5000)", "");
    check_conv<std::uint8_t>(g, 0, 0.91F, 0, "fill(1000)", "r = Relu(c)");
    check_conv<std::int8_t>(g, -3, 0.53F, -128, "fill(-777)", "r = Relu(c)");
  }
}

TEST_CASE("sums beyond what floats hold exactly are exact as well") {
  check_conv<std::uint8_t>({3000, 3, 2, 3, 1, 1, 1, 1}, 255, 700.3F, 3, "fill(12345)", "");
}

TEST_CASE("zero points that are left out change nothing") {
  const Geometry deep{3000, 3, 2, 3, 1, 1, 1, 1};  // sums that float would round
  const std::string stated = conv_graph(deep, "u8", 0, 700.3F, 0, "fill(12345)", "");
  std::string left_out = stated;
  for (const std::string zero : {", xz", ", wz", ", yz"}) left_out.erase(left_out.find(zero + ")"), zero.size());
  const Tensor x = random_integers<std::uint8_t>({1, deep.channels, deep.size, deep.size}, 3);
  const std::vector inputs{x};
  CHECK(values<std::uint8_t>(test::run_text(left_out, inputs)[0]) ==
        values<std::uint8_t>(test::run_text(stated, inputs)[0]));
  const auto sums_of = [&](const std::string& text) {
    const Graph graph = parse_graph(text);
    const Executor watching(graph, {.watched = {*graph.find_value("r")}});
    std::vector<float> sums;
    Executor::Session(watching).run({&x, 1}, [&](ValueId, const TensorView& tensor) {
      sums.assign(tensor.data<float>().begin(), tensor.data<float>().end());
    });
    return sums;
  };
  CHECK(sums_of(left_out) == sums_of(stated));
}

TEST_CASE("the accumulator wraps around as that of the runtime") {
  check_conv<std::uint8_t>({5, 9, 6, 3, 1, 1, 1, 1}, 0, 0.37F, 0, "fill(2147483000)", "r = Relu(c)");
  check_conv<std::uint8_t>({5, 9, 6, 3, 1, 1, 1, 1}, 128, 90000.5F, 128, "fill(-2147483000)", "");
}

TEST_CASE("an addition between Q/DQ pairs is rounded once, the output's zero point inside") {
  const std::string parameters = R"(
    const as: f32[] = {0.0371} const az: u8[] = {131} const bs: f32[] = {0.0193} const bz: u8[] = {7}
    const ys: f32[] = {0.0412} const yz: u8[] = {119}
    af = DequantizeLinear(a, as, az) bf = DequantizeLinear(b, bs, bz)
    r = Add(af, bf) y = QuantizeLinear(r, ys, yz) output y })";
  const float left = 0.0371F / 0.0412F;
  const float right = 0.0193F / 0.0412F;
  const float constant = 119.0F - std::fma(left, 131.0F, right * 7.0F);
  // All pairs of integers: a as columns, b as rows.
  std::vector<std::uint8_t> every(256);
  for (std::size_t i = 0; i < 256; ++i) every[i] = static_cast<std::uint8_t>(i);
  std::vector<std::uint8_t> a;
  std::vector<std::uint8_t> b;
  std::vector<std::uint8_t> expected;
  for (const std::uint8_t row : every) {
    for (const std::uint8_t column : every) {
      a.push_back(column);
      b.push_back(row);
      const float sum = std::fma(static_cast<float>(row), right, constant);
      expected.push_back(saturate<std::uint8_t>(std::fma(static_cast<float>(column), left, sum), 0));
    }
  }
  const std::vector<Tensor> flat = {Tensor::from<std::uint8_t>({65536}, a), Tensor::from<std::uint8_t>({65536}, b)};
  const Graph graph = parse_graph("graph opset 13 { input a: u8[N] input b: u8[N]" + parameters);
  CHECK(values<std::uint8_t>(Executor::Session(Executor(graph)).run(flat)[0]) == expected);
  const std::vector<Tensor> broadcast = {Tensor::from<std::uint8_t>({256}, every),
                                         Tensor::from<std::uint8_t>({256, 1}, every)};
  CHECK(values<std::uint8_t>(test::run_text("graph opset 13 { input a: u8[256] input b: u8[256,1]" + parameters,
                                            broadcast)[0]) == expected);

  const ValueId real = *graph.find_value("r");
  const Executor watching(graph, {.watched = {real}});
  const auto outputs = Executor::Session(watching).run(flat, [&](ValueId, const TensorView& tensor) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      CHECK(tensor.data<float>()[i] ==
            (static_cast<float>(a[i]) - 131.0F) * 0.0371F + (static_cast<float>(b[i]) - 7.0F) * 0.0193F);
    }
  });
  CHECK(values<std::uint8_t>(outputs[0]) == expected);
}

TEST_CASE("an addition's constant is rounded as ONNX Runtime rounds it") {
  // Sums at the middle between two integers, where the last bit of the constant decides; expected: what ONNX Runtime
  // 1.31's QLinearAdd gives on x86.
  const auto sum = [](const std::string& parameters, std::uint8_t a, std::uint8_t b) {
    const std::vector<Tensor> inputs = {Tensor::from<std::uint8_t>({1}, {a}), Tensor::from<std::uint8_t>({1}, {b})};
    return values<std::uint8_t>(test::run_text("graph opset 13 { input a: u8[1] input b: u8[1]" + parameters + R"(
      af = DequantizeLinear(a, as, az) bf = DequantizeLinear(b, bs, bz)
      r = Add(af, bf) y = QuantizeLinear(r, ys, yz) output y })",
                                               inputs)[0])[0];
  };
  CHECK(sum(R"(const as: f32[] = {0.08892371505498886} const bs: f32[] = {0.023361073806881905}
               const ys: f32[] = {0.08279503136873245}
               const az: u8[] = {199} const bz: u8[] = {73} const yz: u8[] = {205})",
            140, 30) == 129);
  CHECK(sum(R"(const as: f32[] = {0.08644890040159225} const bs: f32[] = {0.08824940770864487}
               const ys: f32[] = {0.14905467629432678}
               const az: u8[] = {69} const bz: u8[] = {162} const yz: u8[] = {88})",
            79, 99) == 57);
}

TEST_CASE("what saturation does not do, or has other parameters, stays as the graph says") {
  // With powers of two as scales everything is exact, in integers or simulated.
  const auto run = [](const std::string& body) {
    const Tensor x = Tensor::from<std::uint8_t>({1, 1, 1, 5}, {0, 40, 64, 100, 255});
    return values<std::uint8_t>(test::run_text(R"(graph opset 13 { input x: u8[1,1,1,5]
      const w: i8[1,1,1,1] = {2} const s: f32[] = {0.5} const t: f32[] = {1} const z: u8[] = {64} const wz: i8[] = {0}
      const b: i32[1] = {3} const bs: f32[1] = {0.25} const other: f32[1] = {8} const o: u8[] = {0}
      const low: f32[] = {-4} const high: f32[] = {20}
      xf = DequantizeLinear(x, s, z) wf = DequantizeLinear(w, s, wz) bf = DequantizeLinear(b, bs)
      )" + body + " output y }",
                                               std::vector{x})[0]);
  };
  using Bytes = std::vector<std::uint8_t>;
  CHECK(run("r = Conv(xf, wf, bf) y = QuantizeLinear(r, t, z)") == Bytes{33, 53, 65, 83, 160});
  // The bounds of the activation lie inside the range of the integers.
  CHECK(run("c = Conv(xf, wf, bf) r = Relu(c) y = QuantizeLinear(r, t, z)") == Bytes{64, 64, 65, 83, 160});
  CHECK(run("c = Conv(xf, wf, bf) r = Clip(c, low, high) y = QuantizeLinear(r, t, z)") == Bytes{60, 60, 65, 83, 84});
  CHECK(run("c = Conv(xf, wf, bf) r = LeakyRelu(c) {alpha=0.5} y = QuantizeLinear(r, t, z)") ==
        Bytes{48, 58, 65, 83, 160});
  // A bias whose scale is not that of the accumulator.
  CHECK(run("g = DequantizeLinear(b, other) r = Conv(xf, wf, g) y = QuantizeLinear(r, t, z)") ==
        Bytes{56, 76, 88, 106, 184});
  // Another reader of the float value.
  CHECK(run("r = Conv(xf, wf, bf) q = QuantizeLinear(r, t, z) n = Neg(r) y = QuantizeLinear(n, t, o) output q") ==
        Bytes{33, 53, 65, 83, 160});
}
