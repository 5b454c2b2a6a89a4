#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "octavo/core/qscheme.h"
#include "octavo/core/quantize.h"
#include "octavo/graph.h"
#include "octavo/qconfig.h"

namespace octavo {

/// An activation that gets a QuantizeLinear/DequantizeLinear pair.
struct ActivationPlan {
  ValueId value = kNoValue;
  QScheme scheme;
  /// From the table of observers or a user's; the same throughout a group.
  ObserverEntry observer = kMinMaxEntry;
  ObserverOptions observer_options;
  /// Values of one group get the same parameters, from the union of their statistics: the inputs and
  /// output of a Concat, of pooling or of a reshape. Each value is in exactly one group.
  int group = 0;
  /// An integer operator computes the value, so that the float never exists at run time: every reader and
  /// the graph's caller read what the pair gives. Otherwise float operators go on reading the float.
  bool integer_producer = false;
  /// False where an integer operator has put the value together from others of its group (MaxPool, Reshape, Concat):
  /// what it holds is in these, and observers that see values themselves are shown these alone.
  bool adds_values = true;
  /// Who turns the observer's statistics into parameters.
  FakeQuantizeEntry fake_quant = kPlainFakeQuantize;
};

/// How a rounded weight stands in the graph.
enum class WeightStorage : std::uint8_t {
  integers,  ///< integers behind DequantizeLinear
  /// The floats that the integers stand for, behind QuantizeLinear and DequantizeLinear: four times as large, for
  /// parsers that take no integer constants.
  floats,
};

/// A constant input of a node that is stored as integers.
struct WeightPlan {
  NodeId node = kNoNode;
  std::size_t input = 1;
  QScheme scheme;
  WeightMethodEntry method = kMinMaxWeightMethod;
  /// Looks at the weight, with its options' axis set, for the parameters that the method starts from.
  ObserverEntry observer = kMinMaxEntry;
  ObserverOptions observer_options;
  FakeQuantizeEntry fake_quant = kPlainFakeQuantize;
  /// The node's bias, which it may get from a correction, is stored as int32: a BiasPlan.
  bool int32_bias = true;
  WeightStorage storage = WeightStorage::integers;
};

/// A constant input stored as int32 with scale = scale of input 0 · scale of the weight.
struct BiasPlan {
  NodeId node = kNoNode;
  std::size_t input = 2;
  std::size_t weight = 1;
};

/// For one graph and one backend: which values are quantized and how, and which share parameters.
struct Plan {
  /// Nodes that run in integers, activations fused into them included. A node with a WeightPlan that is not among them
  /// computes in float with a weight stored as integers.
  std::set<NodeId> integer_nodes;
  std::vector<ActivationPlan> activations;
  std::vector<WeightPlan> weights;
  std::vector<BiasPlan> biases;
  /// What was asked for and is done otherwise, and why, for the user to read.
  std::vector<std::string> notes;
};

/// Value name → its quantization parameters: what calibration ends in.
using QParamsByName = std::map<std::string, QParams, std::less<>>;

/// Rounded weights by the node of their WeightPlan: what a weight method ends in.
using QuantizedWeights = std::map<NodeId, QuantizedTensor>;

}  // namespace octavo
