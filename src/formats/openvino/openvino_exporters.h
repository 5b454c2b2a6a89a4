#pragma once

#include "octavo/formats.h"

namespace octavo::formats {

/// ONNX with pairs, planned for OpenVINO.
extern const Exporter kOpenVinoExporter;
/// ONNX with OpenVINO's FakeQuantize: see to_fake_quantize.
extern const Exporter kFakeQuantizeExporter;

}  // namespace octavo::formats
