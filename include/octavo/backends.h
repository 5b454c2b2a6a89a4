#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
};

/// One row of a backend's table. What no row names runs in float.
struct OpRule {
  std::string_view op_type;
  OpRole role;
  /// Weighted operators alone: they can end in float, so that their output needs a pair only where an
  /// integer operator reads it.
  bool float_output = false;
};

/// What one runtime executes in integers, as data. A new backend is one table and one line.
struct BackendSpec {
  std::string_view name;
  std::string_view description;
  QScheme activation;
  QScheme weight;  ///< `axis` is replaced by the operator's channel axis where per_channel_weights
  bool per_channel_weights = true;
  bool int32_bias = true;
  /// Version of the default operator set that Q/DQ with these schemes needs.
  std::int64_t min_opset = 13;
  std::span<const OpRule> rules;

  const OpRule* rule_for(std::string_view op_type) const;
};

/// All backends, in the order help shows them.
std::span<const BackendSpec* const> backends();
/// Throws Error(invalid_argument) naming the known ones.
const BackendSpec& backend_named(std::string_view name);

/// Decides what is quantized. `graph` is prepared and has its shapes inferred. Throws Error(unsupported) where the
/// backend cannot take what `config` asks for, saying what to change, and Error(invalid_argument) for names that
/// nobody has.
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
