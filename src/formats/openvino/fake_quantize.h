#pragma once

#include <vector>

#include "octavo/formats.h"

namespace octavo::formats::openvino {

/// Operators that keep a graph from being written with FakeQuantize, each with the reason.
std::vector<UnsupportedNode> unsupported(const Graph& graph);

/// A graph with pairs in OpenVINO's own words: FakeQuantize of the domain org.openvinotoolkit instead of QuantizeLinear
/// and DequantizeLinear. Weights and biases become the floats that their integers stand for; weights keep a
/// FakeQuantize that gives these back. `unsupported` must have found nothing.
Graph to_fake_quantize(const Graph& graph);

}  // namespace octavo::formats::openvino
