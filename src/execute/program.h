#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "octavo/execute.h"
#include "op.h"

namespace octavo::execute {

/// One node, compiled.
struct Step {
  std::unique_ptr<Kernel> kernel;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::string description;
};

/// What the executor keeps of a graph. Constant once made.
struct Program {
  struct Input {
    ValueId id = kNoValue;
    std::string name;
    DType dtype = DType::undefined;
    std::optional<Dims> dims;
  };
  struct Constant {
    ValueId id = kNoValue;
    Tensor tensor;
  };
  std::vector<Step> steps;
  std::vector<Input> inputs;
  std::vector<ValueId> outputs;
  std::vector<Constant> constants;    ///< those that a step reads, is watched or is an output
  std::vector<std::int32_t> readers;  ///< by ValueId: how many times steps read it
  std::vector<bool> watched;          ///< by ValueId
  std::vector<bool> held;             ///< by ValueId: inputs, constants and outputs, alive throughout a run
  std::size_t value_count = 0;        ///< ids are below
  std::size_t memory_limit = 0;
};

/// What `make_…` functions get for the node.
NodeContext node_context(const Graph& graph, NodeId id, const Arithmetic& arithmetic);
/// Throws where the operator is not in the table or its inputs are neither computed nor constant.
Step compile_step(const Graph& graph, NodeId id, const Arithmetic& arithmetic);
Program compile(const Graph& graph, const ExecutorOptions& options);

}  // namespace octavo::execute
