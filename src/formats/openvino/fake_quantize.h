#pragma once

#include <vector>

#include "octavo/formats.h"

namespace octavo::formats::openvino {

/// Operators that keep a graph from being written with FakeQuantize, each with the reason.
std::vector<UnsupportedNode> unsupported(const Graph& graph);

/// A graph with pairs in OpenVINO's own words: FakeQuantize of the domain org.openvinotoolkit instead of QuantizeLinear
/// and DequantizeLinear over activations. Biases become the floats that their integers stand for; weights of 8 bits
/// stay integers behind DequantizeLinear, others become floats behind a FakeQuantize. `unsupported` must have found
/// nothing.
Graph to_fake_quantize(const Graph& graph);

}  // namespace octavo::formats::openvino
