#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "octavo/core/arithmetic.h"
#include "octavo/core/tensor.h"
#include "octavo/error.h"
#include "octavo/graph.h"

/// What every operator is written against: a `make_…` function turns a node into a `Kernel` once, when the
/// executor is compiled; the kernel then runs on a `RunContext`, in any number of sessions at once.
namespace octavo::execute {

/// A node while it is compiled. Values that depend on constants alone have been computed before and are
/// constants themselves by then.
struct NodeContext {
  const Graph& graph;
  NodeId id;
  const Node& node;
  /// Version of the operator set of the node's domain.
  std::int64_t opset;
  /// The runtime's that is imitated: for QuantizeLinear and the executor's own integer operators.
  Arithmetic arithmetic = {};

  std::size_t input_count() const { return node.inputs.size(); }
  std::size_t output_count() const { return node.outputs.size(); }
  bool has_input(std::size_t i) const { return node.input(i) != kNoValue; }
  bool has_output(std::size_t i) const { return node.output(i) != kNoValue; }
  /// The input's tensor where it is constant; null where it is computed or left out.
  const Tensor* constant(std::size_t i) const { return graph.constant(node.input(i)); }
  /// Throws Error(bad_model) with the node's description before `problem`.
  [[noreturn]] void fail(const std::string& problem) const;
  /// The same as Error(unsupported).
  [[noreturn]] void unsupported(const std::string& problem) const;
};

/// What a kernel keeps for one session between runs: primitives made for the shapes seen last …
struct KernelState {
  KernelState() = default;
  KernelState(const KernelState&) = delete;
  KernelState& operator=(const KernelState&) = delete;
  virtual ~KernelState() = default;
};

class RunContext;

/// A node ready to run: attributes read and checked, weights packed. Constant, so sessions share it.
class Kernel {
 public:
  Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  virtual ~Kernel() = default;

  /// Allocates every output that is wanted and fills it. Nothing about shapes and types of inputs has
  /// been checked before: whatever does not fit ends in `context.fail`.
  virtual void run(RunContext& context) const = 0;
  /// One for each session, where the kernel needs it; found again by `RunContext::state`.
  virtual std::unique_ptr<KernelState> make_state() const { return nullptr; }
};

using MakeKernel = std::unique_ptr<Kernel> (*)(const NodeContext&);

/// What the run of one node in one session offers its kernel. The executor implements it.
class RunContext {
 public:
  RunContext() = default;
  RunContext(const RunContext&) = delete;
  RunContext& operator=(const RunContext&) = delete;
  virtual ~RunContext() = default;

  // --- inputs ------------------------------------------------------------------------------------
  virtual std::size_t input_count() const = 0;
  /// False where an optional input is left out.
  virtual bool has_input(std::size_t i) const = 0;
  /// Fails where the input is left out.
  virtual const TensorView& input(std::size_t i) const = 0;
  std::span<const std::int64_t> shape(std::size_t i) const { return input(i).shape(); }
  DType dtype(std::size_t i) const { return input(i).dtype(); }
  /// The input's elements; fails where they are of another type.
  template <typename T>
  std::span<const T> data(std::size_t i) const {
    expect_dtype(i, dtype_of<T>);
    return input(i).data<T>();
  }
  void expect_dtype(std::size_t i, DType expected) const;
  /// Fails unless the input has `rank` dimensions.
  void expect_rank(std::size_t i, std::size_t rank) const;
  /// A list of integers given as input (axes, shape, starts …), from i64 or i32; one element for a scalar.
  std::vector<std::int64_t> integers(std::size_t i) const;
  /// A single number given as input, from any numeric type but f16 and bf16.
  double number(std::size_t i) const;

