// ReduceMean, ReduceSum, ReduceMax …: all that take axes. The order of additions follows from shapes alone.
#include <array>
#include <cmath>
#include <limits>

#include "elementwise.h"
#include "integers_argument.h"
#include "op.h"
#include "strided_copy.h"

namespace octavo::execute {
namespace {

/// Sums of floats are kept in double, of integers wrapping in 64 bits.
template <typename T>
using SumOf = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;

// A reduction: State a result grows in, `add` an element, `join` two states, `finish` the result of `count`.

template <typename T>
struct Sum {
  using State = SumOf<T>;
  static State start() { return 0; }
  static State add(State state, T x) { return state + static_cast<State>(x); }
  static State join(State a, State b) { return a + b; }
  static T finish(State state, std::int64_t) { return static_cast<T>(state); }
};
template <typename T>
struct Mean : Sum<T> {
  static T finish(SumOf<T> state, std::int64_t count) {
    if constexpr (std::is_floating_point_v<T>)
      return static_cast<T>(state / static_cast<double>(count));
    else
      return count == 0 ? T{0} : static_cast<T>(static_cast<std::int64_t>(state) / count);
  }
};
template <typename T>
struct Prod {
  using State = SumOf<T>;
  static State start() { return 1; }
  static State add(State state, T x) { return state * static_cast<State>(x); }
  static State join(State a, State b) { return a * b; }
  static T finish(State state, std::int64_t) { return static_cast<T>(state); }
};
template <typename T>
struct L1 : Sum<T> {
  static SumOf<T> add(SumOf<T> state, T x) {
    return x < 0 ? state - static_cast<SumOf<T>>(x) : state + static_cast<SumOf<T>>(x);
  }
};
template <typename T>
struct SumSquare : Sum<T> {
  static SumOf<T> add(SumOf<T> state, T x) { return state + static_cast<SumOf<T>>(x) * static_cast<SumOf<T>>(x); }
};
template <typename T>
struct L2 : SumSquare<T> {
  static T finish(SumOf<T> state, std::int64_t) { return static_cast<T>(std::sqrt(static_cast<double>(state))); }
};
template <typename T>
struct LogSum : Sum<T> {
  static T finish(SumOf<T> state, std::int64_t) { return static_cast<T>(std::log(static_cast<double>(state))); }
};
/// log of the sum of powers of e; kept relative to the largest exponent, so that none overflows.
template <typename T>
struct LogSumExp {
  struct State {
    double largest;
    double sum;
  };
  static State start() { return {-std::numeric_limits<double>::infinity(), 0.0}; }
  static State join(State a, State b) {
    if (a.largest < b.largest) std::swap(a, b);
    if (std::isinf(a.largest)) return {a.largest, a.largest > 0 ? 1.0 : 0.0};
    return {a.largest, a.sum + b.sum * std::exp(b.largest - a.largest)};
  }
  static State add(State state, T x) { return join(state, {static_cast<double>(x), 1.0}); }
  static T finish(State state, std::int64_t) { return static_cast<T>(state.largest + std::log(state.sum)); }
};
/// NaN in any element is the result.
template <typename T>
struct Max {
  using State = T;
  static State start() {
    using Limits = std::numeric_limits<T>;
    return Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
  }
  static State add(State state, T x) { return state > x || state != state ? state : x; }
  static State join(State a, State b) { return add(a, b); }
  static T finish(State state, std::int64_t) { return state; }
};
template <typename T>
struct Min {
  using State = T;
  static State start() {
    using Limits = std::numeric_limits<T>;
    return Limits::has_infinity ? Limits::infinity() : Limits::max();
  }
  static State add(State state, T x) { return state < x || state != state ? state : x; }
  static State join(State a, State b) { return add(a, b); }
  static T finish(State state, std::int64_t) { return state; }
};

/// Offsets of all elements of some dimensions, in order.
std::vector<std::int64_t> offsets_of(const Shape& dims, const std::vector<std::int64_t>& strides) {
  std::vector<std::int64_t> offsets{0};
  for (std::size_t d = 0; d < dims.size(); ++d) {
    std::vector<std::int64_t> longer;
    for (const std::int64_t offset : offsets) {
      for (std::int64_t i = 0; i < dims[d]; ++i) longer.push_back(offset + i * strides[d]);
    }
    offsets = std::move(longer);
  }
  return offsets;
}

/// The input as rows: contiguous elements that are all reduced into one, or all kept apart.
struct Layout {
  std::vector<std::int64_t> kept;     // offset of each output row's first input row
  std::vector<std::int64_t> reduced;  // offsets of the rows that go into one output row
  std::int64_t row = 1;
  bool row_is_reduced = false;
};

Layout layout_of(const Shape& shape, const std::vector<bool>& reduced) {
  const auto strides = contiguous_strides(shape);
  Layout layout;
  std::size_t outer = shape.size();
  while (outer > 0 && (shape[outer - 1] == 1 || outer == shape.size() || layout.row == 1 ||
                       reduced[outer - 1] == layout.row_is_reduced)) {
    --outer;
    if (layout.row == 1 && shape[outer] != 1) layout.row_is_reduced = reduced[outer];
    layout.row *= shape[outer];
  }
  std::array<Shape, 2> dims;
  std::array<std::vector<std::int64_t>, 2> steps;
  for (std::size_t d = 0; d < outer; ++d) {
    dims[reduced[d] ? 1 : 0].push_back(shape[d]);
    steps[reduced[d] ? 1 : 0].push_back(strides[d]);
  }
  layout.kept = offsets_of(dims[0], steps[0]);
  layout.reduced = offsets_of(dims[1], steps[1]);
  return layout;
}

/// Eight states side by side hide the latency of additions, always joined in the same order.
template <typename R, typename T>
typename R::State reduce_row(const T* x, std::int64_t count, typename R::State state) {
  constexpr std::int64_t kLanes = 8;
  std::int64_t i = 0;
  if (count >= 2 * kLanes) {
    std::array<typename R::State, kLanes> lanes;
    lanes.fill(R::start());
    for (; i + kLanes <= count; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        lanes[lane] = R::add(lanes[lane], x[i + static_cast<std::int64_t>(lane)]);
    }
    for (const auto& lane : lanes) state = R::join(state, lane);
  }
  for (; i < count; ++i) state = R::add(state, x[i]);
  return state;
}

template <typename R, typename T>
void reduce_rows(RunContext& context, const Layout& layout, const T* x, T* y, std::int64_t count) {
  const auto rows = static_cast<std::int64_t>(layout.kept.size());
  const auto depth = static_cast<std::int64_t>(layout.reduced.size());
  const std::int64_t grain = std::max<std::int64_t>(1, kPieceElements / std::max<std::int64_t>(1, layout.row * depth));
  for_each_piece(context, rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      typename R::State state = R::start();
      for (const std::int64_t offset : layout.reduced)
        state = reduce_row<R>(x + layout.kept[static_cast<std::size_t>(i)] + offset, layout.row, state);
      y[i] = R::finish(state, count);
    }
  });
}

