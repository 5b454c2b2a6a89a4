// LSTM, GRU and RNN: one step after the other, each direction for itself. Gates are logistic, candidates hyperbolic
// tangents, or what a Relu gives in an RNN.
#include <algorithm>
#include <cmath>
#include <variant>
#include <vector>

#include "op.h"

namespace octavo::execute {
namespace {

struct Sizes {
  std::int64_t steps = 0, batch = 0, inputs = 0, hidden = 0, directions = 1;
};

float logistic(float x) { return 1.0F / (1.0F + std::exp(-x)); }

/// sums[r] += matrix[r] · x over the rows of a matrix.
void add_product(const float* matrix, const float* x, std::int64_t rows, std::int64_t columns, float* sums) {
  for (std::int64_t r = 0; r < rows; ++r) {
    float sum = 0.0F;
    for (std::int64_t c = 0; c < columns; ++c) sum += matrix[r * columns + c] * x[c];
    sums[r] += sum;
  }
}

/// What one direction computes with: weights of all gates, one below the other.
struct Weights {
  const float* input = nullptr;      ///< [gates · hidden][inputs]
  const float* recurrent = nullptr;  ///< [gates · hidden][hidden]
  const float* bias = nullptr;       ///< of the inputs' products, then of the recurrent ones; null: none

  void add_bias(std::int64_t rows, bool recurrent_half, float* sums) const {
    for (std::int64_t r = 0; r < rows && bias != nullptr; ++r) sums[r] += bias[recurrent_half ? rows + r : r];
  }
};

/// Attributes and inputs that all have.
class Recurrent : public Kernel {
 public:
  Recurrent(const NodeContext& context, std::int64_t gates, std::span<const std::string_view> activations)
      : gates_(gates), direction_(context.node.string_or("direction", "forward")) {
    if (direction_ != "forward" && direction_ != "reverse" && direction_ != "bidirectional") {
      context.fail("attribute direction is '" + direction_ + "'");
    }
    if (context.node.int_or("layout", 0) != 0) context.unsupported("attribute layout = 1 is not implemented");
    if (context.node.has("clip")) context.unsupported("attribute clip is not implemented");
    if (context.node.int_or("input_forget", 0) != 0) context.unsupported("attribute input_forget is not implemented");
    const auto found = context.node.attributes.find("activations");
    const auto* const given =
        found == context.node.attributes.end() ? nullptr : std::get_if<std::vector<std::string>>(&found->second);
    for (std::size_t i = 0; given != nullptr && i < given->size(); ++i) {
      if ((*given)[i] != activations[i % activations.size()]) {
        context.unsupported("activation '" + (*given)[i] + "' is not implemented");
      }
    }
  }

 protected:
  Sizes sizes_of(RunContext& context) const {
    context.expect_rank(0, 3);
    context.expect_rank(1, 3);
    context.expect_rank(2, 3);
    const auto x = context.shape(0);
    const std::int64_t directions = direction_ == "bidirectional" ? 2 : 1;
    const Sizes sizes{x[0], x[1], x[2], context.shape(2)[2], directions};
    const std::int64_t rows = gates_ * sizes.hidden;
    expect(context, 1, {directions, rows, sizes.inputs});
    expect(context, 2, {directions, rows, sizes.hidden});
    if (context.has_input(3)) expect(context, 3, {directions, 2 * rows});
    if (context.has_input(4)) {
      for (const std::int64_t length : context.integers(4)) {
        if (length != sizes.steps) {
          context.fail(ErrorCode::unsupported, "sequences of different lengths are not implemented");
        }
      }
    }
    return sizes;
  }

  static void expect(const RunContext& context, std::size_t i, const Shape& shape) {
    if (to_shape(context.shape(i)) == shape) return;
    context.fail("input " + std::to_string(i) + " has shape " + shape_text(context.shape(i)) + ", expected " +
                 shape_text(shape));
  }

  Weights weights_of(RunContext& context, const Sizes& sizes, std::int64_t direction) const {
    const std::int64_t rows = gates_ * sizes.hidden;
    Weights weights;
    weights.input = context.data<float>(1).data() + direction * rows * sizes.inputs;
    weights.recurrent = context.data<float>(2).data() + direction * rows * sizes.hidden;
    if (context.has_input(3)) weights.bias = context.data<float>(3).data() + direction * 2 * rows;
    return weights;
  }

