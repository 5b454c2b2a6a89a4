#pragma once

#include "format.h"

namespace octavo::formats {

/// ONNX: protobuf, operator sets 7 to 21 of ai.onnx, IR version 3 and later, with or without external data.
extern const Format kOnnxFormat;
extern const Exporter kOnnxExporter;

}  // namespace octavo::formats
