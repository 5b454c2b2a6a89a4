#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/core/arithmetic.h"
#include "octavo/graph.h"
#include "octavo/plan.h"

namespace octavo {

/// What an operator means for quantization under one backend.
enum class OpRole : std::uint8_t {
  weighted,    ///< integer kernel over a constant weight: Conv, Gemm, MatMul
  computes,    ///< integer kernel whose inputs and output have parameters of their own: Add, AveragePool
  moves_data,  ///< output has the first input's parameters: MaxPool, Reshape, Transpose
  joins,       ///< all inputs and the output share parameters: Concat
  activation,  ///< fuses into the operator before it, with no pair between: Relu, Clip
  /// Adds to the sums of the weighted operator that computes one operand for it alone, with no pair between; the other
  /// operand, the branch that skips that operator, is read as integers. What it computes goes on in float.
  residual,
};

/// One row of a backend's table. What no row names runs in float.
struct OpRule {
  std::string_view op_type;
  OpRole role;
  /// Weighted operators alone: they can end in float, so that their output needs a pair only where an
  /// integer operator reads it.
  bool float_output = false;
  /// Weighted operators alone: how many dimensions the weight must have; 0: any number.
  std::size_t weight_rank = 0;
  /// Convolutions alone: one scale for the whole weight where there are several groups, unless each is one channel.
  bool merges_groups = false;
  /// What it reads and computes has one scale, even where other activations have one for each channel.
  bool per_tensor_only = false;
  /// Convolutions alone: of several groups, unless each is one channel, those whose groups have a multiple of so many
  /// outputs stay in float, because the runtime's kernel is broken; 0: none.
  std::int64_t broken_group_outputs = 0;
};

/// For which tensors a backend's kernels take zero points other than that of a symmetric scheme.
enum class AffineSchemes : std::uint8_t { none, per_tensor, any };

/// What a backend takes for tensors of one kind, activations or weights.
struct SchemeLimits {
  bool qint8 = true;
  bool quint8 = true;
  AffineSchemes affine = AffineSchemes::any;
  int least_bits = 1;
  int most_bits = 8;
  bool whole_bytes = false;  ///< integers of fewer bits stand in 8
  bool per_channel = false;
  bool per_group = false;
};

/// Convolutions of one geometry whose weights must not use all integers.
struct NarrowWeights {
  std::string_view op_type;
  std::int64_t kernel = 0;  ///< of every spatial dimension, as stride and dilation
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t group = 1;
  int bits = 8;
  std::string_view reason;
};

/// Activations that a backend's own tool measures by one observer, whatever it was told to use for the others.
struct ObserverRule {
  std::string_view observer;  ///< in the table of observers; empty: there are no such activations
  bool inputs = false;        ///< those of the graph
  /// Activations of fewer elements behind the channels (height times width, 1 where there is neither).
  std::int64_t plane_below = 0;
};

/// What one runtime executes in integers, as data. A new backend is one table and one line.
struct BackendSpec {
  std::string_view name;
  std::string_view alias;  ///< another name it answers to; may be empty
  std::string_view description;
  /// What is taken where the user asks for nothing else.
  QScheme activation;
  QScheme weight;  ///< `axis` is replaced by the operator's channel axis where per_channel_weights
  bool per_channel_weights = true;
  SchemeLimits activation_limits;
  SchemeLimits weight_limits;
  bool int32_bias = true;
  /// Whether it computes DynamicQuantizeLinear and MatMulInteger: ranges of activations measured at run time.
  bool dynamic = false;
  /// What an operator with float_output computes is quantized for the integer operators that read it alone: float
  /// operators go on reading the float.
  bool splits_outputs = false;
  WeightStorage weight_storage = WeightStorage::integers;
  /// Version of the default operator set that its models have at least; schemes may need a newer one (needed_opset).
  std::int64_t min_opset = 10;
  std::span<const OpRule> rules;
  std::span<const NarrowWeights> narrow_weights;
  ObserverRule observer_rule;
  /// Measures activations where none is named; empty: MinMaxObserver for graph inputs and what no integer operator
  /// reads any more, PercentileObserver for all else.
  std::string_view observer = {};
  /// Sizes of inputs must be known, all but the batch.
  bool static_shapes = false;
  /// It runs one sample at a time: prepare_for takes an open batch for one of 1.
  bool one_sample = false;
  Arithmetic arithmetic;

  const OpRule* rule_for(std::string_view op_type) const;
};

/// All backends, in the order help shows them.
std::span<const BackendSpec* const> backends();
/// By name or alias. Throws Error(invalid_argument) naming the known ones.
const BackendSpec& backend_named(std::string_view name);

/// Throws Error(unsupported) where the backend cannot take what `config` asks for, and Error(invalid_argument) where
/// it contradicts itself or names what nobody has; both say what to change. Needs no graph: a recipe's reader calls it.
void check_config(const QConfig& config, const BackendSpec& backend);

/// TNN's --merge_type: 0 is a scale for each channel of weights and activations, 1 ("mix") of weights alone, 2 none.
/// Sets the granularity of the global configuration and, where an observer is named, its PerChannel variant or the one
/// without. Throws Error(invalid_argument) for any other number.
void apply_merge_type(QConfig& config, int merge_type);

/// Decides what is quantized. `graph` is prepared and has its shapes inferred. Throws as check_config does, and
/// Error(invalid_argument) for nodes and values that `config` names and the graph has not, for spans that are no way
/// through it, and for overrides that disagree about values which must share their parameters.
Plan make_plan(const Graph& graph, const BackendSpec& backend, const QConfig& config = {});

/// Whether a node will run in integers and, where not, why: for `inspect`.
struct NodeSupport {
  NodeId node = kNoNode;
  bool integer = false;
  std::string reason;  ///< empty for integer ones
};
/// One entry a node, in topological order, by the same decisions as make_plan.
std::vector<NodeSupport> explain_plan(const Graph& graph, const BackendSpec& backend, const QConfig& config = {});

}  // namespace octavo