  // --- outputs -----------------------------------------------------------------------------------
  /// False where the node does not list the output. (Listed outputs that nobody reads are wanted too.)
  virtual bool has_output(std::size_t i) const = 0;
  /// Memory for output `i`, uninitialized, aligned to 64 bytes; overflow and the session's limit are checked.
  /// Call once an output.
  virtual void* allocate(std::size_t i, DType dtype, Shape shape) = 0;
  template <typename T>
  std::span<T> output(std::size_t i, Shape shape) {
    T* data = static_cast<T*>(allocate(i, dtype_of<T>, std::move(shape)));
    return {data, output_size(i)};
  }
  /// Output `i` is input `j` under another shape of as many elements: nothing is copied.
  virtual void output_shares_input(std::size_t i, std::size_t j, Shape shape) = 0;
  /// As `allocate`, but writes over input `j` where that input dies with this node and has as many
  /// bytes. For kernels that read each element of `j` no later than they write the same one of `i`.
  virtual void* allocate_over(std::size_t i, std::size_t j, DType dtype, Shape shape) = 0;
  template <typename T>
  std::span<T> output_over(std::size_t i, std::size_t j, Shape shape) {
    T* data = static_cast<T*>(allocate_over(i, j, dtype_of<T>, std::move(shape)));
    return {data, output_size(i)};
  }

  // --- work --------------------------------------------------------------------------------------
  /// Memory until the kernel returns, from the session's pool; uninitialized, aligned to 64 bytes.
  virtual void* scratch_bytes(std::size_t count) = 0;
  template <typename T>
  std::span<T> scratch(std::size_t count) {
    return {static_cast<T*>(scratch_bytes(checked_bytes(count, sizeof(T)))), count};
  }
  /// Runs body(0) … body(count - 1), over the session's threads where it has some. What a piece is must
  /// follow from shapes alone, never from the number of threads; only worth it for big work. `body` may
  /// not call this context except for inputs.
  void for_each(std::size_t count, const std::function<void(std::size_t)>& body) {
    for_each_worker(count, [&](std::size_t i, int) { body(i); });
  }
  /// The same; `worker` in [0, workers()) is for scratch memory alone.
  virtual void for_each_worker(std::size_t count, const std::function<void(std::size_t, int worker)>& body) = 0;
  virtual int workers() const = 0;
  /// What `Kernel::make_state` made for this session.
  template <typename State>
  State& state() {
    return static_cast<State&>(*kernel_state());
  }

  /// Throws Error(bad_model), naming the node before `problem`.
  [[noreturn]] void fail(const std::string& problem) const { fail(ErrorCode::bad_model, problem); }
  [[noreturn]] void fail(ErrorCode code, const std::string& problem) const;

 protected:
  /// The node, for messages.
  virtual const std::string& description() const = 0;
  virtual KernelState* kernel_state() = 0;
  /// Elements of an output allocated before.
  virtual std::size_t output_size(std::size_t i) const = 0;
  /// Fails with Error(resource_limit) on overflow.
  std::size_t checked_bytes(std::size_t count, std::size_t element) const;
};

/// The axis counted from the front; fails unless it is in [-rank, rank).
std::size_t normalize_axis(const RunContext& context, std::int64_t axis, std::size_t rank);
/// "2x3x4", for messages.
std::string shape_text(std::span<const std::int64_t> shape);
/// Product of shape[begin] … shape[end - 1].
std::int64_t product(std::span<const std::int64_t> shape, std::size_t begin, std::size_t end);
inline Shape to_shape(std::span<const std::int64_t> dims) { return Shape(dims.begin(), dims.end()); }

/// Calls body.template operator()<T>() with the one of `Types` that `dtype` names; false where none does:
///   if (!with_type<float, std::int32_t>(dtype, [&]<typename T>() { … })) context.fail(…)
template <typename... Types, typename Body>
bool with_type(DType dtype, Body&& body) {
  return ((dtype == dtype_of<Types> && (body.template operator()<Types>(), true)) || ...);
}
/// The same with a failure that names the type of input `i`.
template <typename... Types, typename Body>
void for_type_of(const RunContext& context, std::size_t i, Body&& body) {
  if (!with_type<Types...>(context.dtype(i), std::forward<Body>(body))) {
    context.fail(ErrorCode::unsupported, "input " + std::to_string(i) + " has type " +
                                             std::string(name_of(context.dtype(i))) +
                                             ", which this operator is not implemented for");
  }
}
/// All types with a C++ type of their own but bool (f16, bf16: see ops/cast.cc).
template <typename Body>
void for_numeric_type_of(const RunContext& context, std::size_t i, Body&& body) {
  for_type_of<float, double, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t,
              std::int64_t, std::uint64_t>(context, i, std::forward<Body>(body));
}

}  // namespace octavo::execute
