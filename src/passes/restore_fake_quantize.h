#pragma once

#include <cstdint>
#include <string_view>

#include "octavo/graph.h"

namespace octavo::passes {

constexpr std::string_view kOpenVinoDomain = "org.openvinotoolkit";

/// The opset that pairs for the graph's FakeQuantize nodes need; 0 where it has none.
std::int64_t opset_of_fake_quantize(const Graph& graph);

/// Makes QuantizeLinear and DequantizeLinear of FakeQuantize of the domain org.openvinotoolkit, and integers behind
/// DequantizeLinear of the float constants that one reads: the inverse of what openvino-fakequantize writes, and what
/// MMRazor writes. Signed where zero is the upper middle of the levels, as OpenVINO chooses it too. Of 255 levels the
/// type has one more, which only values beyond the limits reach. Expects the opset above. Returns how many nodes it
/// changed. Throws Error(unsupported), naming the node, for what pairs have no words for.
int restore_fake_quantize(Graph& graph);

}  // namespace octavo::passes
