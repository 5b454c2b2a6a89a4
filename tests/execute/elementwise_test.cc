#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "execute/support.h"
#include "octavo/parallel.h"

using namespace octavo;
using octavo::test::random_tensor;
using octavo::test::run_text;
using octavo::test::values;

namespace {

std::string unary(const std::string& op) { return "graph opset 20 { input x: f32[N] y = " + op + " output y: f32 }"; }

/// Values of every size: subnormal, small, usual, beyond a float's exponent.
Tensor wide_values() {
  std::vector<float> x{0.0F, -0.0F, 0.625F, -0.625F, 88.72F, 88.73F, -87.4F, -103.9F, -104.1F, 1e30F, -1e30F};
  for (int i = -400; i < 400; ++i) {
    x.push_back(static_cast<float>(i) * 0.2173F);
    x.push_back(std::ldexp(i % 2 == 0 ? 1.3F : -1.7F, i / 4));
  }
  return Tensor::from<float>({static_cast<std::int64_t>(x.size())}, std::span<const float>(x));
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("functions without branches agree with the standard library's in double") {
  struct Case {
    const char* op;
    std::function<double(double)> exact;
  };
  const std::vector<Case> cases = {
      {"Exp(x)", [](double x) { return std::exp(x); }},
      {"Tanh(x)", [](double x) { return std::tanh(x); }},
      {"Sigmoid(x)", sigmoid},
      {"Erf(x)", [](double x) { return std::erf(x); }},
      {"Softplus(x)", [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }},
      {"Elu(x)", [](double x) { return x < 0 ? std::expm1(x) : x; }},
      {"HardSwish(x)", [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); }},
  };
  const Tensor x = wide_values();
  for (const Case& c : cases) {
    INFO(c.op);
    const auto y = values<float>(run_text(unary(c.op), std::vector{x})[0]);
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double exact = c.exact(static_cast<double>(x.data<float>()[i]));
      INFO("x = " << x.data<float>()[i]);
      const auto nearest = static_cast<float>(exact);
      if (std::isinf(nearest) || std::fabs(exact) < 1e-37)  // no accuracy is promised for subnormal results
        CHECK(((std::isinf(nearest) && y[i] == nearest) || std::fabs(static_cast<double>(y[i]) - exact) < 2e-38));
      else
        CHECK(std::fabs(static_cast<double>(y[i]) - exact) <= 1e-6 * std::fabs(exact));
    }
  }
}

TEST_CASE("NaN stays NaN and infinities saturate") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const Tensor x = Tensor::from<float>({3}, {std::nanf(""), kInf, -kInf});
  for (const char* op : {"Exp(x)", "Tanh(x)", "Sigmoid(x)", "HardSigmoid(x)", "LeakyRelu(x)", "Sign(x)", "Clip(x)"}) {
    INFO(op);
    CHECK(std::isnan(values<float>(run_text(unary(op), std::vector{x})[0])[0]));
  }
  CHECK(values<float>(run_text(unary("Exp(x)"), std::vector{x})[0])[1] == kInf);
  CHECK(values<float>(run_text(unary("Exp(x)"), std::vector{x})[0])[2] == 0.0F);
  CHECK(values<float>(run_text(unary("Tanh(x)"), std::vector{x})[0])[2] == -1.0F);
}

TEST_CASE("operands are broadcast against each other in every way") {
  struct Case {
    Shape a, b, y;
  };
  const std::vector<Case> cases = {{{2, 3, 4}, {2, 3, 4}, {2, 3, 4}},
                                   {{2, 3, 4}, {}, {2, 3, 4}},
                                   {{2, 3, 4}, {3, 1}, {2, 3, 4}},
                                   {{4}, {2, 3, 1}, {2, 3, 4}},
                                   {{2, 1, 4}, {1, 3, 1}, {2, 3, 4}},
                                   {{1}, {1, 1}, {1, 1}},
                                   {{0, 3}, {3}, {0, 3}}};
  for (const Case& c : cases) {
    const Tensor a = random_tensor(c.a, 1);
    const Tensor b = random_tensor(c.b, 2);
    const Tensor y =
        run_text("graph opset 14 { input a: f32 input b: f32 y = Sub(a, b) output y: f32 }", std::vector{a, b})[0];
    REQUIRE(y.shape() == c.y);
    const auto at = [&](const Tensor& t, std::int64_t i) {
      std::int64_t offset = 0;
      std::int64_t stride = 1;
      for (std::size_t back = 1; back <= c.y.size(); ++back) {
        const std::int64_t place = i % c.y[c.y.size() - back];
        i /= c.y[c.y.size() - back];
        if (back > t.rank()) continue;
        const std::int64_t dim = t.dim(t.rank() - back);
        if (dim != 1) offset += place * stride;
        stride *= dim;
      }
      return t.data<float>()[static_cast<std::size_t>(offset)];
    };
    for (std::int64_t i = 0; i < y.size(); ++i)
      CHECK(y.data<float>()[static_cast<std::size_t>(i)] == at(a, i) - at(b, i));
  }
}

