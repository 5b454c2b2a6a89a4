#pragma once

#include <vector>

#include "octavo/formats.h"

namespace octavo::formats::openvino {

/// QuantizeLinear nodes that make integers of 16 bits of activations. OpenVINO's CPU plugin (2026.4) has no kernels for
/// them and reads such pairs as FakeQuantize of 65536 levels, of which it computes whole models wrongly and says
/// nothing.
std::vector<UnsupportedNode> wide_integers(const Graph& graph);

}  // namespace octavo::formats::openvino
