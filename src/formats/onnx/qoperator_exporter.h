#pragma once

#include "octavo/formats.h"

namespace octavo::formats {

/// ONNX Runtime's QOperator form: see to_qoperators.
extern const Exporter kQOperatorExporter;

}  // namespace octavo::formats