  /// The state before the first step, of all directions and samples: input `i`, or zeros.
  static std::vector<float> initial(RunContext& context, std::size_t i, const Sizes& sizes) {
    const Shape shape{sizes.directions, sizes.batch, sizes.hidden};
    if (!context.has_input(i)) return std::vector<float>(static_cast<std::size_t>(element_count(shape)), 0.0F);
    expect(context, i, shape);
    const auto given = context.data<float>(i);
    return {given.begin(), given.end()};
  }

  static void hand_out(RunContext& context, std::size_t i, const Sizes& sizes, const std::vector<float>& state) {
    if (!context.has_output(i)) return;
    const auto out = context.output<float>(i, {sizes.directions, sizes.batch, sizes.hidden});
    std::copy(state.begin(), state.end(), out.begin());
  }

  /// Calls step(direction, sample, x, y) for every step in the order of its direction; y: what it computes, or null.
  template <typename Step>
  void for_each_step(RunContext& context, const Sizes& sizes, const Step& step) const {
    const float* const x = context.data<float>(0).data();
    float* y = nullptr;
    if (context.has_output(0)) {
      y = context.output<float>(0, {sizes.steps, sizes.directions, sizes.batch, sizes.hidden}).data();
    }
    for (std::int64_t d = 0; d < sizes.directions; ++d) {
      const bool reversed = direction_ == "reverse" || d == 1;
      for (std::int64_t i = 0; i < sizes.steps; ++i) {
        const std::int64_t t = reversed ? sizes.steps - 1 - i : i;
        for (std::int64_t b = 0; b < sizes.batch; ++b) {
          step(d, b, x + (t * sizes.batch + b) * sizes.inputs,
               y == nullptr ? y : y + ((t * sizes.directions + d) * sizes.batch + b) * sizes.hidden);
        }
      }
    }
  }

  const std::int64_t gates_;
  const std::string direction_;
};

constexpr std::string_view kLstmActivations[] = {"Sigmoid", "Tanh", "Tanh"};
constexpr std::string_view kGruActivations[] = {"Sigmoid", "Tanh"};

/// Gates: input, output, forget, cell.
class Lstm : public Recurrent {
 public:
  explicit Lstm(const NodeContext& context) : Recurrent(context, 4, kLstmActivations) {
    if (context.has_input(7)) context.unsupported("peepholes (input 7) are not implemented");
  }

  void run(RunContext& context) const override {
    const Sizes sizes = sizes_of(context);
    const std::int64_t n = sizes.hidden;
    std::vector<float> hidden = initial(context, 5, sizes);
    std::vector<float> cell = initial(context, 6, sizes);
    std::vector<float> sums(static_cast<std::size_t>(4 * n));
    for_each_step(context, sizes, [&](std::int64_t d, std::int64_t b, const float* x, float* y) {
      const Weights weights = weights_of(context, sizes, d);
      float* const h = hidden.data() + (d * sizes.batch + b) * n;
      float* const c = cell.data() + (d * sizes.batch + b) * n;
      std::fill(sums.begin(), sums.end(), 0.0F);
      weights.add_bias(4 * n, false, sums.data());
      weights.add_bias(4 * n, true, sums.data());
      add_product(weights.input, x, 4 * n, sizes.inputs, sums.data());
      add_product(weights.recurrent, h, 4 * n, n, sums.data());
      for (std::int64_t i = 0; i < n; ++i) {
        const float* const s = sums.data() + i;
        c[i] = logistic(s[2 * n]) * c[i] + logistic(s[0]) * std::tanh(s[3 * n]);
        h[i] = logistic(s[n]) * std::tanh(c[i]);
      }
      if (y != nullptr) std::copy_n(h, n, y);
    });
    hand_out(context, 1, sizes, hidden);
    hand_out(context, 2, sizes, cell);
  }
};

constexpr std::string_view kTanh[] = {"Tanh"};
constexpr std::string_view kRelu[] = {"Relu"};

bool is_limited_by_relu(const NodeContext& context) {
  const auto found = context.node.attributes.find("activations");
  const auto* const names =
      found == context.node.attributes.end() ? nullptr : std::get_if<std::vector<std::string>>(&found->second);
  return names != nullptr && !names->empty() && names->front() == "Relu";
}

/// No gates.
class Rnn : public Recurrent {
 public:
  explicit Rnn(const NodeContext& context)
      : Recurrent(context, 1, is_limited_by_relu(context) ? kRelu : kTanh), relu_(is_limited_by_relu(context)) {}