TEST_CASE("integers wrap, and no division traps") {
  constexpr auto kLowest = std::numeric_limits<std::int32_t>::min();
  const auto run = [&](const std::string& op, std::int32_t a, std::int32_t b) {
    return run_text("graph opset 14 { input a: i32 input b: i32 y = " + op + " output y: i32 }",
                    std::vector{Tensor::scalar(a), Tensor::scalar(b)})[0]
        .data<std::int32_t>()[0];
  };
  CHECK(run("Div(a, b)", -7, 2) == -3);
  CHECK(run("Div(a, b)", 7, 0) == 0);
  CHECK(run("Div(a, b)", kLowest, -1) == kLowest);
  CHECK(run("Mod(a, b)", -7, 3) == 2);
  CHECK(run("Mod(a, b)", 7, -3) == -2);
  CHECK(run("Mod(a, b) {fmod=1}", -7, 3) == -1);
  CHECK(run("Mod(a, b)", kLowest, -1) == 0);
  CHECK(run("Mod(a, b)", 7, 0) == 0);
  CHECK(run("Add(a, b)", kLowest, -1) == std::numeric_limits<std::int32_t>::max());
  CHECK(run("Mul(a, b)", kLowest, kLowest) == 0);
  CHECK(run("Pow(a, b)", -3, 3) == -27);
  CHECK(run("Pow(a, b)", 2, -1) == 0);
}

TEST_CASE("casts round once, keep low bits between integers and saturate from floats") {
  const auto cast = [](const Tensor& x, int to) {
    return run_text("graph opset 13 { input x: " + std::string(name_of(x.dtype())) +
                        " y = Cast(x) {to=" + std::to_string(to) + "} output y: ? }",
                    std::vector{x})[0];
  };
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const Tensor floats = Tensor::from<float>({5}, {-1.9F, 300.0F, std::nanf(""), kInf, -kInf});
  CHECK(values<std::int8_t>(cast(floats, 3)) == std::vector<std::int8_t>{-1, 127, 0, 127, -128});
  CHECK(values<std::uint8_t>(cast(floats, 2)) == std::vector<std::uint8_t>{0, 255, 0, 255, 0});
  CHECK(values<std::int8_t>(cast(Tensor::scalar<std::int64_t>(0x1234), 3)) == std::vector<std::int8_t>{0x34});
  CHECK(values<float>(cast(Tensor::scalar<std::uint64_t>(~std::uint64_t{0}), 1)) == std::vector<float>{0x1p64F});
  // Every f16 and bf16 number comes back; what lies halfway goes to the even neighbour.
  for (const auto& [dtype, to] : {std::pair(DType::f16, 10), std::pair(DType::bf16, 16)}) {
    std::vector<std::uint16_t> bits(65536);
    for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint16_t>(i);
    Tensor all(dtype, {65536});
    std::memcpy(all.mutable_bytes(), bits.data(), 2 * bits.size());
    const Tensor wide = cast(all, 1);
    const Tensor back = cast(wide, to);
    std::size_t changed = 0;
    for (std::size_t i = 0; i < bits.size(); ++i) {
      if (!std::isnan(wide.data<float>()[i]) && std::memcmp(back.bytes() + 2 * i, &bits[i], 2) != 0) ++changed;
    }
    CHECK(changed == 0);
  }
  const Tensor halfway = cast(Tensor::from<float>({4}, {1 + 0x1p-11F, 1 + 0x3p-11F, 65519.0F, 65520.0F}), 10);
  CHECK(values<float>(cast(halfway, 1)) == std::vector<float>{1.0F, 1 + 0x1p-9F, 65504.0F, kInf});
}

TEST_CASE("big work gives the same bits over threads") {
  const std::string text = R"(graph opset 18 { input x: f32[N,C,H] input b: f32
    s = Sigmoid(x) m = Mul(s, x) a = Add(m, b) t = Transpose(a) {perm=[0,2,1]}
    const axes: i64[1] = {2} const middle: i64[1] = {1}
    r = ReduceMean(t, axes) q = ReduceSum(t, middle) output t: f32 output r: f32 output q: f32 })";
  const std::vector<Tensor> inputs{random_tensor({2, 129, 1000}, 3), random_tensor({129, 1}, 4)};
  ThreadPool pool(3);
  const auto alone = run_text(text, inputs);
  const auto shared = run_text(text, inputs, &pool);
  for (std::size_t i = 0; i < alone.size(); ++i) CHECK(values<float>(alone[i]) == values<float>(shared[i]));
}
