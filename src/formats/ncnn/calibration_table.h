#pragma once

#include <span>
#include <string>

#include "layer.h"

namespace octavo::formats::ncnn {

/// The table that ncnn2int8 reads (as ncnn2table writes it), for the int8 layers among these: first a row of weight
/// scales for each, then a row with the scale of each one's input. Rows are found by the layers' names:
/// those of the .param file that was read, or those that onnx2ncnn gives, the node's or its first output's where it has
/// none.
std::string calibration_table(std::span<const Layer> layers);

}  // namespace octavo::formats::ncnn
