#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "octavo/graph.h"
#include "octavo/quantize.h"

namespace octavo::cli {

enum class Support : std::uint8_t { integer, floating, unsupported };

/// "integer", "float" or "unsupported": the file that the runtime reads has no form for it.
std::string_view name_of(Support support);

struct OperatorSupport {
  std::string node;  ///< "Conv 'fire2/squeeze'"
  std::string op_type;
  Support support = Support::integer;
  std::string reason;  ///< empty for integer ones
};

/// What will become of a float model with a recipe, before any work.
struct SupportReport {
  std::string backend;
  std::string description;                 ///< of the backend
  std::string format;                      ///< what its models are written as
  std::vector<OperatorSupport> operators;  ///< of the prepared graph, in topological order; none after some conflicts
  std::vector<std::string> conflicts;      ///< why quantizing would end in an error
  std::vector<std::string> notes;
  std::uint64_t float_weight_bytes = 0;  ///< of the weights that become integers
  std::uint64_t integer_weight_bytes = 0;

  std::size_t count(Support support) const;
};

/// What a model holds of a quantization.
struct QuantizedParts {
  int activations = 0;  ///< that pass through integers
  int constants = 0;    ///< that are stored as integers, or rounded to what these stand for
};
QuantizedParts quantized_parts(const Graph& graph);

SupportReport support_of(const Graph& model, const Recipe& recipe);

}  // namespace octavo::cli
