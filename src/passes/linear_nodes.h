#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "octavo/core/quantize.h"
#include "octavo/graph.h"

namespace octavo::passes {

/// Adds QuantizeLinear and DequantizeLinear nodes with their constants to a graph, in the types that its opset has.
/// For x these are x_q, its integers, x_dq, the floats that they stand for, x_s, the scale, and x_z, the zero point.
/// The nodes have no names: a file of a small model is to be small.
class LinearNodes {
 public:
  explicit LinearNodes(Graph& graph) : graph_(graph) {}

  ValueId constant(const std::string& base, std::string_view suffix, Tensor tensor);

  /// The result of a DequantizeLinear over integers, stored as a constant in as few bits as the opset can say; int32
  /// has no zero points. It takes over the name of `source`, the constant they were made from, where nobody
  /// else reads that. Throws Error(unsupported) for groups and 16 bits below opset 21.
  ValueId dequantized(ValueId source, const QuantizedTensor& stored);

  /// The same as floats behind QuantizeLinear and DequantizeLinear.
  ValueId requantized(ValueId source, const QuantizedTensor& stored);

  /// The result of QuantizeLinear and DequantizeLinear over a value. Limits closer than those of the integer type are
  /// kept by a Clip before them where `keeps_limits`. Always in 8 or 16 bits: ONNX Runtime 1.31 makes QLinearConv of
  /// pairs of 4 bits as well, which it then refuses. Throws Error(unsupported) for 16 bits below opset 21.
  ValueId pair(ValueId value, const QParams& params, bool keeps_limits);

 private:
  struct Parameters {
    ValueId scale = kNoValue;
    ValueId zero_point = kNoValue;
  };
  Parameters parameters(const std::string& base, const QParams& params, DType stored, Shape shape);
  ValueId add_linear(std::string_view op_type, ValueId input, const Parameters& parameters, const QParams& params,
                     ValueId output);
  ValueId add_result(ValueId source);
  /// The shortest name that a value is known by: its own, that of its node, or, of a Relu or Clip, the name of what it
  /// limits, because a runtime has one kernel for both.
  std::string short_name(ValueId value) const;
  ValueId clipped(ValueId value, const QParams& params);
  void require_opset(const std::string& source, const QParams& params) const;
  DType stored_type(const std::string& source, const QParams& params) const;

  Graph& graph_;
};

/// The numbers as a tensor of an integer type that holds them.
Tensor integer_tensor(DType dtype, Shape shape, std::span<const std::int32_t> values);

}  // namespace octavo::passes
