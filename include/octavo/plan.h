#pragma once

#include <map>
#include <string>
#include <vector>

#include "octavo/core/qscheme.h"
#include "octavo/graph.h"

namespace octavo {

/// An activation that gets a QuantizeLinear/DequantizeLinear pair.
struct ActivationPlan {
  ValueId value = kNoValue;
  QScheme scheme;
  /// Values of one group get the same parameters, from the union of their statistics: the inputs and
  /// output of a Concat, of pooling or of a reshape. Each value is in exactly one group.
  int group = 0;
};

/// A constant input of a node that is stored as integers.
struct WeightPlan {
  NodeId node = kNoNode;
  std::size_t input = 1;
  QScheme scheme;
};

/// A constant input stored as int32 with scale = scale of input 0 · scale of the weight.
struct BiasPlan {
  NodeId node = kNoNode;
  std::size_t input = 2;
  std::size_t weight = 1;
};

/// For one graph and one backend: which values are quantized and how, and which share parameters.
struct Plan {
  std::vector<ActivationPlan> activations;
  std::vector<WeightPlan> weights;
  std::vector<BiasPlan> biases;
};

/// Value name → its quantization parameters: what calibration ends in.
using QParamsByName = std::map<std::string, QParams, std::less<>>;

/// A constant rounded to integers, of the shape it had in float: what a weight method ends in.
struct QuantizedWeight {
  QParams params;
  Tensor integers;
};
/// By the node of its WeightPlan.
using QuantizedWeights = std::map<NodeId, QuantizedWeight>;

}  // namespace octavo