template <typename R, typename T>
void reduce_columns(RunContext& context, const Layout& layout, const T* x, T* y, std::int64_t count) {
  // Blocks of a row, so that a single long one is split as well.
  constexpr std::int64_t kBlock = 512;
  const std::int64_t blocks = (layout.row - 1) / kBlock + 1;
  const auto depth = static_cast<std::int64_t>(layout.reduced.size());
  const std::int64_t grain = std::max<std::int64_t>(1, kPieceElements / (kBlock * std::max<std::int64_t>(1, depth)));
  for_each_piece(context, static_cast<std::int64_t>(layout.kept.size()) * blocks, grain,
                 [&](std::int64_t begin, std::int64_t end) {
                   std::array<typename R::State, kBlock> states;
                   for (std::int64_t piece = begin; piece < end; ++piece) {
                     const std::int64_t row = piece / blocks;
                     const std::int64_t at = piece % blocks * kBlock;
                     const std::int64_t length = std::min(kBlock, layout.row - at);
                     states.fill(R::start());
                     for (const std::int64_t offset : layout.reduced) {
                       const T* source = x + layout.kept[static_cast<std::size_t>(row)] + offset + at;
                       for (std::int64_t i = 0; i < length; ++i) {
                         auto& state = states[static_cast<std::size_t>(i)];
                         state = R::add(state, source[i]);
                       }
                     }
                     for (std::int64_t i = 0; i < length; ++i)
                       y[row * layout.row + at + i] = R::finish(states[static_cast<std::size_t>(i)], count);
                   }
                 });
}

template <typename R, typename T>
void reduce(RunContext& context, const Shape& shape, const std::vector<bool>& axes, const T* x, T* y,
            std::int64_t outputs) {
  std::int64_t count = 1;  // elements that go into one
  for (std::size_t d = 0; d < shape.size(); ++d) count *= axes[d] ? shape[d] : 1;
  if (count == 0) {
    std::fill_n(y, outputs, R::finish(R::start(), 0));
    return;
  }
  if (outputs == 0) return;
  const Layout layout = layout_of(shape, axes);
  if (layout.row_is_reduced)
    reduce_rows<R>(context, layout, x, y, count);
  else
    reduce_columns<R>(context, layout, x, y, count);
}

