#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "octavo/graph.h"

namespace octavo::passes {

/// An operator on integers of ai.onnx or com.microsoft, and where its inputs say what. Operands are three inputs each:
/// integers, scale, zero point.
struct QOperatorForm {
  std::string_view op_type;
  std::string_view float_type;
  std::size_t operands = 1;   ///< 0: up to the last input
  std::size_t result = 3;     ///< input with the result's scale; the zero point follows
  std::size_t bias = 0;       ///< input with an int32 bias; 0: there is none
  std::size_t first = 0;      ///< input where the operands begin
  bool float_result = false;  ///< the result is float where it has no scale
};

/// Null for all other operators.
const QOperatorForm* qoperator_form(const Node& node);

/// Whether the float operator has a form for all that the node says: images with their channels last have none.
bool is_restorable(const Node& node, std::int64_t opset);

/// The dimension of operand `operand`, a value, that several scales belong to.
std::optional<std::int64_t> scales_axis(const Graph& graph, const Node& node, std::size_t operand, ValueId value);

/// Whether the operator of ai.onnx gives out integers as it gets them.
bool moves_integers(const Node& node);

}  // namespace octavo::passes