  void run(RunContext& context) const override {
    const Sizes sizes = sizes_of(context);
    const std::int64_t n = sizes.hidden;
    std::vector<float> hidden = initial(context, 5, sizes);
    std::vector<float> sums(static_cast<std::size_t>(n));
    for_each_step(context, sizes, [&](std::int64_t d, std::int64_t b, const float* x, float* y) {
      const Weights weights = weights_of(context, sizes, d);
      float* const h = hidden.data() + (d * sizes.batch + b) * n;
      std::fill(sums.begin(), sums.end(), 0.0F);
      weights.add_bias(n, false, sums.data());
      weights.add_bias(n, true, sums.data());
      add_product(weights.input, x, n, sizes.inputs, sums.data());
      add_product(weights.recurrent, h, n, n, sums.data());
      for (std::int64_t i = 0; i < n; ++i) {
        const float sum = sums[static_cast<std::size_t>(i)];
        h[i] = relu_ ? std::max(sum, 0.0F) : std::tanh(sum);
      }
      if (y != nullptr) std::copy_n(h, n, y);
    });
    hand_out(context, 1, sizes, hidden);
  }

 private:
  const bool relu_;
};

/// Gates: update, reset, hidden.
class Gru : public Recurrent {
 public:
  explicit Gru(const NodeContext& context)
      : Recurrent(context, 3, kGruActivations), late_reset_(context.node.int_or("linear_before_reset", 0) != 0) {}

  void run(RunContext& context) const override {
    const Sizes sizes = sizes_of(context);
    const std::int64_t n = sizes.hidden;
    std::vector<float> hidden = initial(context, 5, sizes);
    std::vector<float> from_input(static_cast<std::size_t>(3 * n));
    std::vector<float> from_hidden(static_cast<std::size_t>(3 * n));
    std::vector<float> reset(static_cast<std::size_t>(n));
    for_each_step(context, sizes, [&](std::int64_t d, std::int64_t b, const float* x, float* y) {
      const Weights weights = weights_of(context, sizes, d);
      float* const h = hidden.data() + (d * sizes.batch + b) * n;
      std::fill(from_input.begin(), from_input.end(), 0.0F);
      std::fill(from_hidden.begin(), from_hidden.end(), 0.0F);
      weights.add_bias(3 * n, false, from_input.data());
      weights.add_bias(3 * n, true, from_hidden.data());
      add_product(weights.input, x, 3 * n, sizes.inputs, from_input.data());
      add_product(weights.recurrent, h, (late_reset_ ? 3 : 2) * n, n, from_hidden.data());
      float* const in = from_input.data();
      float* const rec = from_hidden.data();
      for (std::int64_t i = 0; i < n; ++i) {
        reset[static_cast<std::size_t>(i)] = logistic(in[n + i] + rec[n + i]) * (late_reset_ ? rec[2 * n + i] : h[i]);
      }
      if (!late_reset_) add_product(weights.recurrent + 2 * n * n, reset.data(), n, n, rec + 2 * n);
      for (std::int64_t i = 0; i < n; ++i) {
        const float update = logistic(in[i] + rec[i]);
        const float added = late_reset_ ? reset[static_cast<std::size_t>(i)] : rec[2 * n + i];
        h[i] = (1.0F - update) * std::tanh(in[2 * n + i] + added) + update * h[i];
      }
      if (y != nullptr) std::copy_n(h, n, y);
    });
    hand_out(context, 1, sizes, hidden);
  }

 private:
  const bool late_reset_;
};

}  // namespace

std::unique_ptr<Kernel> make_lstm(const NodeContext& context) { return std::make_unique<Lstm>(context); }
std::unique_ptr<Kernel> make_gru(const NodeContext& context) { return std::make_unique<Gru>(context); }
std::unique_ptr<Kernel> make_rnn(const NodeContext& context) { return std::make_unique<Rnn>(context); }

}  // namespace octavo::execute