/// `R<T>` over the given types; bools are bytes whose extremes are those of 0 and 1.
template <template <typename> typename R, typename... Types>
class Reduce : public Kernel {
 public:
  Reduce(const NodeContext& context, std::int64_t axes_input_since)
      : axes_(context, "axes", 1, axes_input_since),
        keeps_dims_(context.node.int_or("keepdims", 1) != 0),
        empty_is_none_(context.node.int_or("noop_with_empty_axes", 0) != 0) {}

  void run(RunContext& context) const override {
    const Shape shape = to_shape(context.shape(0));
    const auto axes = axes_.read(context);
    if ((!axes || axes->empty()) && empty_is_none_) return context.output_shares_input(0, 0, shape);
    std::vector<bool> marks(shape.size(), true);
    if (axes && !axes->empty()) marks = mark_axes(context, *axes, shape.size());
    Shape output;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (!marks[d])
        output.push_back(shape[d]);
      else if (keeps_dims_)
        output.push_back(1);
    }
    const std::int64_t outputs = output_count(context, output);
    if (context.dtype(0) == DType::boolean) return run_bool(context, shape, marks, output, outputs);
    for_type_of<Types...>(context, 0, [&]<typename T>() {
      const T* x = context.data<T>(0).data();
      reduce<R<T>>(context, shape, marks, x, context.output<T>(0, output).data(), outputs);
    });
  }

 private:
  // Dimensions that an empty one was multiplied with may be too many by themselves.
  static std::int64_t output_count(const RunContext& context, const Shape& output) {
    const auto count = checked_element_count(output);
    if (!count) context.fail(ErrorCode::resource_limit, "the output is too large");
    return *count;
  }

  static void run_bool(RunContext& context, const Shape& shape, const std::vector<bool>& marks, const Shape& output,
                       std::int64_t outputs) {
    constexpr bool kOrders = (std::is_same_v<Types, std::uint8_t> || ...);
    if constexpr (kOrders) {
      const std::uint8_t* x = bool_data(context, 0);
      auto* y = static_cast<std::uint8_t*>(context.allocate(0, DType::boolean, output));
      reduce<R<std::uint8_t>>(context, shape, marks, x, y, outputs);
      for (std::int64_t i = 0; i < outputs; ++i) y[i] = static_cast<std::uint8_t>(y[i] != 0);
    } else {
      context.fail("input 0 has type bool, expected numbers");
    }
  }

  const IntegersArgument axes_;
  const bool keeps_dims_;
  const bool empty_is_none_;
};

template <template <typename> typename R, typename... More>
std::unique_ptr<Kernel> make_reduce(const NodeContext& context, std::int64_t axes_input_since = 18) {
  return std::make_unique<Reduce<R, float, double, std::int32_t, std::int64_t, More...>>(context, axes_input_since);
}

}  // namespace

std::unique_ptr<Kernel> make_reduce_sum(const NodeContext& context) { return make_reduce<Sum>(context, 13); }
std::unique_ptr<Kernel> make_reduce_mean(const NodeContext& context) { return make_reduce<Mean>(context); }
std::unique_ptr<Kernel> make_reduce_prod(const NodeContext& context) { return make_reduce<Prod>(context); }
std::unique_ptr<Kernel> make_reduce_l1(const NodeContext& context) { return make_reduce<L1>(context); }
std::unique_ptr<Kernel> make_reduce_l2(const NodeContext& context) { return make_reduce<L2>(context); }
std::unique_ptr<Kernel> make_reduce_sum_square(const NodeContext& context) { return make_reduce<SumSquare>(context); }
std::unique_ptr<Kernel> make_reduce_log_sum(const NodeContext& context) { return make_reduce<LogSum>(context); }
std::unique_ptr<Kernel> make_reduce_log_sum_exp(const NodeContext& context) { return make_reduce<LogSumExp>(context); }
std::unique_ptr<Kernel> make_reduce_max(const NodeContext& context) {
  return make_reduce<Max, std::int8_t, std::uint8_t>(context);
}
std::unique_ptr<Kernel> make_reduce_min(const NodeContext& context) {
  return make_reduce<Min, std::int8_t, std::uint8_t>(context);
}

}  // namespace octavo::execute
