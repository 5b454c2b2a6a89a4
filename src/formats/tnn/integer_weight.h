#pragma once

#include <vector>

#include "tnn/layer_writer.h"

namespace octavo::formats::tnn {

/// What TNN stores of a layer that runs in integers.
struct StoredWeight {
  Tensor integers;            ///< i8, output channels first
  std::vector<float> handle;  ///< for all or for each output: the step of its sums, input's times weight's
  Tensor bias;                ///< i32 in these steps; no dimension where there is none
};

/// Whether the weight is stored as int8 behind DequantizeLinear, perhaps divided by the steps of its input again.
bool has_integer_weight(const GraphView& view, ValueId weight);

/// Of the node's inputs 1 and 2, with the pair before input 0. `axis`: where the weight has its output channels.
/// Refuses what TNN has no form for.
StoredWeight stored_weight(const LayerWriter& out, std::int64_t axis);

/// As TNN's packer writes them: filter, bias, zero points and scales, without dimensions.
std::vector<Buffer> buffers_of(const StoredWeight& weight);

}  // namespace octavo::formats::tnn
