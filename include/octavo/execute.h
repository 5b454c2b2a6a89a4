#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/core/arithmetic.h"
#include "octavo/core/tensor.h"
#include "octavo/graph.h"
#include "octavo/parallel.h"

namespace octavo {

struct ExecutorOptions {
  /// Values handed to `Watcher` on each run; they are computed as such, never fused away. What enters a QuantizeLinear
  /// may be watched at no change of the results; a value between a Conv or Add and that keeps both in float.
  std::vector<ValueId> watched;
  /// Most bytes that one session's activations and outputs may take at a time.
  std::size_t memory_limit = std::size_t{16} << 30;
  /// The runtime's whose integers are wanted; a BackendSpec has its own.
  Arithmetic arithmetic = {};
};

/// Called on the running thread with each watched value right after it was computed; inputs and
/// constants may be watched too. The view is valid during the call only.
using Watcher = std::function<void(ValueId, const TensorView&)>;

/// Runs a graph: floats as ONNX defines them, QuantizeLinear/DequantizeLinear as simulated quantization, but what the
/// arithmetic of a runtime computes in integers, and ONNX's integer operators, in integers with its rounding. Compiled
/// once; then constant and shared by any number of threads, each with a Session of its own. The outputs of a run depend
/// on its inputs alone, to the last bit, whatever the number of threads.
class Executor {
 public:
  /// Copies what it needs. Throws Error(unsupported) listing every operator it cannot run, before any work.
  explicit Executor(const Graph& graph, const ExecutorOptions& options = {});
  ~Executor();
  Executor(Executor&&) noexcept;
  Executor& operator=(Executor&&) noexcept;

  /// Memory of one run in flight. Activations live from their producer to their last reader and reuse
  /// each other's buffers; a second run of the same shapes allocates nothing but its outputs.
  class Session {
   public:
    /// Keeps a reference to what `executor` compiled: the executor must outlive its sessions (it may be
    /// moved). `pool`, where given, splits single operators over its threads.
    explicit Session(const Executor& executor, ThreadPool* pool = nullptr);
    ~Session();
    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;

    /// `inputs` in the order of the graph's inputs; returns outputs in the order of the graph's outputs.
    /// Throws Error(bad_data) where an input's type or shape contradicts the graph, Error(bad_model) naming
    /// the node where shapes inside do not fit, Error(resource_limit) for tensors beyond the limit.
    std::vector<Tensor> run(std::span<const Tensor> inputs, const Watcher& watcher = {});

    /// Memory held for activations, and how many times some was asked from the system so far.
    struct Memory {
      std::size_t bytes = 0;
      std::size_t allocations = 0;
    };
    Memory memory() const;

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Operators of the default domain that the executor can run, sorted.
std::vector<std::string> executable_operators();
/// Name of the library that convolution and matrix products use in this build: "oneDNN" or "Eigen".
std::string_view compute_library();

}  // namespace octavo
