#pragma once

#include <array>
#include <span>

#include "layer_writer.h"

namespace octavo::formats::ncnn {

/// Conv, MaxPool and AveragePool over one dimension. Throw NoLayer.
void write_conv_1d(LayerWriter& writer, NodeId id);
void write_pooling_1d(LayerWriter& writer, NodeId id);

}  // namespace octavo::formats::ncnn
