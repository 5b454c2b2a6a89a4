// LSTM, GRU, RNN and LRN by their definitions, written plainly.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "execute/support.h"

using namespace octavo;
using namespace octavo::test;

namespace {

double logistic(double x) { return 1.0 / (1.0 + std::exp(-x)); }

std::string recurrent(const std::string& type, const std::string& attributes, int directions, int gates) {
  return fmt::format(
      "graph opset 14 {{ input x: f32[3,2,2] input w: f32[{0},{1},2] input r: f32[{0},{1},1] input b: f32[{0},{2}] "
      "y, h = {3}(x, w, r, b) {{{4}hidden_size=1}} output y output h }}",
      directions, gates, 2 * gates, type, attributes);
}

std::vector<Tensor> inputs(int directions, int gates) {
  return {random_tensor({3, 2, 2}, 1), random_tensor({directions, gates, 2}, 2),
          random_tensor({directions, gates, 1}, 3), random_tensor({directions, 2 * gates}, 4)};
}

/// W·x + R·h + both biases, of one gate of the first direction.
double gate(const std::vector<Tensor>& in, std::size_t gates, std::size_t g, std::size_t place, double h) {
  const auto x = in[0].data<float>();
  const auto w = in[1].data<float>();
  const auto b = in[3].data<float>();
  return w[2 * g] * x[2 * place] + w[2 * g + 1] * x[2 * place + 1] + in[2].data<float>()[g] * h + b[g] + b[gates + g];
}

}  // namespace

TEST_CASE("LSTM: input, output, forget and cell gates, of each sample for itself") {
  const auto in = inputs(1, 4);
  const auto out = run_text(recurrent("LSTM", "", 1, 4), in);
  REQUIRE(out[0].shape() == Shape{3, 1, 2, 1});
  for (std::size_t sample = 0; sample < 2; ++sample) {
    double h = 0.0;
    double c = 0.0;
    for (std::size_t step = 0; step < 3; ++step) {
      const std::size_t place = step * 2 + sample;
      const double i = logistic(gate(in, 4, 0, place, h));
      const double o = logistic(gate(in, 4, 1, place, h));
      const double f = logistic(gate(in, 4, 2, place, h));
      c = f * c + i * std::tanh(gate(in, 4, 3, place, h));
      h = o * std::tanh(c);
      CHECK(out[0].data<float>()[place] == Approx(h).epsilon(1e-5));
    }
    CHECK(out[1].data<float>()[sample] == Approx(h).epsilon(1e-5));
  }
}

TEST_CASE("GRU: update, reset and hidden gates, the reset before or behind the product") {
  const auto in = inputs(1, 3);
  const auto x = in[0].data<float>();
  const auto w = in[1].data<float>();
  const auto b = in[3].data<float>();
  for (const bool late : {false, true}) {
    const auto out = run_text(recurrent("GRU", late ? "linear_before_reset=1, " : "", 1, 3), in);
    for (std::size_t sample = 0; sample < 2; ++sample) {
      double h = 0.0;
      for (std::size_t step = 0; step < 3; ++step) {
        const std::size_t place = step * 2 + sample;
        const double z = logistic(gate(in, 3, 0, place, h));
        const double r = logistic(gate(in, 3, 1, place, h));
        const double weight = in[2].data<float>()[2];
        const double recurrent_part = late ? r * (weight * h + b[5]) : weight * r * h + b[5];
        const double n = std::tanh(w[4] * x[2 * place] + w[5] * x[2 * place + 1] + b[2] + recurrent_part);
        h = (1.0 - z) * n + z * h;
        CHECK(out[0].data<float>()[place] == Approx(h).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("RNN: one sum, limited by a hyperbolic tangent or a Relu") {
  const auto in = inputs(1, 1);
  for (const bool relu : {false, true}) {
    const auto out = run_text(recurrent("RNN", relu ? "activations=[\"Relu\"], " : "", 1, 1), in);
    for (std::size_t sample = 0; sample < 2; ++sample) {
      double h = 0.0;
      for (std::size_t step = 0; step < 3; ++step) {
        const double sum = gate(in, 1, 0, step * 2 + sample, h);
        h = relu ? std::max(sum, 0.0) : std::tanh(sum);
        CHECK(out[0].data<float>()[step * 2 + sample] == Approx(h).epsilon(1e-5));
      }
      CHECK(out[1].data<float>()[sample] == Approx(h).epsilon(1e-5));
    }
  }
}

TEST_CASE("LSTM, GRU and RNN: the second direction begins at the end") {
  for (const auto& [type, gates] : {std::pair<std::string, int>{"LSTM", 4}, {"GRU", 3}, {"RNN", 1}}) {
    auto in = inputs(2, gates);
    const auto both = run_text(recurrent(type, "direction=\"bidirectional\", ", 2, gates), in);
    const auto second = [](const Tensor& tensor) {
      const auto all = tensor.data<float>();
      const auto half = all.subspan(all.size() / 2);
      Shape shape = tensor.shape();
      shape[0] = 1;
      return Tensor::from<float>(shape, half);
    };
    for (std::size_t i = 1; i < in.size(); ++i) in[i] = second(in[i]);
    const auto reversed = run_text(recurrent(type, "direction=\"reverse\", ", 1, gates), in);
    for (std::size_t step = 0; step < 3; ++step) {
      for (std::size_t sample = 0; sample < 2; ++sample) {
        CHECK(both[0].data<float>()[step * 4 + 2 + sample] == reversed[0].data<float>()[step * 2 + sample]);
      }
    }
    CHECK(reversed[0].data<float>()[0] == reversed[1].data<float>()[0]);
  }
}

TEST_CASE("LRN: squares of the channels beside, one more behind where their number is even") {
  for (const int size : {3, 4}) {
    const Tensor x = random_tensor({1, 6, 2}, 5);
    const std::vector<Tensor> in{x};
    const auto out = run_text(
        fmt::format(
            "graph opset 13 {{ input x: f32[1,6,2] y = LRN(x) {{size={}, alpha=0.5, beta=0.6, bias=2.0}} output y }}",
            size),
        in);
    for (int c = 0; c < 6; ++c) {
      for (int i = 0; i < 2; ++i) {
        double squares = 0.0;
        for (int k = std::max(c - (size - 1) / 2, 0); k <= std::min(c + size / 2, 5); ++k) {
          squares += std::pow(x.data<float>()[static_cast<std::size_t>(2 * k + i)], 2);
        }
        const auto place = static_cast<std::size_t>(2 * c + i);
        CHECK(out[0].data<float>()[place] ==
              Approx(x.data<float>()[place] / std::pow(2.0 + 0.5 / size * squares, 0.6)));
      }
    }
  }
}
